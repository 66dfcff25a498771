"""Performance, reaction times and the summary of a session."""

from __future__ import annotations

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cingulum.analysis import (
    Trials,
    chronometry,
    concatenate,
    performance_by_contrast,
    trial_summary,
    trials_from_columns,
    trials_from_parquet,
)
from cingulum.analysis.behaviour import running_median
from cingulum.analysis.session import analyse_behaviour
from cingulum.analysis.trials import ImpossibleValues, MissingColumns, UnequalColumns, in_block

NAN = float("nan")
CONTRAST = st.sampled_from([NAN, 0.0, 0.0625, 0.125, 0.25, 1.0])
TIME = st.one_of(st.just(NAN), st.floats(0, 5000), st.floats())


def a_table(**columns: list[float]) -> dict[str, list[float]]:
    plain = {
        "contrastLeft": [1.0, np.nan, 0.0, np.nan],
        "contrastRight": [np.nan, 0.5, np.nan, 0.0],
        "choice": [1.0, 1.0, -1.0, 0.0],
        "feedbackType": [1.0, -1.0, 1.0, -1.0],
    }
    return plain | columns


@pytest.mark.parametrize(
    ("dates", "easy", "n_trials", "reaction_s"),
    [
        (["2020-08-25", "2020-08-24", "2020-08-21"], [0.914894, 0.9, 0.908537], [617, 532, 719], 0.83655),
        (
            ["2020-08-27", "2020-08-26", "2020-08-25"],
            [0.978723, 0.960938, 0.914894],
            [471, 752, 617],
            0.77255,
        ),
        (["2020-09-01", "2020-08-31", "2020-08-28"], None, [1104, 626, 967], 0.3736),
    ],
)
def test_real_sessions_give_the_published_numbers(
    sessions: dict[str, Trials],
    dates: list[str],
    easy: list[float] | None,
    n_trials: list[int],
    reaction_s: float,
) -> None:
    summaries = [trial_summary(sessions[date]) for date in dates]
    assert [summary.n_trials for summary in summaries] == n_trials
    if easy:
        assert [summary.easy_performance for summary in summaries] == pytest.approx(easy, abs=1e-3)
    pooled = trial_summary(concatenate([sessions[date] for date in dates]))
    assert pooled.zero_contrast_reaction_time_s == pytest.approx(reaction_s, abs=1e-3)


def test_a_summary_is_json_without_nan(sessions: dict[str, Trials]) -> None:
    for session in sessions.values():
        text = json.dumps(trial_summary(session).to_dict(), allow_nan=False)
        assert json.loads(text)["n_trials"] == len(session)


def test_values_that_a_table_lacks_are_none() -> None:
    summary = trial_summary(trials_from_columns(a_table()))
    assert summary.median_reaction_time_s is None
    assert summary.duration_s is None
    assert summary.reward_total_ml is None
    assert summary.n_trials_by_block == {}
    assert (summary.n_trials, summary.n_no_answer, summary.n_zero_contrast) == (4, 1, 2)


def test_no_trials_at_all_have_no_performance() -> None:
    summary = trial_summary(trials_from_columns({name: [] for name in a_table()}))
    assert (summary.n_trials, summary.performance, summary.easy_performance) == (0, None, None)


def test_reward_and_duration_come_from_their_columns() -> None:
    columns = a_table(
        rewardVolume=[3.0, 0.0, 3.0, np.nan],
        intervals_0=[0.0, 5.0, 9.0, 12.0],
        intervals_1=[4.0, 8.0, 11.0, 15.5],
    )
    summary = trial_summary(trials_from_columns(columns))
    assert summary.reward_total_ml == pytest.approx(0.006)
    assert summary.duration_s == 15.5


def test_the_go_cue_replaces_a_missing_stimulus_time() -> None:
    columns = a_table(
        response_times=[1.0, 2.0, 3.0, np.nan],
        stimOn_times=[0.5, np.nan, 2.8, 3.0],
        goCueTrigger_times=[0.6, 1.75, 2.9, 3.1],
    )
    times = trials_from_columns(columns).reaction_times_s
    np.testing.assert_allclose(times, [0.5, 0.25, 0.2, np.nan])


def test_chronometry_gives_the_median_at_each_contrast() -> None:
    curve = chronometry([-25, -25, -25, 0, 100], [0.2, 0.4, 0.9, np.nan, 0.3])
    assert curve.contrasts_percent.tolist() == [-25, 0, 100]
    assert curve.to_dict()["median_s"] == [0.4, None, 0.3]
    assert curve.n_trials.tolist() == [3, 0, 1]


