"""`cingulum welfare` as a person types it."""

import json
from pathlib import Path

import pytest
from typer import Typer
from typer.testing import CliRunner, Result

from cingulum.cli import welfare

VECTORS = Path(__file__).parent.parent / "welfare" / "water_control_vectors.json"
MOUSE = {
    "lab": {"reference_weight_pct": 0.85, "timezone": "America/New_York"},
    "subject": {"nickname": "KM_011", "sex": "F", "birth_date": "2024-01-05"},
    "weighings": [
        {"date_time": "2024-04-05T09:00:00", "weight_g": 24.41},
        {"date_time": "2024-04-10T21:30:00", "weight_g": 20.02},
    ],
    "water_restrictions": [
        {"start_time": "2024-04-05T09:00:00", "end_time": None, "reference_weight_g": 24.41}
    ],
}


def run(*words: object) -> Result:
    app = Typer()
    welfare.register(app)
    return CliRunner().invoke(app, ["welfare", *map(str, words)])


@pytest.fixture
def mouse(tmp_path: Path) -> Path:
    file = tmp_path / "mouse.json"
    file.write_text(json.dumps(MOUSE), encoding="utf-8")
    return file


def test_explain_shows_each_number_with_its_reason(mouse: Path) -> None:
    output = run("explain", mouse, "--at", "2024-04-10").stdout
    assert "KM_011 at 2024-04-10 23:59:59, policy cingulum" in output
    assert "82.02 %: (20.02 g − implant 0.00 g) of (24.41 g − implant 0.00 g)." in output
    assert "Water due 1.001 mL: 0.05 mL for each gram without implant." in output
    assert "WARNING: 82.02 %, line 85 %." in output


def test_times_without_offset_in_a_file_of_one_animal_are_the_labs(mouse: Path) -> None:
    assert "10 April 2024 at 21:30" in run("explain", mouse, "--at", "2024-04-10").stdout


def test_explain_takes_one_subject_of_many() -> None:
    output = run(
        "explain", VECTORS, "--at", "2024-04-09T20:00:00", "--subject", "pub_06_implant_constant"
    ).stdout
    assert output.count("policy cingulum") == 1
    assert "Reference 24.41 g from 5 April 2024, minus implant 2.93 g: 21.48 g." in output


def test_explain_lists_doubtful_values() -> None:
    output = run(
        "explain", VECTORS, "--at", "2024-04-07T12:00:00", "--subject", "pub-16-no-birth-date"
    ).stdout
    assert (
        "! The animal is restricted and its status is unknown: no birth date for the growth curve." in output
    )


def test_check_vectors_finds_no_difference_and_exits_0() -> None:
    result = run("check-vectors", VECTORS)
    assert result.exit_code == 0
    assert "0 of 2091 outputs differ under policy alyx" in result.stdout


def test_check_vectors_prints_how_many_differ_and_exits_1(tmp_path: Path) -> None:
    changed = json.loads(VECTORS.read_text(encoding="utf-8"))
    changed["vectors"][0]["queries"][0]["expect"]["expected_water_ml"] += 0.001
    file = tmp_path / "changed.json"
    file.write_text(json.dumps(changed), encoding="utf-8")
    result = run("check-vectors", file)
    assert result.exit_code == 1
    assert "1 of 2091 outputs differ" in result.stdout
    assert (
        "pub-01-healthy at 2024-04-08T10:00:00: expected_water_ml is 0.909 in the file, 0.908 here"
        in result.stdout
    )


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"vectors": [{}]}', '{"vectors": 3}'])
def test_a_file_that_cannot_be_compared_exits_2_with_a_message(tmp_path: Path, content: str) -> None:
    file = tmp_path / "odd.json"
    file.write_text(content, encoding="utf-8")
    result = run("check-vectors", file)
    assert result.exit_code == 2
    assert str(file) in result.stderr


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("nowhere.json", "--at", "2024-04-09"), "cannot be read"),
        ((VECTORS, "--at", "soon"), "not an ISO date"),
        ((VECTORS, "--at", "2024-04-09", "--subject", "nobody"), "has no subject"),
        ((VECTORS, "--at", "2024-04-09", "--policy", "hearsay"), "there is no policy"),
        ((VECTORS, "--at", "1724-04-09"), "the year"),
    ],
)
def test_explain_refuses_in_one_line(words: tuple[object, ...], why: str) -> None:
    result = run("explain", *words)
    assert result.exit_code == 2
    assert why in result.stderr


@pytest.mark.parametrize(
    ("part", "content", "why"),
    [
        ("weighings", [{"date_time": "2024-04-05T09:00", "weight_g": -3}], "weighings[0] is impossible: a weight"),
        ("weighings", [{"date_time": "2024-04-05T09:00", "weight_g": "heavy"}],
         "weighings[0].weight_g must be a number, not 'heavy'"),
        ("weighings", [{"date_time": "2024-04-05T09:00", "weight_g": float("nan")}], "weighings[0] is impossible"),
        ("weighings", [{"weight_g": 20}], "weighings[0].date_time is missing"),
        ("weighings", [{"date_time": "5 April", "weight_g": 20}], "weighings[0].date_time must be an ISO time"),
        ("weighings", [7], "weighings[0] must be an object"),
        ("water_restrictions", 7, "water_restrictions must be a list"),
        ("water_administrations", [{"date_time": "2024-04-05", "volume_ml": True}], "volume_ml must be a number"),
        ("subject", "KM_011", "subject must be an object"),
        ("subject", {"birth_date": "2023-02-29"}, "subject.birth_date must be a day such as 2024-02-29"),
        ("subject", {"sex": "male"}, "sex must be M, F or U"),
        ("lab", {"timezone": "Mars"}, "lab.timezone must be a zone such as Europe/London, not 'Mars'"),
        ("lab", {"reference_weight_pct": 85}, "lab is impossible: reference_fraction is a fraction"),
    ],
)  # fmt: skip
def test_explain_names_the_place_of_a_fault(tmp_path: Path, part: str, content: object, why: str) -> None:
    file = tmp_path / "mouse.json"
    file.write_text(json.dumps(MOUSE | {part: content}), encoding="utf-8")
    result = run("explain", file, "--at", "2024-04-10")
    assert result.exit_code == 2
    assert why in result.stderr


@pytest.mark.parametrize("content", ["7", "[1, 2]", '{"vectors": 3}', '{"vectors": [3]}'])
def test_explain_refuses_a_file_without_animals(tmp_path: Path, content: str) -> None:
    file = tmp_path / "odd.json"
    file.write_text(content, encoding="utf-8")
    result = run("explain", file, "--at", "2024-04-10")
    assert result.exit_code == 2
    assert "has neither an animal nor a list" in result.stderr


def test_an_unknown_field_is_listed_because_its_weighings_are_not_counted(tmp_path: Path) -> None:
    file = tmp_path / "mouse.json"
    file.write_text(json.dumps({**MOUSE, "wieghings": []}), encoding="utf-8")
    assert "! wieghings is ignored" in run("explain", file, "--at", "2024-04-10").stdout


def test_the_help_of_explain_has_a_file_that_it_accepts(tmp_path: Path) -> None:
    file = tmp_path / "mouse.json"
    shown = welfare.EXAMPLE
    file.write_text(shown[shown.index("{") : shown.rindex("}") + 1], encoding="utf-8")
    result = run("explain", file, "--at", "2024-04-10")
    assert result.exit_code == 0
    assert "is ignored" not in result.stdout
    assert "KM_011 at 2024-04-10" in result.stdout
    assert "water_administrations" in run("explain", "--help").stdout
