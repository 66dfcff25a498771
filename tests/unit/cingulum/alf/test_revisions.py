"""Which revision is meant, and what a new one is called."""

from __future__ import annotations

import datetime
import warnings
from datetime import date
from itertools import islice, pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from one.alf.exceptions import ALFWarning
from one.registration import RegistrationClient
from one.util import filter_revision_last_before
from requests import HTTPError

from cingulum.alf import (
    Known,
    RevisionNotFound,
    Rule,
    SeveralDefaults,
    choose_revision,
    folder_text,
    free_revision,
    writable_revision,
)
from cingulum.alf.revisions import revisions_of

revisions = st.sampled_from(["", "2024-01-01", "2024-01-01a", "2024-02-30", "v1", "ks2.5", "2023-12-31"])
TODAY = date(2024, 1, 2)


def shut(revision: str) -> Known:
    return Known(revision, protected=True)


def free(revision: str) -> Known:
    return Known(revision, protected=False)


def the_clients_answer(known: list[str], default: str | None, requested: str | None) -> str | None:
    paths = [f"alf/#{revision}#/a.b.npy" if revision else "alf/a.b.npy" for revision in known]
    flags = [revision == default for revision in known]
    table = pd.DataFrame({"rel_path": paths, "revision": known, "default_revision": flags})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ALFWarning)
        rows = filter_revision_last_before(table, requested)
    return None if rows.empty else str(rows["revision"].iloc[0])


@given(st.lists(revisions, min_size=1, max_size=5, unique=True), st.none() | revisions, st.none() | revisions)
def test_the_one_client_chooses_the_same(
    known: list[str], default: str | None, requested: str | None
) -> None:
    defaults = [default] if default in known and default is not None else []
    try:
        ours: str | None = choose_revision(known, requested=requested, defaults=defaults).revision
    except RevisionNotFound:
        ours = None
    assert ours == the_clients_answer(known, default, requested)


@pytest.mark.parametrize(
    ("requested", "defaults", "revision", "rule", "doubtful"),
    [
        (None, ["2024-01-01"], "2024-01-01", Rule.DEFAULT, False),
        (None, [], "2024-03-01", Rule.NEWEST, True),
        ("2024-01-01", ["2024-03-01"], "2024-01-01", Rule.EXACT, False),
        ("2024-02-01", ["2024-03-01"], "2024-01-01", Rule.BEFORE, False),
        ("", ["2024-03-01"], "", Rule.EXACT, False),
    ],
)
def test_a_choice_has_a_reason(
    requested: str | None, defaults: list[str], revision: str, rule: Rule, *, doubtful: bool
) -> None:
    choice = choose_revision(["2024-03-01", "", "2024-01-01"], requested=requested, defaults=defaults)
    assert (choice.revision, choice.rule, choice.doubtful) == (revision, rule, doubtful)
    assert choice.reason


def test_a_single_revision_raises_no_doubt() -> None:
    assert not choose_revision(["2024-01-01"]).doubtful


def test_exactly_that_revision_or_none() -> None:
    with pytest.raises(RevisionNotFound, match="there are: unrevised, '2024-01-01'"):
        choose_revision(["2024-01-01", ""], requested="2024-02-01", exact=True)
    with pytest.raises(RevisionNotFound, match="nor one before it"):
        choose_revision(["2024-01-01"], requested="2023-01-01")
    with pytest.raises(RevisionNotFound, match="no revision, not even"):
        choose_revision([])


def test_two_default_flags_are_an_error() -> None:
    with pytest.raises(SeveralDefaults, match="unrevised, 'v1'"):
        choose_revision(["", "v1", "v2"], defaults=["", "v1"])


def test_revisions_of_a_day_sort_in_the_order_of_creation() -> None:
    assert all(a < b for a, b in pairwise(islice(revisions_of(TODAY), 100)))


@given(st.sets(st.sampled_from([*islice(revisions_of(TODAY), 60), "2024-01-02foo", "2024-01-02é", "v1"])))
def test_a_free_revision_is_new_and_the_newest_of_its_day(taken: set[str]) -> None:
    new = free_revision(TODAY, taken)
    assert new not in taken
    assert all(new > other for other in taken & set(islice(revisions_of(TODAY), 60)))


CASES: list[tuple[list[Known], str, str]] = [
    ([], "", ""),
    ([free("")], "", ""),
    ([shut("")], "", "2024-01-02"),
    ([shut("2023-10-31"), shut("")], "", "2024-01-02"),
    ([free("2023-10-31"), shut("")], "", "2023-10-31"),
    ([shut(""), shut("2024-01-02")], "", "2024-01-02a"),
    ([shut("2024-01-02"), shut("2024-01-02a")], "", "2024-01-02b"),
    ([shut("2024-01-02c"), shut("")], "", "2024-01-02d"),
    ([free("byHand"), shut("")], "", "2024-01-02"),
    ([shut("2023-10-31")], "2023-10-31", "2023-10-31a"),
    ([shut("2023-10-31")], "v7", "v7"),
    ([shut("2023-10-31"), shut("2023-10-31a")], "2023-10-31", "2023-10-31b"),
]


@pytest.mark.parametrize(("known", "requested", "revision"), CASES)
def test_protected_data_are_never_rewritten(known: list[Known], requested: str, revision: str) -> None:
    choice = writable_revision(known, today=TODAY, requested=requested)
    assert choice.revision == revision
    assert shut(choice.revision) not in known
    assert choice.reason


@pytest.mark.parametrize(
    ("known", "requested", "revision"),
    [
        ([shut("byHand"), shut("2024-01-02")], "", "2024-01-02a"),
        ([free("byHand"), shut("2024-01-02")], "", "2024-01-02a"),
        ([shut("2024-01-02"), shut("2024-01-02b")], "2024-01-02", "2024-01-02c"),
    ],
)
def test_a_newer_name_is_chosen_where_the_client_would_write_protected_or_older_data(
    known: list[Known], requested: str, revision: str
) -> None:
    assert writable_revision(known, today=TODAY, requested=requested).revision == revision


class _Midday(datetime.datetime):
    @classmethod
    def today(cls) -> _Midday:
        return cls(TODAY.year, TODAY.month, TODAY.day, 12)


@pytest.mark.parametrize(("known", "requested", "revision"), [case for case in CASES if case[0]])
def test_the_one_client_moves_its_files_to_the_same_revision(
    known: list[Known], requested: str, revision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "m1/2024-01-02/001" / folder_text("alf", requested)
    folder.mkdir(parents=True)
    (folder / "a.b.npy").write_bytes(b"new")
    monkeypatch.setattr("one.registration.datetime", SimpleNamespace(datetime=_Midday))
    sent: list[dict[str, Any]] = []

    def post(_: str, data: dict[str, Any]) -> list[dict[str, Any]]:
        sent.append(dict(data))
        if data["check_protected"]:
            newest_first = [
                {revision_known.revision: revision_known.protected}
                for revision_known in sorted(known, reverse=True)
            ]
            body = {
                "status_code": 403,
                "error": "One or more datasets is protected",
                "details": [{name: newest_first} for name in data["filenames"]],
            }
            raise HTTPError(response=SimpleNamespace(json=lambda: body))
        return [{}]

    client = RegistrationClient.__new__(RegistrationClient)
    client.one = SimpleNamespace(alyx=SimpleNamespace(user="me", post=post))
    client.dtypes = [SimpleNamespace(name="a.b", filename_pattern="a.b*")]
    client.file_extensions = [".npy"]
    client.register_files([folder / "a.b.npy"])
    assert sent[-1]["filenames"] == [f"{folder_text('alf', revision)}/a.b.npy"]
