"""A session's trials → how many, how well, how fast."""

from __future__ import annotations

from typing import Final

from cingulum.analysis import chronometry, performance_by_contrast, trial_summary
from cingulum.analysis.result import plain
from cingulum.worker.tasks.given import Given
from cingulum.worker.tasks.trials import TABLE, read_trials

# Not of the object `trials`: whoever loads that object would get the summary among its columns.
OUTPUT: Final = "alf/_cingulum_behaviour.summary.json"


def run(given: Given) -> None:
    """Write the fields of `TrialSummary`, with `performance_by_contrast` and `chronometry` beside them."""
    trials = read_trials(given.one(TABLE))
    found = trial_summary(trials)
    tables = {
        "performance_by_contrast": performance_by_contrast(trials),
        "chronometry": chronometry(trials.signed_contrast_percent, trials.reaction_times_s),
    }
    given.write_json(OUTPUT, {**found.to_dict(), **plain(tables)})
    given.say(f"{found.n_trials} trials, {found.n_correct} rewarded")
