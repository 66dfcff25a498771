"""The base of all results: a frozen value that becomes plain JSON, where unknown is `None`."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np


class AnalysisError(ValueError):
    """The data cannot be analysed; the message says why, in a sentence."""


class Result:
    """Base of the frozen dataclasses that analyses return."""

    def to_dict(self) -> dict[str, Any]:
        """The fields as plain JSON: lists for arrays, `None` for numbers that are not finite."""
        return {field.name: plain(getattr(self, field.name)) for field in _fields(self)}


def _fields(value: Any) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(value)


def plain(value: Any) -> Any:
    """A value of an analysis as plain JSON.

    >>> plain({"rate_hz": np.array([1.5, np.nan]), "n": np.int64(2), "day": None})
    {'rate_hz': [1.5, None], 'n': 2, 'day': None}
    """
    if isinstance(value, Result):
        return value.to_dict()
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
