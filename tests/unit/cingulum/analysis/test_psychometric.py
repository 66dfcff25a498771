"""The psychometric fit finds IBL's published values, the same each time, and knows when it cannot know."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cingulum.analysis import (
    PLOT_BOUNDS,
    Trials,
    concatenate,
    fit_psychometric,
    psychometric_by_block,
    psychometric_curve,
    trials_from_columns,
)
from cingulum.analysis.maximum_likelihood import (
    Observed,
    erf_curve,
    gradient_and_information,
    log_likelihood,
    maximise,
)
from cingulum.analysis.psychometric import ChoiceCounts, choice_counts

IBL_CONTRASTS = np.array([-100.0, -50.0, -25.0, -12.5, -6.25, 0.0, 6.25, 12.5, 25.0, 50.0, 100.0])


def counts_of(n_trials: list[int], n_right: list[int]) -> ChoiceCounts:
    return ChoiceCounts(IBL_CONTRASTS[: len(n_trials)], np.array(n_trials), np.array(n_right))


@pytest.mark.parametrize(
    ("dates", "block", "expected"),
    [
        (["2020-08-25", "2020-08-24", "2020-08-21"], None, (4.0449, 21.629, 0.0191, 0.1727)),
        (["2020-08-26", "2020-08-25", "2020-08-24"], None, (0.8153, 11.0390, 0.0592, 0.1495)),
        (["2020-08-27", "2020-08-26", "2020-08-25"], None, (0.1534, 11.1967, 0.0455, 0.0994)),
        (["2020-09-01", "2020-08-31", "2020-08-28"], 0.2, (-2.792, 13.096, 0.053, 0.049)),
        (["2020-09-01", "2020-08-31", "2020-08-28"], 0.8, (2.610, 12.029, 0.036, 0.087)),
    ],
)
def test_three_real_sessions_pooled_give_the_published_fit(
    sessions: dict[str, Trials], dates: list[str], block: float | None, expected: tuple[float, ...]
) -> None:
    fit = psychometric_curve(concatenate([sessions[date] for date in dates]), block).fit
    assert fit is not None
    assert fit.parameters == pytest.approx(expected, abs=1e-3)


def test_the_fit_stays_within_the_bounds_of_plots(sessions: dict[str, Trials]) -> None:
    for session in sessions.values():
        fit = psychometric_curve(session, bounds=PLOT_BOUNDS).fit
        assert fit is not None
        assert -50 <= fit.bias_percent <= 50
        assert 10 <= fit.threshold_percent <= 50
        assert max(fit.lapse_low, fit.lapse_high) <= 0.2


def test_the_same_counts_give_the_same_fit_and_the_same_intervals(sessions: dict[str, Trials]) -> None:
    session = sessions["2020-08-27"]
    once, again = (psychometric_curve(session, bootstraps=200) for _ in range(2))
    assert once.fit == again.fit
    assert once.fit is not None
    assert once.fit.intervals is not None
    for name, (low, high) in once.fit.intervals.items():
        assert low <= getattr(once.fit, name) <= high


def test_the_gradient_is_the_slope_of_the_likelihood() -> None:
    n, right = np.full(11, 60.0), np.linspace(3, 57, 11)
    observed = Observed(IBL_CONTRASTS, n, right)
    at = np.array([[3.0, 25.0, 0.07, 0.12]])
    gradient, _ = gradient_and_information(at, observed)
    for i in range(4):
        step = np.zeros((1, 4))
        step[0, i] = 1e-5
        slope = (log_likelihood(at + step, observed) - log_likelihood(at - step, observed)) / 2e-5
        assert gradient[0, i] == pytest.approx(slope[0], rel=1e-5)


def test_many_trials_of_a_known_curve_give_it_back() -> None:
    truth = (5.0, 18.0, 0.04, 0.09)
    n = np.full(11, 1_000_000)
    fit = fit_psychometric(
        ChoiceCounts(IBL_CONTRASTS, n, np.round(n * erf_curve(truth, IBL_CONTRASTS)).astype(int))
    )
    assert fit is not None
    assert fit.parameters == pytest.approx(truth, abs=1e-2)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 200), st.floats(0, 1)), min_size=4, max_size=11),
    st.booleans(),
)
def test_any_counts_give_finite_parameters_no_start_can_better(
    pairs: list[tuple[int, float]], plot: bool
) -> None:
    n = [trials for trials, _ in pairs]
    counts = counts_of(n, [round(trials * share) for trials, share in pairs])
    fit = fit_psychometric(counts, PLOT_BOUNDS) if plot else fit_psychometric(counts)
    assert fit is not None
    assert np.isfinite(fit.parameters).all()
    observed = Observed(counts.contrasts_percent, counts.n_trials.astype(float), counts.n_right.astype(float))
    plain = np.array([[0.0, 20.0, 0.05, 0.05]])
    if counts.contrasts_percent[-1] >= 0:
        assert fit.log_likelihood >= log_likelihood(plain, observed)[0] - 1e-9


def test_no_random_start_ends_higher() -> None:
    rng = np.random.default_rng(11)
    lower, upper = np.array([-100, 1e-3, 0, 0]), np.array([100.0, 100, 1, 1])
    for _ in range(40):
        truth = (rng.normal(0, 10), rng.uniform(4, 40), rng.uniform(0, 0.2), rng.uniform(0, 0.2))
        n = rng.integers(1, 60, 11)
        right = rng.binomial(n, erf_curve(truth, IBL_CONTRASTS))
        fit = fit_psychometric(ChoiceCounts(IBL_CONTRASTS, n, right))
        assert fit is not None
        starts = np.column_stack(
            [rng.uniform(-100, 100, 40), 10 ** rng.uniform(-1, 2, 40), rng.random((40, 2))]
        )
        observed = Observed(IBL_CONTRASTS, n.astype(float), right.astype(float))
        _, heights = maximise(starts, observed, lower, upper)
        assert heights.max() <= fit.log_likelihood + 1e-3


def test_fewer_than_four_contrasts_have_points_but_no_fit() -> None:
    early = trials_from_columns(
        {
            "contrastLeft": [1.0, np.nan, 1.0],
            "contrastRight": [np.nan, 1.0, np.nan],
            "choice": [1, -1, -1],
            "feedbackType": [1, 1, -1],
        }
    )
    curve = psychometric_curve(early)
    assert curve.fit is None
    assert curve.p_right.tolist() == [0.5, 1.0]
    assert json.loads(json.dumps(curve.to_dict(), allow_nan=False))["fit"] is None


def test_a_session_without_trials_has_an_empty_curve() -> None:
    none = trials_from_columns({"contrastLeft": [], "contrastRight": [], "choice": [], "feedbackType": []})
    curve = psychometric_curve(none)
    assert curve.fit is None
    assert curve.to_dict()["n_trials"] == []


def test_blocks_match_although_stored_inexactly(sessions: dict[str, Trials]) -> None:
    biased = sessions["2020-09-01"]
    assert [curve.block for curve in psychometric_by_block(biased)] == [0.2, 0.5, 0.8]
    assert biased.probability_left is not None
    shifted = {name: column for name, column in biased.present().items() if name != "probability_left"}
    inexact = Trials(**shifted, probability_left=biased.probability_left - 4e-17 * 1e3)
    assert [len(curve.n_trials) for curve in psychometric_by_block(inexact)] == [9, 9, 9]


def test_a_training_session_has_no_blocks(sessions: dict[str, Trials]) -> None:
    assert psychometric_by_block(sessions["2020-08-26"]) == ()


def test_pooling_counts_equals_counting_pooled_trials(sessions: dict[str, Trials]) -> None:
    two = [sessions["2020-08-21"], sessions["2020-09-04"]]
    separate = [choice_counts(each.signed_contrast_percent, each.rightward) for each in two]
    together = concatenate(two)
    pooled = choice_counts(together.signed_contrast_percent, together.rightward)
    assert (separate[0] + separate[1]).to_dict() == pooled.to_dict()
