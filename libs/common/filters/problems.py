"""Problems of free filters: always 400, always naming the filter."""

from __future__ import annotations

from typing import ClassVar

from libs.common.problem import Problem


class FilterProblem(Problem):
    """A free filter is invalid; `name` is the filter as the caller sent it."""

    slug: ClassVar[str] = "bad-filter"

    def __init__(self, name: str, reason: str) -> None:
        self.name = name[:200]
        super().__init__(f"Filter {self.name!r}: {reason}", extra={"filter": self.name})


class UnknownFilter(FilterProblem):
    """The filter's field does not exist, or does not have this look-up."""

    slug: ClassVar[str] = "unknown-filter"


class BadFilterValue(FilterProblem):
    """The value has the wrong type or format for this field and look-up."""

    slug: ClassVar[str] = "bad-filter-value"
