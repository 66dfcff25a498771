"""One rule of names: parsed, registered and found on a disk in every spelling."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cingulum.alf import (
    InvalidName,
    find_session,
    is_file_name,
    name_file,
    parse_aggregate_file,
    parse_file_name,
    parse_folder,
    parse_path,
    parse_register_file,
    parse_register_path,
    parse_rel_path,
    parse_session_path,
    registered_path,
)
from cingulum.alf.spelling import find_twin, is_same_folder, name_key, normal, why_unportable

# A folder in the place of every part of a path that people name.
PLACES: tuple[tuple[str, Callable[[str], object]], ...] = (
    ("{}/2024-01-02/001", parse_session_path),
    ("lab/Subjects/{}/2024-01-02/001", parse_session_path),
    ("{}/2024-01-02/001/alf", parse_folder),
    ("m1/2024-01-02/001/{}", parse_folder),
    ("m1/2024-01-02/001/alf/{}/raw", parse_folder),
    ("m1/2024-01-02/001/alf/#{}#", parse_folder),
    ("{}/2024-01-02/001/alf/a.b.npy", parse_path),
    ("m1/2024-01-02/001/{}/a.b.npy", parse_path),
    ("m1/2024-01-02/001/#{}#/a.b.npy", parse_path),
    ("{}/a.b.npy", parse_rel_path),
    ("alf/{}/#v1#/a.b.npy", parse_rel_path),
    ("{}/2024-01-02/1", parse_register_path),
    ("m1/2024-01-02/1/{}", parse_register_path),
)


@pytest.mark.parametrize("name", [".", "..", "m1 ", " m1", "a\tb", "a\x00", "a\u200bb"])
@pytest.mark.parametrize(("place", "parse"), PLACES)
def test_a_folder_that_no_path_can_have_is_refused_everywhere(
    place: str, parse: Callable[[str], object], name: str
) -> None:
    with pytest.raises(InvalidName):
        parse(place.format(name))


@pytest.mark.parametrize("name", ["m1.", "CON", "nul", "com1.old", "raw_data.v1."])
@pytest.mark.parametrize(("place", "parse"), PLACES)
def test_an_existing_folder_is_read_although_windows_cannot_have_it(
    place: str, parse: Callable[[str], object], name: str
) -> None:
    assert name in str(parse(place.format(name)))
    assert why_unportable(name)


@pytest.mark.parametrize("name", ["aux.times.npy", "com1.raw.npy"])
def test_an_existing_file_is_read_although_windows_cannot_have_it(name: str) -> None:
    assert is_file_name(name)
    assert str(parse_path(f"m1./2024-01-02/001/alf/{name}")) == f"m1./2024-01-02/001/alf/{name}"
    assert parse_register_file("m1./2024-01-02/1/alf", name).name == name
    assert (
        registered_path(f"lab/Subjects/m1./2024-01-02/1/{name}") == f"lab/Subjects/m1./2024-01-02/001/{name}"
    )
    with pytest.raises(InvalidName, match="device"):
        name_file(*name.split("."))


@pytest.mark.parametrize("name", ["..", ".", "a.b\n.npy", "a.b.npy "])
def test_a_file_that_no_path_can_have_is_refused_everywhere(name: str) -> None:
    assert not is_file_name(name)
    for parse in (
        lambda: parse_file_name(name),
        lambda: parse_register_file("m1/2024-01-02/1", name),
        lambda: parse_aggregate_file("Subjects/lab/m1", name),
        lambda: parse_path(f"m1/2024-01-02/001/alf/{name}"),
    ):
        with pytest.raises(InvalidName):
            parse()


def test_names_that_only_look_like_devices_stay() -> None:
    path = parse_path("console/2024-01-02/001/alf/auxiliary.com1x/contrast.nullValue.npy")
    assert (path.session.subject, path.file.object) == ("console", "contrast")


@given(st.sampled_from(["Zoë", "mäuschen_1", "Å1", "ñandú"]), st.sampled_from(["NFC", "NFD"]))
def test_every_composition_of_a_name_is_that_name(name: str, form: str) -> None:
    spelled = unicodedata.normalize(form, name)  # type: ignore[arg-type]
    assert parse_session_path(f"{spelled}/2024-01-02/001").subject == name
    assert parse_register_file(f"{spelled}/2024-01-02/1/{spelled}", f"{spelled}.times.npy")[1:] == (
        name, "", f"{name}.times.npy",
    )  # fmt: skip
    assert parse_path(f"{spelled}/2024-01-02/001/a.b.npy").session.subject == name
    session = find_session(f"/mnt/{spelled}/2024-01-02/001/a.b.npy")
    assert session
    assert session[1].subject == name
    assert is_same_folder(name, spelled, is_number=False)


@given(st.text(st.characters(max_codepoint=0x24F), max_size=8))
def test_the_key_of_a_name_is_that_of_all_its_spellings(name: str) -> None:
    spellings = [unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name), name.casefold()]
    assert {name_key(spelling) for spelling in spellings} == {name_key(name)}
    assert find_twin(name, ["another", *spellings]) is not None
    assert normal(normal(name)) == normal(name)


@pytest.mark.parametrize("number", ["1", "01", "001"])
def test_a_session_number_is_the_same_in_every_spelling(number: str) -> None:
    assert parse_session_path(f"m1/2024-01-02/{number}").number == 1
    assert parse_register_path(f"m1/2024-01-02/{number}/alf").session.number == 1
    assert str(parse_path(f"m1/2024-01-02/{number}/alf/a.b.npy")) == "m1/2024-01-02/001/alf/a.b.npy"
    assert is_same_folder("001", number, is_number=True)
