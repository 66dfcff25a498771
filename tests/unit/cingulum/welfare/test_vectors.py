"""Our answers beside the reference's worked examples."""

import json
from pathlib import Path
from typing import Any

import pytest

from cingulum.welfare.vectors import InvalidVectors, compare, same

VECTORS = json.loads(Path(__file__).with_name("water_control_vectors.json").read_text(encoding="utf-8"))
UNKNOWN_THERE = (0, "green")


def test_policy_alyx_gives_every_output_of_the_reference() -> None:
    result = compare(VECTORS, "alyx")
    assert result.compared == 2091
    assert result.differences == ()


def test_policy_cingulum_differs_only_where_a_quirk_is_named_or_the_reference_writes_0_for_unknown() -> None:
    for difference in compare(VECTORS, "cingulum").differences:
        becomes_unknown = difference.ours in (None, "unknown") and difference.expected in UNKNOWN_THERE
        assert difference.named or becomes_unknown, difference


def _cingulum(vector: str, output: str) -> dict[str, Any]:
    differences = [
        d
        for d in compare(VECTORS, "cingulum").differences
        if d.where.startswith(vector) and d.output == output
    ]
    return {d.where.rpartition(" ")[2]: d.ours for d in differences}


@pytest.mark.parametrize(
    ("vector", "output", "ours"),
    [
        ("pub-08", "percentage_weight", 100 * 19.53 / (24.41 - 3.0)),
        ("pub-12", "weight_status", 2),
        ("pub-16", "notify_underweight", "UNKNOWN"),
        ("pub-16", "expected_water_ml", 1.0),
        ("pub-17", "notify_underweight", "WARNING"),
        ("pub-17", "expected_water_ml", 1.0),
        ("pub-19", "notify_water_due", True),
        ("pub-21", "last_weight_g", 22.21),
        ("pub-28", "zscore_weight_g", 28.4 + 1.9 * (24.41 - 27.7) / 1.7),
        ("pub-29", "weight_status", 2),
        ("pub-29", "expected_water_ml", 0.05 * 18.06),
        ("pub-29", "min_weight_g", 0.75 * 24.41),
    ],
)
def test_a_named_quirk_is_decided_for_the_animal(vector: str, output: str, ours: object) -> None:
    assert any(same(ours, answer) for answer in _cingulum(vector, output).values())


def test_an_output_we_do_not_know_counts_as_different() -> None:
    vector = json.loads(json.dumps(VECTORS["vectors"][0]))
    vector["queries"][0]["expect"]["shoe_size"] = 42
    (difference,) = compare({"vectors": [vector]}).differences
    assert (difference.output, difference.ours) == ("shoe_size", "(not known to Cingulum)")


def test_unknown_zero_and_false_are_three_different_answers() -> None:
    assert not same(0, None)
    assert not same(0, ours=False)
    assert not same(None, ours=False)
    assert same(None, None)


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        {"vectors": [{}]},
        {"vectors": 7},
        {"vectors": [{"lab": {"timezone": "Mars/Olympus"}, "queries": []}]},
        {"vectors": [{"lab": {}, "queries": [{"at": "yesterday", "expect": {}}]}]},
    ],
)
def test_a_file_of_another_format_is_refused_by_name(content: Any) -> None:
    with pytest.raises(InvalidVectors):
        compare(content)
