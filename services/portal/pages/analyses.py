"""Outputs of the standard tasks for pages, validated, since any user can register such files."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Number = Annotated[float, Field(allow_inf_nan=False)]
Counts = Annotated[list[Number], Field(max_length=1000)]
Numbers = Annotated[list[Number | None], Field(max_length=1000)]


class _Output(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, frozen=True)


class Fit(_Output):
    """The parameters of one psychometric curve."""

    bias_percent: Number | None
    threshold_percent: Number | None
    lapse_low: Number | None
    lapse_high: Number | None


class Curve(_Output):
    """Choices at each contrast, of all trials or of one block."""

    block: Number | None
    contrasts_percent: Counts
    n_right: Counts
    n_trials: Counts
    fit: Fit | None


class Psychometric(_Output):
    """`_cingulum_psychometric.fit.json`."""

    all: Curve | None = None
    by_block: Annotated[list[Curve], Field(max_length=100)] | None = None


class Chronometry(_Output):
    """Reaction times at each contrast."""

    contrasts_percent: Counts
    median_s: Numbers
    lower_quartile_s: Numbers
    upper_quartile_s: Numbers
    n_trials: Counts


class Summary(_Output):
    """`_cingulum_behaviour.summary.json`."""

    n_trials: Annotated[int, Field(ge=0, le=10**9)] | None = None
    performance: Number | None = None
    easy_performance: Number | None = None
    median_reaction_time_s: Number | None = None
    duration_s: Number | None = None
    reward_total_ml: Number | None = None
    chronometry: Chronometry | None = None
