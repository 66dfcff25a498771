"""Training criteria of the International Brain Laboratory, as a `Ladder`.

Source: IBL protocol for mice training (Appendix 2 of eLife 10:e63711) and the portal's rule of 40 sessions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import add

from cingulum.analysis.behaviour import median_reaction_time
from cingulum.analysis.criteria import (
    Abandonment,
    CriterionCondition,
    Ladder,
    SessionMeasures,
    Stage,
    TrainingVerdict,
    judge,
)
from cingulum.analysis.digest import SessionDigest
from cingulum.analysis.psychometric import ChoiceCounts, fit_psychometric

TRAINING = ("training",)
AFTER_TRAINING = ("biased", "ephys")


def _trials(over_n: int) -> CriterionCondition:
    return CriterionCondition("trials", "n_trials", "each", ">", over_n)


def _easy(over: float) -> CriterionCondition:
    return CriterionCondition("easy performance", "easy_performance", "each", ">", over, scale=100, unit="%")


def _fit(bias: float, threshold: float, lapse: float) -> tuple[CriterionCondition, ...]:
    return (
        CriterionCondition("zero contrast trials", "n_zero_contrast", "window", ">", 0),
        CriterionCondition("bias", "bias_percent", "window", "<", bias, magnitude=True, unit="%"),
        CriterionCondition("threshold", "threshold_percent", "window", "<", threshold, unit="%"),
        CriterionCondition("lapse low", "lapse_low", "window", "<", lapse),
        CriterionCondition("lapse high", "lapse_high", "window", "<", lapse),
    )


_REACTION = CriterionCondition(
    "reaction time at zero contrast", "zero_contrast_reaction_time_s", "window", "<", 2.0, unit="s"
)
_BIASED = (
    _trials(400),
    _easy(0.9),
    CriterionCondition("lapse low, 20 block", "lapse_low_20", "window", "<", 0.1),
    CriterionCondition("lapse high, 20 block", "lapse_high_20", "window", "<", 0.1),
    CriterionCondition("lapse low, 80 block", "lapse_low_80", "window", "<", 0.1),
    CriterionCondition("lapse high, 80 block", "lapse_high_80", "window", "<", 0.1),
    CriterionCondition("bias shift between blocks", "bias_shift_percent", "window", ">", 5.0, unit="%"),
    _REACTION,
)
_ON_EPHYS_RIG = "on_ephys_rig"

LADDER = Ladder(
    name="IBL",
    start="in training",
    stages=(
        Stage("trained 1a", (_trials(200), _easy(0.8), *_fit(16, 19, 0.2)), kinds=TRAINING),
        Stage("trained 1b", (_trials(400), _easy(0.9), *_fit(10, 20, 0.1), _REACTION), kinds=TRAINING),
        Stage("ready4ephysrig", _BIASED, kinds=AFTER_TRAINING),
        Stage(
            "ready4delay",
            (
                CriterionCondition("sessions on an ephys rig", _ON_EPHYS_RIG, "count", ">=", 1),
                CriterionCondition("trials on an ephys rig", "n_trials", "any", ">", 400, where=_ON_EPHYS_RIG),
                CriterionCondition(
                    "easy performance on an ephys rig", "easy_performance", "any", ">", 0.9,
                    where=_ON_EPHYS_RIG, scale=100, unit="%",
                ),
            ),
            kinds=AFTER_TRAINING,
        ),
        Stage(
            "ready4recording",
            (
                *_BIASED,
                CriterionCondition("sessions on an ephys rig", _ON_EPHYS_RIG, "count", ">=", 3),
                CriterionCondition(
                    "delay before the task", "start_delay_s", "any", ">=", 900, scale=1 / 60, unit="min"
                ),
            ),
            kinds=AFTER_TRAINING,
        ),
    ),
    # No animal gets biased blocks before reaching 1b.
    implied=dict.fromkeys(AFTER_TRAINING, "trained 1b"),
    abandonments=(
        Abandonment("untrainable", while_status="in training", kind="training", after_sessions=40),
        Abandonment("unbiasable", while_status="trained 1b", kind="biased", after_sessions=40),
    ),
)  # fmt: skip


def training_status(digests: Sequence[SessionDigest]) -> TrainingVerdict:
    """The status after the last sessions of an animal (oldest first), and what the next one still requires.

    Only the last three count. Without sessions the animal is in training.
    """
    window = list(digests[-LADDER.window :])
    return judge(LADDER, [session_measures(each) for each in window], pooled_measures(window))


def session_measures(digest: SessionDigest) -> SessionMeasures:
    """One session's measures, named as in the ladder."""
    return SessionMeasures(
        label=digest.date,
        kind=digest.kind,
        measures={
            "n_trials": digest.n_trials,
            "easy_performance": digest.easy_performance,
            "on_ephys_rig": digest.on_ephys_rig,
            "start_delay_s": digest.start_delay_s,
        },
    )


def pooled_measures(digests: Sequence[SessionDigest]) -> dict[str, float | None]:
    """Fits and reaction time of the sessions taken together; `None` where data are missing."""
    measures: dict[str, float | None] = {
        "n_zero_contrast": float(sum(_n_zero(each.counts) for each in digests)),
        "zero_contrast_reaction_time_s": median_reaction_time(
            [time for each in digests for time in each.zero_contrast_reaction_times_s]
        ),
    }
    if all(each.kind in TRAINING for each in digests):
        fit = _pooled_fit(each.counts for each in digests)
        return measures | (fit or {})
    fit_20, fit_80 = (
        _pooled_fit(each.counts_by_block[block] for each in digests if block in each.counts_by_block)
        for block in ("0.2", "0.8")
    )
    for name, block_fit in (("20", fit_20), ("80", fit_80)):
        measures |= {f"{key}_{name}": value for key, value in (block_fit or {}).items()}
    if fit_20 and fit_80:
        measures["bias_shift_percent"] = fit_80["bias_percent"] - fit_20["bias_percent"]
    return measures


def _n_zero(counts: ChoiceCounts) -> int:
    return int(counts.n_trials[counts.contrasts_percent == 0].sum())


def _pooled_fit(each_session: Iterable[ChoiceCounts]) -> dict[str, float] | None:
    counts = list(each_session)
    fit = fit_psychometric(reduce(add, counts)) if counts else None
    if fit is None:
        return None
    return {
        "bias_percent": fit.bias_percent,
        "threshold_percent": fit.threshold_percent,
        "lapse_low": fit.lapse_low,
        "lapse_high": fit.lapse_high,
    }
