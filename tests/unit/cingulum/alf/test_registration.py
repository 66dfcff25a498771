"""The paths of a register-file request."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cingulum.alf import InvalidName, parse_aggregate_file, parse_register_file, parse_register_path


@pytest.mark.parametrize(
    "text",
    ["m1/2024-01-02/001/alf/#v1#", "\\m1\\2024-01-02\\1\\alf\\#v1#\\", "//m1//2024-01-02/01/alf///#v1#/"],
)
def test_slashes_are_cleaned_and_the_number_is_padded(text: str) -> None:
    assert str(parse_register_path(text)) == "m1/2024-01-02/001/alf/#v1#"


def test_folders_of_path_and_file_name_are_joined() -> None:
    file = parse_register_file("m1/2024-01-02/1/alf", "probe00\\#v1#/spikes.times.npy")
    assert (file.collection, file.revision, file.name) == ("alf/probe00", "v1", "spikes.times.npy")


@pytest.mark.parametrize(
    ("path", "filename", "message"),
    [
        ("m1/2024-01-02/001/alf/with space", "a.b.npy", "holds ' ' (space)"),
        ("m1/2024-01-02/001/alf", "probe:0/a.b.npy", "holds ':' (colon)"),
        ("m1/2024-01-02/001/#v1#", "alf/a.b.npy", "below revision '#v1#'"),
        ("m1/2024-01-02/001/#v1#", "#v2#/a.b.npy", "two revisions"),
        ("m1/2024-01-02/001", "a b.c.npy", "holds ' ' (space)"),
        ("m1/2024-01-02/001", "../a.b.npy", "would leave its folder"),
        ("m1/2024-01-02/001", "alf/..", "file name missing"),
        ("m1/2024-01-02/001", "", "file name missing"),
        ("m1/2024-01-02/001", "a" * 256, "longer than 255 bytes"),
        ("m1/2024-01-02", "a.b.npy", "session number missing"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_cut_off(path: str, filename: str, message: str) -> None:
    with pytest.raises(InvalidName) as refusal:
        parse_register_file(path, filename)
    assert message in str(refusal.value)


def test_a_file_of_no_session_keeps_its_whole_folder_as_collection() -> None:
    assert parse_aggregate_file("/Subjects/labA/m1", "x/trials.table.pqt") == (
        "Subjects/labA/m1/x",
        "",
        "trials.table.pqt",
    )


@given(st.text("m1/\\#2024-0. ~é", max_size=40), st.text("a.b/#\\ ", max_size=10))
def test_any_request_is_read_whole_or_refused(path: str, filename: str) -> None:
    with contextlib.suppress(InvalidName):
        file = parse_register_file(path, filename)
        assert filename.replace("\\", "/").endswith(file.name)
