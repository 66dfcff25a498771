"""The result of a search: a lazy list of sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, overload

from cingulum.client.catalogue import SessionRow
from cingulum.client.notebook import SHOWN, html_table, optional_package
from cingulum.client.session import Session

COLUMNS = ("lab", "subject", "date", "number", "task", "projects", "id")


class Sessions(Sequence[Session]):
    """Sessions, newest first, searched for when first looked at; in a notebook, a table."""

    def __init__(
        self, search: Callable[[], Sequence[SessionRow]], session: Callable[[SessionRow], Session]
    ) -> None:
        self._search, self._session = search, session

    @cached_property
    def _rows(self) -> Sequence[SessionRow]:
        return self._search()

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Session]:
        return (self._session(row) for row in self._rows)

    @overload
    def __getitem__(self, at: int) -> Session: ...
    @overload
    def __getitem__(self, at: slice) -> Sessions: ...
    def __getitem__(self, at: int | slice) -> Session | Sessions:
        if isinstance(at, slice):
            rows = self._rows[at]
            return Sessions(lambda: rows, self._session)
        return self._session(self._rows[at])

    def table(self) -> list[tuple[str, str, str, int, str, str, str]]:
        """Rows of COLUMNS."""
        return [_cells(row) for row in self._rows]

    def to_pandas(self) -> Any:
        """A DataFrame with a row per session."""
        return optional_package("pandas", "pandas").DataFrame(self.table(), columns=list(COLUMNS))

    def __repr__(self) -> str:
        lines = [str(row.path) for row in self._rows[:SHOWN]]
        more = [f"… {len(self) - SHOWN} more"] if len(self) > SHOWN else []
        return "\n".join([f"{len(self)} sessions", *lines, *more])

    def _repr_html_(self) -> str:
        return html_table(COLUMNS, [_cells(row) for row in self._rows[:SHOWN]], len(self))


def _cells(row: SessionRow) -> tuple[str, str, str, int, str, str, str]:
    path = row.path
    projects = ", ".join(row.projects)
    return path.lab, path.subject, path.date.isoformat(), path.number, row.task_protocol, projects, row.id
