"""Paths of sessions and datasets."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cingulum.alf import (
    AlfPath,
    InvalidName,
    SessionPath,
    build_path,
    build_rel_path,
    build_session_path,
    find_session,
    parse_file_name,
    parse_folder,
    parse_path,
    parse_rel_path,
    parse_session_path,
)
from cingulum.alf.spelling import normal, why_unportable

CONVENTION = re.compile(
    r"((?P<lab>\w+)/Subjects/)?(?P<subject>[\w.-]+)/(?P<date>\d{4}-\d{2}-\d{2})/(?P<number>\d{1,3})"
    r"/((?P<collection>[\w./-]+)/)?(#(?P<revision>[\w.-]+)#/)?"
)


def is_kept(name: str) -> bool:
    """Whether a name can be on every file system, in this spelling."""
    return why_unportable(name) is None and normal(name) == name


folders = st.from_regex(r"[a-z0-9_-][a-z0-9_.-]{0,5}", fullmatch=True).filter(is_kept)
sessions = st.builds(
    SessionPath,
    lab=st.just("") | st.from_regex(r"[a-z]\w{0,5}", fullmatch=True).filter(is_kept),
    subject=folders,
    date=st.dates(date(1000, 1, 1)),
    number=st.integers(0, 999),
)
paths = st.builds(
    AlfPath,
    session=sessions,
    collection=st.lists(folders, max_size=3).map("/".join),
    revision=st.just("") | folders,
    file=st.sampled_from(["_ibl_trials.table.pqt", "spikes.times_bpod.raw.npy"]).map(parse_file_name),
)
PIECES = ["labA", "Subjects", "é", "m.1-a", ".", "..", ".m", "2024-01-02", "2024-13-02", "1", "001", "1000", "#v1#",
          "#é#", "alf", "_ibl_trials.goCue_times_bpod.x-1.npy", "spikes.times.npy", "a.b", "a.é.npy"]  # fmt: skip


@given(paths)
def test_what_is_built_is_read_back_and_read_the_same_by_the_convention(path: AlfPath) -> None:
    text = build_path(path)
    assert parse_path(text) == path
    assert parse_rel_path(build_rel_path(path.rel_path)) == path.rel_path
    convention = CONVENTION.match(text)
    assert convention
    session = path.session
    assert convention.group("lab", "subject", "date", "number", "collection", "revision") == (
        session.lab or None,
        session.subject,
        session.date.isoformat(),
        f"{session.number:03d}",
        path.collection or None,
        path.revision or None,
    )


@given(sessions, st.sampled_from(["", "/", "/mnt/data/2020", "C:\\data", "cortex-lab/Subjects"]))
def test_a_session_is_recognised_in_any_path(session: SessionPath, root: str) -> None:
    match = find_session(f"{root}/{session}/alf/spikes.times.npy")
    assert match is not None
    before, inside, after = match
    assert before == root.replace("\\", "/").rstrip("/") or (root == "/" and before == "/")
    assert inside == session
    assert after == "alf/spikes.times.npy"


@given(st.text(max_size=30) | st.text("ab/#.-_ 0", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    for parse in (parse_path, parse_rel_path, parse_session_path, parse_folder):
        with contextlib.suppress(InvalidName):
            written = str(parse(text))
            assert str(parse(written)) == written


def _read_or_refused(parse: Callable[[], AlfPath]) -> AlfPath | str:
    try:
        return parse()
    except InvalidName as refusal:
        return str(refusal)


@given(
    st.builds("/".join, st.lists(st.sampled_from(PIECES), min_size=3, max_size=9))
    | st.builds("{}/alf/{}".format, sessions, st.text("ab_.-/#é", max_size=12))
)
@example("m1/2024-02-30/001/a.b.npy")
@example("labA/Subjects/spikes.times.npy")
@example("lab/Subjects/../2024-02-03/001/a.b.npy")
@example("m1/2024-02-03/1/a/../b/#.#/_ns_a.b_times_.npy")
def test_a_whole_path_is_read_as_its_folder_and_its_name_are(text: str) -> None:
    def in_halves() -> AlfPath:
        folder, _, name = text.rpartition("/")
        return AlfPath(*parse_folder(folder), parse_file_name(name))

    assert _read_or_refused(in_halves) == _read_or_refused(lambda: parse_path(text))


@pytest.mark.parametrize(
    ("text", "part", "advice"),
    [
        ("our-lab/Subjects/m1/2024-01-02/001/a.b.npy", "lab", "did you mean `our_lab`?"),
        ("m1/2024-02-30/001/a.b.npy", "date", "2024-02-30 is not a day of the calendar"),
        ("labA/Subjects/a.b.npy", "subject", "subject missing"),
        ("m1/20240230/001/a.b.npy", "date", "'20240230' is not a date"),
        ("m1/2024-02-28/a.b.npy", "number", "session number missing"),
        ("m1/2024-02-28/1000/a.b.npy", "number", "'1000' is not a session number"),
        ("m1/2024-02-28/001/#v1#/alf/a.b.npy", "revision", "write `alf/#v1#`"),
        ("m1/2024-02-28/001/#v1#/#v2#/a.b.npy", "revision", "two revisions"),
        ("m1/2024-02-28/001/alf#v1#/a.b.npy", "revision", "did you mean `alf/#v1#`?"),
        ("m1/2024-02-28/001/#v1/a.b.npy", "revision", "did you mean `#v1#`?"),
        ("m1/2024-02-28/001/alf//a.b.npy", "path", "ends with a slash"),
        ("m1/2024-02-28/001/../a.b.npy", "collection", "would leave its folder"),
        ("../2024-02-28/001/a.b.npy", "subject", "would leave its folder"),
        ("m 1/2024-02-28/001/a.b.npy", "subject", "' ' (space)"),
        ("m1/2024-02-28/001/alf/spikes.npy", "attribute", "did you mean `spikes.times.npy`?"),
    ],
)
def test_the_advice_names_the_part_that_is_wrong(text: str, part: str, advice: str) -> None:
    with pytest.raises(InvalidName) as refusal:
        parse_path(text)
    assert refusal.value.part == part
    assert advice in str(refusal.value)


def test_number_1_and_001_are_the_same_session() -> None:
    assert parse_session_path("m1/2024-01-02/1") == parse_session_path("m1/2024-01-02/001")
    assert build_session_path(parse_session_path("m1/2024-01-02/1")) == "m1/2024-01-02/001"
    assert parse_session_path("m1/2024-01-02/1").reference == "2024-01-02_1_m1"


def test_a_part_that_holds_a_separator_is_not_built() -> None:
    with pytest.raises(InvalidName):
        build_session_path(SessionPath("", "m1/2024-01-01", date(2024, 1, 2), 1))
    with pytest.raises(InvalidName, match="other parts"):
        build_session_path(SessionPath("", "a/Subjects/m1", date(2024, 1, 2), 1))


def test_a_hyphenated_lab_folder_does_not_become_another_lab() -> None:
    match = find_session("/data/cortex-lab/Subjects/m1/2024-01-02/001")
    assert match == ("/data/cortex-lab/Subjects", SessionPath("", "m1", date(2024, 1, 2), 1), "")
