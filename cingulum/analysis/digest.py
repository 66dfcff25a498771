"""A session reduced to counts that can be pooled with those of other sessions, without its trials."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cingulum.analysis.behaviour import trial_summary
from cingulum.analysis.psychometric import ChoiceCounts, block_probabilities, choice_counts
from cingulum.analysis.result import Result
from cingulum.analysis.trials import Trials

_KIND = re.compile(r"([A-Za-z]+)ChoiceWorld")


@dataclass(frozen=True, eq=False)
class SessionDigest(Result):
    """One session of one animal, in a few kilobytes: what pooling and criteria need.

    Date       ISO day; `number` distinguishes sessions of one day
    Kind       one of those in the criteria: `training`, `biased`, `ephys` ...
    Counts     of all trials; `counts_by_block` those of each block ("0.2" ...), empty outside block tasks
    Reaction   seconds; all times at zero contrast are kept, since medians do not add up
    Rig        whether it was an ephys rig, and the pause before the task in seconds; `None` unknown
    """

    date: str
    number: int
    protocol: str
    kind: str
    n_trials: int
    performance: float | None
    easy_performance: float | None
    median_reaction_time_s: float | None
    duration_s: float | None
    counts: ChoiceCounts
    counts_by_block: Mapping[str, ChoiceCounts]
    zero_contrast_reaction_times_s: tuple[float, ...]
    on_ephys_rig: bool | None = None
    start_delay_s: float | None = None

    @property
    def key(self) -> tuple[str, int]:
        """Sort key of an animal's sessions."""
        return (self.date, self.number)

    @classmethod
    def from_dict(cls, written: Mapping[str, Any]) -> SessionDigest:
        """The inverse of `to_dict`."""
        return cls(
            **{
                **written,
                "counts": _counts(written["counts"]),
                "counts_by_block": {name: _counts(c) for name, c in written["counts_by_block"].items()},
                "zero_contrast_reaction_times_s": tuple(written["zero_contrast_reaction_times_s"]),
            }
        )


def _counts(written: Mapping[str, Any]) -> ChoiceCounts:
    return ChoiceCounts(
        np.array(written["contrasts_percent"], dtype=np.float64),
        np.array(written["n_trials"], dtype=np.int64),
        np.array(written["n_right"], dtype=np.int64),
    )


def session_kind(protocol: str) -> str:
    """The kind of session that a task protocol names; the protocol itself if it is not one of IBL's.

    >>> session_kind("_iblrig_tasks_biasedChoiceWorld6.4.2"), session_kind("rotarod")
    ('biased', 'rotarod')
    """
    match = _KIND.search(protocol)
    return match[1] if match else protocol


def digest_session(
    trials: Trials,
    *,
    date: str,
    protocol: str,
    number: int = 1,
    on_ephys_rig: bool | None = None,
    start_delay_s: float | None = None,
) -> SessionDigest:
    """Reduce a session's trials; `date` is ISO, `start_delay_s` the pause between placing the animal and the task."""
    summary = trial_summary(trials)
    contrasts, right, times = trials.signed_contrast_percent, trials.rightward, trials.reaction_times_s
    blocks = {block: trials.in_block(block) for block in block_probabilities(trials)}
    at_zero = times[(contrasts == 0) & ~np.isnan(times)]
    return SessionDigest(
        date=date,
        number=number,
        protocol=protocol,
        kind=session_kind(protocol),
        n_trials=summary.n_trials,
        performance=summary.performance,
        easy_performance=summary.easy_performance,
        median_reaction_time_s=summary.median_reaction_time_s,
        duration_s=summary.duration_s,
        counts=choice_counts(contrasts, right),
        counts_by_block={f"{b:g}": choice_counts(contrasts[at], right[at]) for b, at in blocks.items()},
        zero_contrast_reaction_times_s=tuple(at_zero.tolist()),
        on_ephys_rig=on_ephys_rig,
        start_delay_s=start_delay_s,
    )
