"""Step 4: scheduler and worker: jobs follow from declared inputs and outputs; their results are compared."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from rich.table import Table

from cingulum.analysis import fit_psychometric
from cingulum.analysis.psychometric import ChoiceCounts
from examples.demo.golden import DAYS, FITS
from examples.demo.screen import StepFailed, check
from examples.demo.world import DAY_OF_RECORDING, HILL, SUBJECT, World

PATIENCE_S = 900.0
STATES = ("Held", "Waiting", "Started", "Publishing", "Complete")
Json = dict[str, Any]


def run(world: World) -> None:
    """Wait for all jobs, then compare their results with published numbers."""
    n = len(world.source)
    expected = {"trial_summary": n, "psychometric_fit": n, "compress": 1}
    world.screen.watch(_pictures(world, expected))
    made = {
        kind: _results(world, f"alf/_cingulum_{kind}.json")
        for kind in ("behaviour.summary", "psychometric.fit")
    }
    for kind, its in made.items():
        check(set(its) == set(world.source), f"{kind} was made for {len(its)} of {n} sessions")
    _check_summaries(made["behaviour.summary"])
    _check_fits(made["psychometric.fit"])
    world.screen.say(f"{n} summaries and {len(FITS)} pooled psychometric fits are equal to published numbers")
    world.screen.say(_compression_of(world))


def _pictures(world: World, expected: dict[str, int]) -> Iterator[Table]:
    give_up_at = time.monotonic() + PATIENCE_S
    while True:
        jobs = [row for row in world.connection.rows("/jobs", lab=HILL) if row["subject"] == SUBJECT]
        counts = Counter((row["task"], row["state"]) for row in jobs)
        yield _picture(expected, counts)
        lost = [row for row in jobs if row["state"] in {"Errored", "Abandoned", "Incomplete"}]
        if lost:
            raise StepFailed(
                f"{lost[0]['task']} is {lost[0]['state']}: {lost[0]['why']} (cingulum logs {lost[0]['id']})"
            )
        if all(counts[task, "Complete"] == many for task, many in expected.items()):
            return
        if time.monotonic() > give_up_at:
            raise StepFailed(f"the jobs are not done within {PATIENCE_S:.0f} s (cingulum logs shows why)")
        time.sleep(0.7)


def _picture(expected: dict[str, int], counts: Counter[tuple[str, str]]) -> Table:
    table = Table("task", *STATES, "of")
    for task, many in expected.items():
        table.add_row(task, *(str(counts[task, state] or "") for state in STATES), str(many))
    return table


def _results(world: World, name: str) -> dict[str, Json]:
    """Download a result of every session; by date."""
    results = {}
    for row in world.connection.rows("/copies", repository="central", lab=HILL, state="verified"):
        path = str(row["relative_path"])
        if path.endswith(name):
            results[path.split("/")[3]] = world.connection.request("GET", f"/data/{path}").json()
    return results


def _check_summaries(summaries: dict[str, Json]) -> None:
    for date, day in DAYS.items():
        summary = summaries[date]
        check(
            summary["n_trials"] == day.n_trials,
            f"{date}: {summary['n_trials']} trials, published {day.n_trials}",
        )
        performance = summary["easy_performance"]
        check(
            abs(performance - day.easy_performance) < 1e-5,
            f"{date}: easy performance {performance}, published {day.easy_performance}",
        )


def _check_fits(fits: dict[str, Json]) -> None:
    """Compare fits of sessions pooled by their counts, as the published fits pool their trials."""
    for published in FITS:
        chosen = [fits[date] for date in published.sessions]
        curves = [
            curve
            for fit in chosen
            for curve in ([fit["all"]] if published.block is None else fit["by_block"])
            if published.block is None or curve["block"] == published.block
        ]
        block = "all" if published.block is None else f"block {published.block:.0%}"
        _compare(f"{published.sessions[0]}, {block}", curves, published.parameters)


def _compare(name: str, curves: Sequence[Json], published: Sequence[float]) -> None:
    fit = fit_psychometric(_pooled(curves))
    parameters = fit.parameters if fit else ()
    near = len(parameters) == len(published) and np.allclose(parameters, published, atol=1e-3)
    check(near, f"{name}: the fit is {parameters}, published {tuple(published)}")


def _pooled(curves: Sequence[Json]) -> ChoiceCounts:
    contrasts = np.unique(np.concatenate([curve["contrasts_percent"] for curve in curves]))
    sums = {}
    for field in ("n_trials", "n_right"):
        sums[field] = np.zeros(len(contrasts), np.int64)
        for curve in curves:
            sums[field][np.searchsorted(contrasts, curve["contrasts_percent"])] += curve[field]
    return ChoiceCounts(contrasts, sums["n_trials"], sums["n_right"])


def _compression_of(world: World) -> str:
    """A line about the compressed recording, when the compressor has read its index."""
    give_up_at = time.monotonic() + 60
    while not (
        recordings := world.connection.get("/slices", session=world.eids[DAY_OF_RECORDING])["results"]
    ):
        check(time.monotonic() < give_up_at, "the compressed recording cannot be sliced after 60 s")
        time.sleep(0.5)
    raw, small = recordings[0]["raw_bytes"], recordings[0]["compressed_bytes"]
    check(
        raw == world.recording().stat().st_size, f"the recording has {raw} bytes, not those of the original"
    )
    ratio = recordings[0]["ratio"]
    return f"{raw / 1e6:.1f} MB of voltage are {small / 1e6:.1f} MB compressed, {ratio:.2f} times smaller"
