"""The numbers of a figure as an HTML table: for screen readers, for copying, and to check a curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cingulum.figures.svg import clean
from cingulum.figures.wording import rounded

Cell = str | float | None
UNKNOWN = "–"


@dataclass(frozen=True, slots=True)
class Table:
    """A caption, the columns' headings with their units, and rows; the first cell of a row is its heading."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def html(self) -> str:
        """Write the table; NaN, infinities and None are shown as a dash.

        >>> Table("Weights", ("day", "weight (g)"), (("2026-04-05", 24.5),)).html()[:59]
        '<table class="cingulum-data"><caption>Weights</caption><the'
        """
        head = "".join(f'<th scope="col">{clean(name)}</th>' for name in self.columns)
        body = "".join(f"<tr>{_row(row)}</tr>" for row in self.rows)
        return (
            f'<table class="cingulum-data"><caption>{clean(self.caption)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


def _row(cells: Sequence[Cell]) -> str:
    first, *rest = (clean(shown(cell)) for cell in cells)
    return f'<th scope="row">{first}</th>' + "".join(f"<td>{cell}</td>" for cell in rest)


def shown(cell: Cell) -> str:
    """Write one value: text as it is, numbers to four digits, the unknown as a dash.

    >>> shown("5 Apr"), shown(0.123456), shown(float("nan"))
    ('5 Apr', '0.1235', '–')
    """
    if isinstance(cell, str):
        return cell
    if cell is None or not -float("inf") < cell < float("inf"):
        return UNKNOWN
    return rounded(cell)
