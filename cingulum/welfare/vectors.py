"""Worked examples as files: the format of `water_control_vectors.json`, and how our results differ from it.

Values in, values out: the command line reads the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cingulum.genetics import Policy, Zygosity, ZygosityRule, zygosity_from_parents, zygosity_from_tests
from cingulum.welfare.assess import assess
from cingulum.welfare.policy import rules_of
from cingulum.welfare.records import InvalidRecord, read_history, read_lab

TOLERANCE: Final = 1e-6


class InvalidVectors(ValueError):
    """The file does not have the format of vectors; the message contains the position."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One output that differs from the file; `where` names the vector and moment, or the case."""

    where: str
    output: str
    expected: object
    ours: object
    named: bool
    """Whether the file names a quirk there, so that `policy="cingulum"` may differ."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How many outputs were compared, and those that differ."""

    compared: int
    differences: tuple[Difference, ...]


def compare(vectors: Mapping[str, Any], policy: str = "alyx") -> Comparison:
    """Compare every output of a vectors file with ours under this policy, zygosity included; numbers to 1e-6.

    An output that Cingulum does not know counts as different. Raises InvalidVectors.

    >>> cases = [{"mother": "+/+", "father": "+/+", "child": "+/+"}]
    >>> compare({"zygosity": {"from_parents": cases}})
    Comparison(compared=1, differences=())
    """
    if not isinstance(vectors, Mapping) or not ("vectors" in vectors or "zygosity" in vectors):
        raise InvalidVectors("the file has neither `vectors` nor `zygosity`")
    rules_of(policy)
    try:
        pairs = [*_water(vectors.get("vectors", ()), policy), *_zygosity(vectors.get("zygosity", {}), policy)]
    except InvalidRecord as reason:
        raise InvalidVectors(str(reason)) from reason
    except (KeyError, TypeError, AttributeError) as reason:
        raise InvalidVectors(
            f"the file is not of the vectors' format: {type(reason).__name__} {reason}"
        ) from reason
    return Comparison(len(pairs), tuple(pair for pair in pairs if not same(pair.expected, pair.ours)))


def same(expected: object, ours: object) -> bool:
    """Whether two outputs agree: numbers within 1e-6, everything else exactly, and None only with None.

    >>> same(1, 1.0000001), same(0, None), same(0, False)
    (True, False, False)
    """
    if isinstance(expected, bool) or isinstance(ours, bool):
        return expected is ours
    if isinstance(expected, int | float) and isinstance(ours, int | float):
        return abs(expected - ours) <= TOLERANCE
    return expected == ours


def _water(vectors: Sequence[Mapping[str, Any]], policy: str) -> Iterator[Difference]:
    for vector in vectors:
        history, lab = read_history(vector), read_lab(vector["lab"])
        named = bool(vector.get("quirks"))
        for query in vector["queries"]:
            ours = assess(history, _time(query["at"]), lab, policy)
            for output, expected in query["expect"].items():
                value = getattr(ours, output, "(not known to Cingulum)")
                yield Difference(f"{vector['id']} at {query['at']}", output, expected, value, named)


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as reason:
        raise InvalidVectors(f"{text!r} is not an ISO time") from reason


def _zygosity(section: Mapping[str, Any], policy: str) -> Iterator[Difference]:
    reading: Policy = "alyx" if policy == "alyx" else "cingulum"
    named = bool(section.get("quirks"))
    rule_sets = {
        name: [_rule(rule) for rule in rules] for name, rules in section.get("rule_sets", {}).items()
    }
    for case in section.get("from_tests", ()):
        called = zygosity_from_tests(rule_sets[case["rule_set"]], case["tests"], reading)
        where = f"zygosity from tests {case['rule_set']} {case['tests']}"
        yield Difference(where, "zygosity", case["zygosity"], _symbol(called.zygosity), named)
    for case in section.get("from_parents", ()):
        mother, father = (
            None if case[parent] is None else Zygosity(case[parent]) for parent in ("mother", "father")
        )
        called = zygosity_from_parents(mother, father, reading)
        where = f"zygosity from mother {case['mother']}, father {case['father']}"
        yield Difference(where, "child", case["child"], _symbol(called.zygosity), named)


def _rule(rule: Mapping[str, Any]) -> ZygosityRule:
    return ZygosityRule(
        rule["probe0"], rule["result0"], Zygosity(rule["zygosity"]), rule.get("probe1"), rule.get("result1")
    )


def _symbol(zygosity: Zygosity | None) -> str | None:
    return None if zygosity is None else str(zygosity)
