"""What is told before a file is written."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from cingulum.nwb.facts import Facts
from cingulum.nwb.preflight import preflight
from tests.support.nwb_sessions import FACTS


def test_complete_facts_have_no_problem() -> None:
    assert preflight(FACTS) == []


@pytest.mark.parametrize(
    ("change", "slug"),
    [
        ({"start_time": None}, "no-start-time"),
        ({"start_time": datetime(2024, 5, 1, 10)}, "no-time-zone"),  # noqa: DTZ001 without zone
        ({"experimenters": ()}, "no-experimenter"),
        ({"experimenters": ("ada",)}, "experimenter-not-a-full-name"),
        ({"institution": None}, "no-institution"),
    ],
)
def test_facts_of_the_session(change: dict[str, Any], slug: str) -> None:
    assert slug in [finding.slug for finding in preflight(FACTS.model_copy(update=change))]


@pytest.mark.parametrize(
    ("change", "slug"),
    [
        ({"nickname": None}, "no-subject"),
        ({"species": None}, "no-species"),
        ({"species": "mouse"}, "species-not-binomial"),
        ({"sex": None}, "no-sex"),
        ({"age": None}, "no-age"),
        ({"age": "20 weeks"}, "age-not-iso"),
        ({"birth_date": date(2024, 6, 1)}, "born-after-session"),
    ],
)
def test_facts_of_the_subject(change: dict[str, Any], slug: str) -> None:
    facts = FACTS.model_copy(update={"subject": FACTS.subject.model_copy(update=change)})
    assert [finding.slug for finding in preflight(facts)] == [slug]


def test_blocking_findings_come_first_and_say_what_to_do() -> None:
    findings = preflight(Facts(), probes_without_histology=("probe00",))
    levels = [finding.level for finding in findings]
    assert levels == sorted(levels, key=lambda level: level != "blocking")
    assert "location-unknown" in [finding.slug for finding in findings]
    assert all(finding.sentence and finding.next_step for finding in findings)
