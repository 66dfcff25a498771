"""Trial summary and psychometric fit of the real sessions of mouse SWC_054."""

from __future__ import annotations

import json
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cingulum.analysis import fit_psychometric
from cingulum.analysis.psychometric import ChoiceCounts
from cingulum.worker.tasks import TaskFailed, psychometric_fit, trial_summary
from examples import ibl_sessions
from tests.unit.cingulum.worker.tasks.conftest import MakeContext

TABLE = "alf/_ibl_trials.table.pqt"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The trials table of each of the 11 sessions, by date."""
    written = ibl_sessions.write_alf(tmp_path_factory.mktemp("ibl"), "hilllab")
    return {session.date: session.path / TABLE for session in written}


def both(table: Path, make_context: MakeContext) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the two tasks make of a table, the second reading the first's output."""
    context = make_context({TABLE: table})
    trial_summary.run(context)
    summary = context.output_folder / trial_summary.OUTPUT
    psychometric_fit.run(make_context({TABLE: table, trial_summary.OUTPUT: summary}))
    fit = context.output_folder / psychometric_fit.OUTPUT
    return json.loads(summary.read_text(), parse_constant=fail), json.loads(
        fit.read_text(), parse_constant=fail
    )


def fail(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def counts(curve: dict[str, Any]) -> ChoiceCounts:
    return ChoiceCounts(
        np.array(curve["contrasts_percent"]), np.array(curve["n_trials"]), np.array(curve["n_right"])
    )


def test_the_summary_has_the_published_numbers(folders: dict[str, Path], make_context: MakeContext) -> None:
    summaries = {
        date: both(folders[date], make_context)[0] for date in ("2020-08-25", "2020-08-24", "2020-08-21")
    }
    assert [summary["n_trials"] for summary in summaries.values()] == [617, 532, 719]
    assert [round(summary["easy_performance"], 6) for summary in summaries.values()] == [
        0.914894,
        0.9,
        0.908537,
    ]


@pytest.mark.parametrize(
    ("dates", "block", "published"),
    [
        (["2020-08-25", "2020-08-24", "2020-08-21"], None, (4.0449, 21.629, 0.0191, 0.1727)),
        (["2020-09-01", "2020-08-31", "2020-08-28"], 0.2, (-2.792, 13.096, 0.053, 0.049)),
        (["2020-09-01", "2020-08-31", "2020-08-28"], 0.8, (2.610, 12.029, 0.036, 0.087)),
    ],
)
def test_the_counts_of_three_sessions_pooled_give_the_published_fit(
    folders: dict[str, Path],
    make_context: MakeContext,
    dates: list[str],
    block: float | None,
    published: tuple[float, ...],
) -> None:
    curves = []
    for date in dates:
        _, fit = both(folders[date], make_context)
        chosen = [fit["all"]] if block is None else [c for c in fit["by_block"] if c["block"] == block]
        curves += [counts(curve) for curve in chosen]
    pooled = fit_psychometric(reduce(add, curves))
    assert pooled is not None
    assert pooled.parameters == pytest.approx(published, abs=1e-3)


def test_all_sessions_are_fitted_and_hold_no_nan(folders: dict[str, Path], make_context: MakeContext) -> None:
    total = 0
    for table in folders.values():
        summary, fit = both(table, make_context)
        total += summary["n_trials"]
        assert fit["criteria_fit"]["n_trials"] == summary["n_trials"] == sum(fit["all"]["n_trials"])
        assert 10 <= fit["all"]["fit"]["threshold_percent"] <= 50
    assert total == 7844


def test_the_same_table_gives_the_same_bytes(
    folders: dict[str, Path], make_context: MakeContext, tmp_path: Path
) -> None:
    contents = set()
    for _ in range(2):
        both(folders["2020-09-01"], make_context)
        contents.add((tmp_path / "made" / psychometric_fit.OUTPUT).read_bytes())
    assert len(contents) == 1


def test_a_summary_of_another_table_is_refused(folders: dict[str, Path], make_context: MakeContext) -> None:
    other = make_context({TABLE: folders["2020-08-21"]})
    trial_summary.run(other)
    summary = other.output_folder / trial_summary.OUTPUT
    with pytest.raises(TaskFailed, match="counts 719 trials"):
        psychometric_fit.run(make_context({TABLE: folders["2020-08-24"], trial_summary.OUTPUT: summary}))


def test_a_session_without_trials_has_a_summary_too(make_context: MakeContext, tmp_path: Path) -> None:
    names = ("contrastLeft", "contrastRight", "choice", "feedbackType")
    pq.write_table(pa.table({name: np.array([], np.float64) for name in names}), tmp_path / "empty.pqt")
    summary, fit = both(tmp_path / "empty.pqt", make_context)
    assert summary["n_trials"] == 0
    assert fit["all"]["fit"] is None
