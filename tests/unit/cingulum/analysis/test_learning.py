"""An animal's status by IBL's criteria, and a history that grows without being computed again."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cingulum.analysis import Trials, trials_from_columns
from cingulum.analysis.digest import SessionDigest, digest_session, session_kind
from cingulum.analysis.ibl import training_status
from cingulum.analysis.learning import Learning, LearningDay
from cingulum.analysis.psychometric import PLOT_BOUNDS, fit_psychometric
from examples import ibl_sessions


@pytest.fixture(scope="module")
def digests(sessions: dict[str, Trials]) -> dict[str, SessionDigest]:
    protocols = ibl_sessions.read_trials(ibl_sessions.fetch_wheel(ibl_sessions.cache_folder()))
    return {
        date: digest_session(trials, date=date, protocol=protocols[date].protocol)
        for date, trials in sessions.items()
    }


@pytest.fixture(scope="module")
def history(digests: dict[str, SessionDigest]) -> Learning:
    learning = Learning()
    for digest in digests.values():
        learning = learning.add(digest)
    return learning


@pytest.mark.parametrize(
    ("dates", "status", "following"),
    [
        (("2020-08-21", "2020-08-24", "2020-08-25"), "in training", "trained 1a"),
        (("2020-08-24", "2020-08-25", "2020-08-26"), "trained 1a", "trained 1b"),
        (("2020-08-25", "2020-08-26", "2020-08-27"), "trained 1b", "ready4ephysrig"),
        (("2020-08-27", "2020-08-28", "2020-08-31"), "trained 1b", "ready4ephysrig"),
        (("2020-08-28", "2020-08-31", "2020-09-01"), "ready4ephysrig", "ready4delay"),
    ],
)
def test_three_real_sessions_have_the_published_status(
    digests: dict[str, SessionDigest], dates: tuple[str, ...], status: str, following: str
) -> None:
    verdict = training_status([digests[date] for date in dates])
    assert verdict.status == status
    assert verdict.next is not None
    assert verdict.next.name == following
    assert verdict.next.missing


def test_one_good_session_on_an_ephys_rig_makes_ready_for_delay(digests: dict[str, SessionDigest]) -> None:
    first, second, third = (digests[date] for date in ("2020-08-31", "2020-09-02", "2020-09-03"))
    assert training_status([first, second, replace(third, on_ephys_rig=True)]).status == "ready4delay"
    # The short session of 2 September has 387 trials.
    assert training_status([first, replace(second, on_ephys_rig=True), third]).status == "trained 1b"


def test_three_sessions_on_an_ephys_rig_with_a_delay_make_ready_for_recording(
    digests: dict[str, SessionDigest],
) -> None:
    there = [replace(digests[d], on_ephys_rig=True) for d in ("2020-08-28", "2020-08-31", "2020-09-01")]
    assert training_status(there).status == "ready4delay"
    delayed = [*there[:2], replace(there[2], start_delay_s=900.0)]
    verdict = training_status(delayed)
    assert (verdict.status, verdict.next) == ("ready4recording", None)


def test_the_history_stores_when_each_status_was_reached(history: Learning) -> None:
    assert history.first_reached == {
        "in training": "2020-08-21",
        "trained 1a": "2020-08-26",
        "trained 1b": "2020-08-27",
        "ready4ephysrig": "2020-09-01",
    }


def test_sessions_may_come_in_any_order_and_twice(
    history: Learning, digests: dict[str, SessionDigest]
) -> None:
    shuffled = [list(digests.values())[i] for i in np.random.default_rng(3).permutation(len(digests))]
    learning = Learning()
    for digest in [*shuffled, shuffled[0]]:
        learning = learning.add(digest)
    assert learning.to_dict() == history.to_dict()


@pytest.mark.deep
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.integers(1, 2), st.integers(0, 10), st.booleans()),
        min_size=1,
        max_size=7,
    )
)
def test_a_history_does_not_depend_on_the_order_of_its_events(
    digests: dict[str, SessionDigest], come: list[tuple[int, int, int, bool]]
) -> None:
    """Sessions of any day, corrected later or not, in the order in which they happen to arrive."""
    known = list(digests.values())
    arriving = [
        replace(known[at], date=f"2020-10-{day:02d}", number=number, on_ephys_rig=rig)
        for day, number, at, rig in come
    ]
    grown = Learning()
    for digest in arriving:
        grown = grown.add(digest)
    lasting = {digest.key: digest for digest in arriving}
    ordered = [lasting[key] for key in sorted(lasting)]
    built = [
        LearningDay(digest, fit_psychometric(digest.counts, PLOT_BOUNDS), training_status(ordered[: at + 1]))
        for at, digest in enumerate(ordered)
    ]
    assert grown.to_dict() == Learning(tuple(built)).to_dict()


def test_a_new_session_leaves_the_others_as_they_were(
    history: Learning, digests: dict[str, SessionDigest]
) -> None:
    newest = replace(digests["2020-09-04"], date="2020-09-07")
    grown = history.add(newest)
    assert all(after is before for after, before in zip(grown.days, history.days, strict=False))
    corrected = history.add(replace(digests["2020-08-26"], protocol="corrected"))
    changed = [i for i, (a, b) in enumerate(zip(corrected.days, history.days, strict=True)) if a is not b]
    assert changed == [3, 4, 5]


def test_a_history_survives_json(history: Learning) -> None:
    text = json.dumps(history.to_dict(), allow_nan=False)
    again = Learning.from_dict(json.loads(text))
    assert again.to_dict() == history.to_dict()
    assert json.loads(text)["statuses"][-1] == "trained 1b"


def test_contrast_by_day_has_a_row_a_session(history: Learning) -> None:
    table = history.contrast_by_day
    assert table.p_right.shape == (11, 9)
    assert table.n_trials.sum() == 7844
    assert (table.p_right[:, 0] < table.p_right[:, -1]).all()


def test_a_contrast_that_was_not_shown_is_none_and_not_zero(digests: dict[str, SessionDigest]) -> None:
    early = trials_from_columns(
        {"contrastLeft": [0.5], "contrastRight": [np.nan], "choice": [1], "feedbackType": [1]}
    )
    first = digest_session(early, date="2020-08-01", protocol="trainingChoiceWorld")
    table = Learning().add(digests["2020-08-21"]).add(first).contrast_by_day.to_dict()
    assert table["contrasts_percent"][:3] == [-100.0, -50.0, -25.0]
    assert table["p_right"][0][:3] == [None, 0.0, None]
    assert table["n_trials"][0][:3] == [0, 1, 0]


def test_forty_sessions_without_getting_further_are_enough() -> None:
    nothing = trials_from_columns(
        {"contrastLeft": [1.0], "contrastRight": [np.nan], "choice": [0], "feedbackType": [-1]}
    )
    learning = Learning()
    for day in range(40):
        date = f"2021-{1 + day // 28:02d}-{1 + day % 28:02d}"
        learning = learning.add(digest_session(nothing, date=date, protocol="trainingChoiceWorld"))
    assert learning.statuses[38:] == ("in training", "untrainable")


@pytest.mark.parametrize(
    ("protocol", "kind"),
    [
        ("_iblrig_tasks_trainingChoiceWorld6.6.1", "training"),
        ("ephysChoiceWorld", "ephys"),
        ("_iblrig_tasks_advancedChoiceWorld8.0", "advanced"),
        ("rotarod", "rotarod"),
    ],
)
def test_a_protocol_names_its_kind(protocol: str, kind: str) -> None:
    assert session_kind(protocol) == kind


def test_an_empty_history_is_json_too() -> None:
    assert json.loads(json.dumps(Learning().to_dict(), allow_nan=False))["days"] == []
