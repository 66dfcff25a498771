"""Growth curves of laboratory mice, age in weeks, and the expected weight at an age."""

from __future__ import annotations

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from cingulum.welfare.clock import DAY_US

Sex = Literal["M", "F", "U"]
Curve = Literal["M", "F"]

FIRST_WEEK: Final = 4
LAST_WEEK: Final = 20
"""The curves are constant from this week on; for younger and older animals the nearest end is used."""

# C57BL/6J, the supplier's data as in Alyx: mean and standard deviation in grams, weeks 4 to 20.
_MEAN_G: Final[dict[Curve, list[float]]] = {
    "M": [
        15.7,
        19.4,
        21.1,
        22.9,
        24.0,
        25.0,
        25.6,
        26.7,
        27.7,
        28.4,
        29.1,
        29.7,
        30.1,
        30.7,
        31.1,
        31.4,
        31.8,
    ],
    "F": [
        14.1,
        16.9,
        17.5,
        18.2,
        18.7,
        19.3,
        19.8,
        20.2,
        20.7,
        21.7,
        22.0,
        22.3,
        22.6,
        22.6,
        23.0,
        23.5,
        23.6,
    ],
}
_SD_G: Final[dict[Curve, list[float]]] = {
    "M": [2.2, 1.8, 1.5, 1.5, 1.5, 1.6, 1.7, 1.7, 1.7, 1.9, 1.9, 2.2, 2.1, 2.2, 2.3, 2.4, 2.5],
    "F": [1.8, 1.2, 1.0, 1.1, 1.2, 1.2, 1.3, 1.4, 1.4, 1.5, 1.6, 1.7, 1.8, 2.0, 2.1, 2.3, 2.3],
}
MEAN_G: Final = {curve: np.array(values) for curve, values in _MEAN_G.items()}
SD_G: Final = {curve: np.array(values) for curve, values in _SD_G.items()}


def age_weeks(wall_us: NDArray[np.int64], birth_noon_us: NDArray[np.int64] | int) -> NDArray[np.int64]:
    """Completed weeks of age; an animal is born at noon, since only its day of birth is known.

    Both in microseconds of local time. Rounded down to whole days, then to whole weeks, as in Alyx.

    >>> noon = DAY_US // 2
    >>> age_weeks(np.array([noon + 91 * DAY_US, noon + 91 * DAY_US - 1]), noon).tolist()
    [13, 12]
    """
    weeks: NDArray[np.int64] = (wall_us - birth_noon_us) // DAY_US // 7
    return weeks


def growth_g(weeks: NDArray[np.int64], curve: Curve) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation (g) of the growth curve at these ages, clamped to weeks 4 and 20.

    >>> mean, sd = growth_g(np.array([2, 16, 148]), "F")
    >>> mean.tolist(), sd.tolist()
    ([14.1, 22.6, 23.6], [1.8, 1.8, 2.3])
    """
    row = np.clip(weeks, FIRST_WEEK, LAST_WEEK) - FIRST_WEEK
    return MEAN_G[curve][row], SD_G[curve][row]


def grown_weight_g(
    net_reference_g: NDArray[np.float64],
    weeks_at_reference: NDArray[np.int64],
    weeks_now: NDArray[np.int64],
    curve: Curve,
) -> NDArray[np.float64]:
    """The weight (g, without implant) with the z-score of the animal's reference weighing.

    >>> z = grown_weight_g(np.array([20.5]), np.array([12]), np.array([16]), "F")
    >>> round(float(z[0]), 3)
    22.343
    """
    mean_then, sd_then = growth_g(weeks_at_reference, curve)
    mean_now, sd_now = growth_g(weeks_now, curve)
    grown: NDArray[np.float64] = mean_now + sd_now * (net_reference_g - mean_then) / sd_then
    return grown
