"""Published numbers of mouse SWC_054, with which the demo compares its results."""

from __future__ import annotations

from typing import Final, NamedTuple


class Day(NamedTuple):
    """The number of a session's trials, and the fraction of correct easy ones."""

    n_trials: int
    easy_performance: float


class Fit(NamedTuple):
    """A psychometric fit of three pooled sessions: of all trials, or of those of one block.

    parameters   bias and threshold (percent contrast), lapse to either side
    """

    sessions: tuple[str, ...]
    block: float | None
    parameters: tuple[float, float, float, float]


DAYS: Final = {
    "2020-08-21": Day(719, 0.908537),
    "2020-08-24": Day(532, 0.9),
    "2020-08-25": Day(617, 0.914894),
    "2020-08-26": Day(752, 0.960938),
    "2020-08-27": Day(471, 0.978723),
}
TRAINING: Final = ("2020-08-25", "2020-08-24", "2020-08-21")
BIASED: Final = ("2020-09-01", "2020-08-31", "2020-08-28")
FITS: Final = (
    Fit(TRAINING, None, (4.0449, 21.629, 0.0191, 0.1727)),
    Fit(BIASED, 0.2, (-2.792, 13.096, 0.053, 0.049)),
    Fit(BIASED, 0.8, (2.61, 12.029, 0.036, 0.087)),
)
