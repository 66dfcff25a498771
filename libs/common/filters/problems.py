"""Problems of free filters: always 400, always naming the filter."""

from __future__ import annotations

from typing import ClassVar

from libs.common.problem import Problem


class FilterProblem(Problem):
    """A free filter is invalid; `name` is the filter as it was written."""

    slug: ClassVar[str] = "bad-filter"

    def __init__(self, name: str, reason: str) -> None:
        self.name = name[:200]
        super().__init__(f"Filter {self.name!r}: {reason}", extra={"filter": self.name})


class UnknownFilter(FilterProblem):
    """There is no such field, or no such look-up on it."""

    slug: ClassVar[str] = "unknown-filter"


class BadFilterValue(FilterProblem):
    """The value is not one that this field and look-up can be compared with."""

    slug: ClassVar[str] = "bad-filter-value"
