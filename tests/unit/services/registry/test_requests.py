"""Parsing of registration requests: files, folders of objects, dataset types."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from cingulum.alf import DatasetTypes
from libs.common.problem import BadRequest
from libs.common.schemas.files.registration import RegisterFiles
from services.registry.domain.requests import (
    RequestedFile,
    check_below,
    folders_of_object,
    match_kinds,
    parse_files,
    parse_session_path,
)

PATH = "m1/2024-01-02/001"


def a_request(*filenames: str, **values: Any) -> RegisterFiles:
    return RegisterFiles.model_validate({"path": PATH, "filenames": [*filenames], **values})


def test_the_session_is_in_the_path() -> None:
    session = parse_session_path(a_request("a.b.npy"))
    assert (session.subject, str(session.date), session.number) == ("m1", "2024-01-02", 1)


def test_a_path_without_a_session_is_refused_by_field() -> None:
    with pytest.raises(BadRequest) as refusal:
        parse_session_path(a_request("a.b.npy", path="m1"))
    assert list(refusal.value.fields) == ["path"]


def test_a_file_has_the_collection_and_revision_of_its_folder() -> None:
    (file,) = parse_files(a_request("alf/#2020-01-01#/spikes.times.npy"))
    assert file.key == ("alf", "2020-01-01", "spikes.times.npy")


def test_each_file_has_its_own_hash_and_size_in_order() -> None:
    files = parse_files(a_request("a.b.npy", "a.c.npy", hashes=["a" * 32, None], filesizes=[1, 2]))
    assert [(file.md5, file.size_bytes) for file in files] == [("a" * 32, 1), (None, 2)]


def test_a_single_value_is_for_all_files() -> None:
    files = parse_files(a_request("a.b.npy", "a.c.npy", versions=["1.0"], qc=["PASS"]))
    assert [(file.software_version, file.qc) for file in files] == [("1.0", 10), ("1.0", 10)]


@pytest.mark.parametrize(
    ("filenames", "values", "field"),
    [
        ([], {}, "filenames"),
        (["a.b.npy", "a.b.npy"], {}, "filenames"),
        (["../a.b.npy"], {}, "filenames"),
        (["a.b.npy", "a.c.npy", "a.d.npy"], {"filesizes": [1, 2]}, "filesizes"),
        (["a.b.npy"], {"path": "m1"}, "path"),
    ],
)
def test_an_invalid_request_is_refused_by_field(
    filenames: list[str], values: dict[str, Any], field: str
) -> None:
    with pytest.raises(BadRequest) as refusal:
        parse_files(a_request(*filenames, **values))
    assert list(refusal.value.fields) == [field]


OBJECT_ID = UUID(int=1)


def test_files_of_an_object_are_in_the_folder_of_its_name_or_id() -> None:
    assert folders_of_object("lab", "hilllab", OBJECT_ID)[:2] == ("Labs/hilllab", f"Labs/{OBJECT_ID}")
    assert folders_of_object("tag", None, OBJECT_ID) == (f"Tags/{OBJECT_ID}", f"Tag/{OBJECT_ID}")


@pytest.mark.parametrize("collection", ["Subjects/a/m1", "Subjects/a/m1/x"])
def test_a_file_in_the_folder_or_below_it_is_accepted(collection: str) -> None:
    check_below([RequestedFile(collection, "", "t.pqt")], ["Subjects/a/m1"])


@pytest.mark.parametrize("collection", ["Subjects/a", "Subjects/a/m10", ""])
def test_a_file_outside_the_folder_is_refused(collection: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        check_below([RequestedFile(collection, "", "t.pqt")], ["Subjects/a/m1"])
    assert list(refusal.value.fields) == ["path"]


def test_without_folders_a_file_may_be_anywhere() -> None:
    check_below([RequestedFile("anywhere", "", "t.pqt")], [])


def test_the_type_and_format_follow_from_the_name() -> None:
    types = DatasetTypes([("spikes.times", ""), ("video", "*camera*.mp4")])
    files = [RequestedFile("alf", "", "spikes.times.npy"), RequestedFile("", "", "left_camera.raw.mp4")]
    assert match_kinds(files, types, [".npy", ".mp4"]) == [("spikes.times", ".npy"), ("video", ".mp4")]


@pytest.mark.parametrize("name", ["spikes.amps.npy", "spikes.times.xyz"])
def test_a_file_of_no_type_or_format_is_refused(name: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        match_kinds([RequestedFile("alf", "", name)], DatasetTypes([("spikes.times", "")]), [".npy"])
    assert list(refusal.value.fields) == ["filenames"]
