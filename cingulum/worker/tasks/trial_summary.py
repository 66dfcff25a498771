"""A session's trials → counts, performance and reaction times."""

from __future__ import annotations

from typing import Final

from cingulum.analysis import chronometry, performance_by_contrast, trial_summary
from cingulum.analysis.result import plain
from cingulum.worker.tasks.context import TaskContext
from cingulum.worker.tasks.trials import TABLE, read_trials

# Not of the object `trials`: loading that object would return the summary as one of its columns.
OUTPUT: Final = "alf/_cingulum_behaviour.summary.json"


def run(context: TaskContext) -> None:
    """Write the fields of `TrialSummary`, with `performance_by_contrast` and `chronometry` beside them."""
    trials = read_trials(context.input(TABLE))
    summary = trial_summary(trials)
    tables = {
        "performance_by_contrast": performance_by_contrast(trials),
        "chronometry": chronometry(trials.signed_contrast_percent, trials.reaction_times_s),
    }
    context.write_json(OUTPUT, {**summary.to_dict(), **plain(tables)})
    context.log(f"{summary.n_trials} trials, {summary.n_correct} rewarded")
