"""The trials of a session as columns, independent of their file format."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from cingulum.analysis.result import AnalysisError

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

BLOCK_TOLERANCE = 0.01
EASY_CONTRAST_PERCENT = 50.0

# The field of `Trials` and the column of an ALF trials table that it is read from.
COLUMNS = {
    "contrast_left": "contrastLeft",
    "contrast_right": "contrastRight",
    "choice": "choice",
    "feedback_type": "feedbackType",
    "probability_left": "probabilityLeft",
    "response_times_s": "response_times",
    "stim_on_times_s": "stimOn_times",
    "go_cue_trigger_times_s": "goCueTrigger_times",
    "go_cue_times_s": "goCue_times",
    "first_movement_times_s": "firstMovement_times",
    "feedback_times_s": "feedback_times",
    "interval_starts_s": "intervals_0",
    "interval_ends_s": "intervals_1",
    "reward_volume_ul": "rewardVolume",
}
REQUIRED = ("contrast_left", "contrast_right", "choice", "feedback_type")


class MissingColumns(AnalysisError):
    """The table lacks columns that are necessary to evaluate choices."""


class ImpossibleValues(AnalysisError):
    """A column has an impossible value: the message names column, trial and possible values."""


class UnequalColumns(AnalysisError):
    """The columns differ in length."""


@dataclass(frozen=True, eq=False)
class Trials:
    """A session's trials: arrays of shape (n_trials,), in the order of the table.

    Contrasts  fraction, 0 to 1; NaN on the side without stimulus
    Choice     -1 the animal reports right, +1 left, 0 no response in time
    Feedback   +1 correct, -1 error
    Times      seconds of the session's main clock, NaN where unknown
    Errors     UnequalColumns
    Source     the ALF object `trials` of IBL's task
    """

    contrast_left: Floats
    contrast_right: Floats
    choice: Integers
    feedback_type: Integers
    probability_left: Floats | None = None
    response_times_s: Floats | None = None
    stim_on_times_s: Floats | None = None
    go_cue_trigger_times_s: Floats | None = None
    go_cue_times_s: Floats | None = None
    first_movement_times_s: Floats | None = None
    feedback_times_s: Floats | None = None
    interval_starts_s: Floats | None = None
    interval_ends_s: Floats | None = None
    reward_volume_ul: Floats | None = None

    def __post_init__(self) -> None:
        lengths = {name: len(column) for name, column in self.present().items()}
        if len(set(lengths.values())) > 1:
            raise UnequalColumns(f"columns differ in length: {lengths}")

    def present(self) -> dict[str, npt.NDArray[Any]]:
        """The columns that are not missing, by field name."""
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: column for name, column in columns.items() if column is not None}

    def __len__(self) -> int:
        return len(self.choice)

    @property
    def correct(self) -> Booleans:
        """Whether each trial was rewarded."""
        rewarded: Booleans = self.feedback_type == 1
        return rewarded

    @property
    def rightward(self) -> Booleans:
        """Whether the animal reported right; a trial without a response counts as not right."""
        right: Booleans = self.choice == -1
        return right

    @property
    def signed_contrast_percent(self) -> Floats:
        """See `signed_contrast_percent`."""
        return signed_contrast_percent(self.contrast_left, self.contrast_right)

    @property
    def reaction_times_s(self) -> Floats:
        """See `reaction_times_s`; NaN throughout if the table has no response times."""
        unknown = np.full(len(self), np.nan)
        shown = [self.stim_on_times_s, self.go_cue_trigger_times_s]
        starts = [column for column in shown if column is not None]
        if self.response_times_s is None or not starts:
            return unknown
        return reaction_times_s(self.response_times_s, starts[0], starts[-1])

    def in_block(self, probability_left: float) -> Booleans:
        """See `in_block`; false throughout if the table has no block probabilities."""
        if self.probability_left is None:
            return np.zeros(len(self), dtype=bool)
        return in_block(self.probability_left, probability_left)


def trials_from_columns(columns: Mapping[str, npt.ArrayLike]) -> Trials:
    """Trials from the columns of an ALF trials table, by their names there; other columns are ignored.

    `intervals` may be one (n, 2) array. A missing choice (NaN) is read as no response, missing feedback as
    none, an infinite time as unknown. Raises MissingColumns, UnequalColumns, ImpossibleValues.

    >>> trials = trials_from_columns({
    ...     "contrastLeft": [0.25, np.nan], "contrastRight": [np.nan, 1.0],
    ...     "choice": [1, -1], "feedbackType": [1, 1],
    ... })
    >>> trials.signed_contrast_percent.tolist()
    [-25.0, 100.0]
    """
    present = dict(columns)
    if "intervals" in present:
        pairs = np.asarray(present.pop("intervals"), dtype=np.float64)
        present |= {"intervals_0": pairs[:, 0], "intervals_1": pairs[:, 1]}
    if missing := [COLUMNS[name] for name in REQUIRED if COLUMNS[name] not in present]:
        raise MissingColumns(f"the trials table lacks {', '.join(missing)}")
    return Trials(
        **{name: _column(name, present[column]) for name, column in COLUMNS.items() if column in present}
    )


def _column(name: str, values: npt.ArrayLike) -> npt.NDArray[Any]:
    try:
        column = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as reason:
        raise ImpossibleValues(f"{COLUMNS[name]} contains a value that is not a number: {reason}") from reason
    column = np.where(np.isfinite(column), column, np.nan)
    if name in _ALLOWED:
        fits, expected = _ALLOWED[name]
        odd = np.flatnonzero(~(np.isnan(column) | fits(column)))
        if len(odd):
            raise ImpossibleValues(
                f"{COLUMNS[name]} is {column[odd[0]]:g} on trial {odd[0] + 1}: it {expected}"
            )
    # An unknown choice counts as no response, unknown feedback as no reward.
    return np.nan_to_num(column).astype(np.int64) if name in {"choice", "feedback_type"} else column


def _share(column: Floats) -> Booleans:
    return (column >= 0) & (column <= 1)


_CONTRAST = _share, "is a fraction from 0 to 1 (not percent)"
_ALLOWED: dict[str, tuple[Callable[[Floats], Booleans], str]] = {
    "contrast_left": _CONTRAST,
    "contrast_right": _CONTRAST,
    "choice": (lambda column: np.isin(column, (-1, 0, 1)), "is -1 for right, 1 for left, 0 for no response"),
    "feedback_type": (lambda column: np.isin(column, (-1, 0, 1)), "is 1 for correct, -1 for an error"),
    "probability_left": (_share, "is a probability from 0 to 1"),
}


def concatenate(sessions: list[Trials]) -> Trials:
    """The trials of several sessions, one after another; a column that any of them lacks is left out.

    >>> trials = trials_from_columns(
    ...     {"contrastLeft": [1], "contrastRight": [np.nan], "choice": [1], "feedbackType": [1]})
    >>> len(concatenate([trials, trials]))
    2
    """
    shared = set.intersection(*(set(session.present()) for session in sessions))
    return Trials(**{name: np.concatenate([getattr(each, name) for each in sessions]) for name in shared})


def signed_contrast_percent(contrast_left: npt.ArrayLike, contrast_right: npt.ArrayLike) -> Floats:
    """Right minus left contrast in percent: negative is a stimulus on the left, NaN counts as 0.

    >>> signed_contrast_percent([0.125, np.nan, 0.0], [np.nan, 0.0625, np.nan]).tolist()
    [-12.5, 6.25, 0.0]
    """
    left, right = (
        np.nan_to_num(np.asarray(side, dtype=np.float64)) for side in (contrast_left, contrast_right)
    )
    # Contrasts are stored as fractions: six decimals undo what the multiplication adds to 6.25 %.
    signed: Floats = np.round((right - left) * 100, 6) + 0.0
    return signed


def reaction_times_s(responses_s: npt.ArrayLike, shown_s: npt.ArrayLike, cue_s: npt.ArrayLike) -> Floats:
    """Time from the stimulus to the response; from the go cue's trigger where the stimulus time is missing.

    >>> reaction_times_s([1.5, 9.0], [1.0, np.nan], [0.9, 8.5]).tolist()
    [0.5, 0.5]
    """
    shown, cue = np.asarray(shown_s, dtype=np.float64), np.asarray(cue_s, dtype=np.float64)
    waited: Floats = np.asarray(responses_s, dtype=np.float64) - np.where(np.isnan(shown), cue, shown)
    return waited


def in_block(probability_left: npt.ArrayLike, block: float) -> Booleans:
    """Which trials belong to a block, within 0.01: some rigs store 0.2 as 0.19999999999999996.

    >>> in_block([0.5, 0.19999999999999996, 0.8], 0.2).tolist()
    [False, True, False]
    """
    near: Booleans = np.abs(np.asarray(probability_left, dtype=np.float64) - block) <= BLOCK_TOLERANCE
    return near
