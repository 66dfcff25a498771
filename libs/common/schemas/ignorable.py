"""Query parameters of which Alyx ignores some values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, eq=False)
class Ignorable:
    """Metadata of a query parameter: which of its values have no effect; the caller learns it by a notice."""

    ignores: Callable[[str], bool]
