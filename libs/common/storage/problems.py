"""Problems of every store of bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from libs.common.problem import Problem


class StorageProblem(Problem):
    """A store refuses or fails. Whatever it held before, it still holds."""


class NotADigest(StorageProblem):
    """A SHA-256 is 64 lower-case hexadecimal characters."""

    slug: ClassVar[str] = "not-a-sha256"


class ObjectMissing(StorageProblem):
    """The store has no object with that SHA-256."""

    status: ClassVar[int] = 404
    slug: ClassVar[str] = "object-missing"
    may_pass: ClassVar[bool] = True  # its volume may not be mounted yet


class ChecksumMismatch(StorageProblem):
    """The bytes are not those announced. They were discarded, and earlier parts are kept."""

    slug: ClassVar[str] = "digest-mismatch"

    def __init__(self, expected: str, actual: str) -> None:
        self.expected, self.actual = expected, actual
        super().__init__(f"The SHA-256 of these bytes is {actual}, but {expected} was announced.")


class PartRefused(StorageProblem):
    """The part's number or size is beyond the store's limits."""

    slug: ClassVar[str] = "part-refused"


class PartsMissing(StorageProblem):
    """The upload cannot be assembled yet: some of its parts are missing."""

    status: ClassVar[int] = 409
    slug: ClassVar[str] = "parts-missing"

    def __init__(self, numbers: Sequence[int]) -> None:
        self.numbers = list(numbers)
        shown = ", ".join(map(str, self.numbers[:20])) + (", …" if len(self.numbers) > 20 else "")
        super().__init__(f"Parts still missing: {shown}.", extra={"missing_parts": self.numbers})


class BadRange(StorageProblem):
    """The byte range lies outside the object."""

    status: ClassVar[int] = 416
    slug: ClassVar[str] = "range-not-satisfiable"


class StoreFull(StorageProblem):
    """There is no space left (disk or quota). What was acknowledged before is kept; free space and send again."""

    status: ClassVar[int] = 507
    slug: ClassVar[str] = "store-full"


class StoreUnavailable(StorageProblem):
    """The store does not respond, or refuses our credentials; the same request may succeed later."""

    status: ClassVar[int] = 503
    slug: ClassVar[str] = "store-unavailable"


class StillLinked(StorageProblem):
    """The object is not removed: names outside the store, such as those of the tree, still link to its bytes."""

    status: ClassVar[int] = 409
    slug: ClassVar[str] = "still-named"