def test_performance_is_counted_at_each_contrast() -> None:
    curve = performance_by_contrast(trials_from_columns(a_table()))
    assert curve.contrasts_percent.tolist() == [-100, 0, 50]
    assert curve.p_correct.tolist() == [1.0, 0.5, 0.0]
    assert (curve.p_low <= curve.p_correct).all()


def test_a_parquet_table_reads_as_its_columns() -> None:
    sink = io.BytesIO()
    pq.write_table(pa.table(a_table() | {"other": [0.0] * 4}), sink)
    trials = trials_from_parquet(sink.getvalue())
    assert trials.signed_contrast_percent.tolist() == [-100, 50, 0, 0]
    assert trials.choice.dtype == np.int64


def test_the_error_of_a_table_without_choices_lists_the_missing_columns() -> None:
    with pytest.raises(MissingColumns, match="choice, feedbackType"):
        trials_from_columns({"contrastLeft": [1.0], "contrastRight": [np.nan]})


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("choice", [1.0, 7.0, -1.0, 0.0], "choice is 7 on trial 2: it is -1 for right"),
        ("feedbackType", [3.0, 1.0, 1.0, 1.0], "feedbackType is 3 on trial 1"),
        ("contrastRight", [0.0, 0.0, 0.0, 12.5], "contrastRight is 12.5 on trial 4: it is a fraction"),
        ("probabilityLeft", [0.5, -0.1, 0.5, 0.5], "probabilityLeft is -0.1 on trial 2"),
        ("response_times", ["soon"] * 4, "response_times contains a value that is not a number"),
    ],
)
def test_what_no_trial_can_have_is_refused_with_its_place(
    column: str, values: list[float], message: str
) -> None:
    with pytest.raises(ImpossibleValues, match=message):
        trials_from_columns(a_table(**{column: values}))


def test_an_infinite_time_is_an_unknown_one() -> None:
    trials = trials_from_columns(a_table(stimOn_times=[1.0] * 4, response_times=[np.inf, -np.inf, 9.0, 10.0]))
    assert np.isnan(trials.reaction_times_s).tolist()[:2] == [True, True]


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(UnequalColumns):
        trials_from_columns(a_table(choice=[1.0]))


def test_a_block_matches_within_a_hundredth() -> None:
    assert in_block([0.19999999999999996, 0.25, 0.2], 0.2).tolist() == [True, False, True]


@settings(max_examples=60)
@given(st.lists(st.one_of(st.floats(0, 100), st.just(float("nan"))), max_size=40), st.integers(1, 12))
def test_a_running_median_is_the_median_of_the_last_values(values: list[float], window: int) -> None:
    medians = running_median(values, window)
    for i, median in enumerate(medians):
        last = np.array(values[max(0, i - window + 1) : i + 1])
        known = last[~np.isnan(last)]
        assert median == pytest.approx(np.median(known)) if known.size else np.isnan(median)


def test_a_missing_choice_counts_as_no_answer_without_reward() -> None:
    trials = trials_from_columns(
        a_table(choice=[1.0, np.nan, -1.0, 0.0], feedbackType=[1.0, np.nan, 1.0, -1.0])
    )
    summary = trial_summary(trials)
    assert (summary.n_no_answer, summary.n_correct) == (2, 2)


@settings(max_examples=80)
@given(
    st.lists(
        st.tuples(CONTRAST, CONTRAST, st.sampled_from([-1.0, 0.0, 1.0]), st.booleans(), TIME, TIME),
        max_size=30,
    )
)
def test_any_table_gives_a_summary_that_is_json(
    rows: list[tuple[float, float, float, bool, float, float]],
) -> None:
    names = ("contrastLeft", "contrastRight", "choice", "feedbackType", "stimOn_times", "response_times")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True)) if rows else dict.fromkeys(names, ())
    trials = trials_from_columns(
        {name: np.array(column, dtype=np.float64) for name, column in columns.items()}
    )
    behaviour = analyse_behaviour(trials).to_dict()
    json.dumps(behaviour, allow_nan=False)
    assert behaviour["summary"]["n_trials"] == len(rows)
    assert behaviour["summary"]["performance"] is None or 0 <= behaviour["summary"]["performance"] <= 1
