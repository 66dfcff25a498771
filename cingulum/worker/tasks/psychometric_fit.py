"""A session's trials → psychometric curves: points, intervals and fits."""

from __future__ import annotations

import json
from typing import Final

from cingulum.analysis import PLOT_BOUNDS, fit_psychometric, psychometric_by_block, psychometric_curve
from cingulum.analysis.psychometric import choice_counts
from cingulum.analysis.result import plain
from cingulum.worker.tasks.context import TaskContext, TaskFailed
from cingulum.worker.tasks.trials import TABLE, read_trials

OUTPUT: Final = "alf/_cingulum_psychometric.fit.json"


def run(context: TaskContext) -> None:
    """Write the curve of all trials (`all`) and of each block (`by_block`), and the fit of the training criteria.

    `all` and `by_block` are fitted within the bounds of plots, `criteria_fit` within those of the criteria.
    The counts at each contrast are in them, so sessions can be pooled without their trials.
    """
    trials = read_trials(context.input(TABLE))
    summary = context.input("*behaviour.summary.json")
    counted = json.loads(summary.file.read_bytes())["n_trials"]
    if counted != len(trials):
        raise TaskFailed(f"{summary.path} counts {counted} trials, the table has {len(trials)}")
    counts = choice_counts(trials.signed_contrast_percent, trials.rightward)
    by_block = psychometric_by_block(trials, PLOT_BOUNDS)
    content = {
        "all": psychometric_curve(trials, bounds=PLOT_BOUNDS),
        "by_block": by_block,
        "criteria_fit": fit_psychometric(counts),
    }
    context.write_json(OUTPUT, plain(content))
    context.log(f"{len(trials)} trials, {len(by_block)} blocks")
