"""The welfare numbers of subjects are those of the welfare rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from cingulum.welfare import Assessment, History, LabPolicy, Restriction, Water, Weighing, assess
from tests.support.labs import Labs

pytestmark = pytest.mark.asyncio(loop_scope="module")
ZONE = ZoneInfo("Europe/London")


@dataclass(frozen=True)
class Restricted:
    """A subject on its own page, in the list of restricted ones, and as the rules assess it."""

    subject: dict[str, Any]
    listed: dict[str, Any]
    assessment: Assessment
    restricted_since: str


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def restricted(shared_labs: Labs) -> Restricted:
    """KS001, restricted for five days, lighter since yesterday, with water today."""
    await shared_labs.metadata.patch("/labs/hilllab", {"reference_weight_pct": 0.85})
    await shared_labs.animal("KS001", sex="M", birth_date="2024-01-01")
    now = datetime.now(ZONE).replace(microsecond=0, tzinfo=None)
    first, last = (now - timedelta(days=n) for n in (5, 1))
    for time, weight in ((first, 25.0), (last, 20.0)):
        await shared_labs.post("/weighings", subject="KS001", weight=weight, date_time=time.isoformat())
    created = await shared_labs.post("/water-restriction", subject="KS001", start_time=first.isoformat())
    assert created["reference_weight"] == 25.0
    await shared_labs.post("/water-administrations", subject="KS001", water_administered=0.4)
    ada = shared_labs.as_("ada")
    subject = (await ada.get("/subjects/KS001")).json()
    [listed] = (await ada.get("/water-restricted-subjects")).json()["results"]
    history = History(
        weighings=[Weighing(first.replace(tzinfo=ZONE), 25.0), Weighing(last.replace(tzinfo=ZONE), 20.0)],
        restrictions=[Restriction(first.replace(tzinfo=ZONE), None, 25.0)],
        water=[Water(now.replace(tzinfo=ZONE), 0.4, in_session=False)],
        sex="M",
        birth_date=date(2024, 1, 1),
        zone=ZONE,
    )
    assessment = assess(history, datetime.now(UTC), LabPolicy(reference_fraction=0.85))
    return Restricted(subject, listed, assessment, first.isoformat())


async def test_a_subject_shows_its_water_and_reference_weight(restricted: Restricted) -> None:
    subject, assessment = restricted.subject, restricted.assessment
    assert subject["reference_weight"] == assessment.reference_weighing_g == 25.0
    assert subject["expected_water"] == pytest.approx(assessment.expected_water_ml)
    assert subject["remaining_water"] == pytest.approx(assessment.remaining_water_ml)
    assert subject["last_water_restriction"] == restricted.restricted_since


async def test_a_subject_shows_its_weighings_newest_first(restricted: Restricted) -> None:
    assert [row["weight"] for row in restricted.subject["weighings"]] == [20.0, 25.0]


async def test_a_restricted_subject_is_listed_with_the_lines_of_its_lab(restricted: Restricted) -> None:
    listed, assessment = restricted.listed, restricted.assessment
    assert listed["expected_water"] == restricted.subject["expected_water"]
    assert (listed["reference_weight_pct"], listed["zscore_weight_pct"]) == (0.85, 0.0)
    assert listed["last_weighed"] == restricted.subject["weighings"][0]["date_time"][:10]
    assert (listed["weight"], listed["min_weight"]) == (assessment.last_weight_g, assessment.min_weight_g)
    assert listed["percentage_weight"] == pytest.approx(assessment.percentage_weight)


async def test_a_subject_that_was_never_weighed_is_unknown_and_not_zero(
    shared_labs: Labs, nickname: str
) -> None:
    subject = await shared_labs.animal(nickname)
    assert [subject[name] for name in ("reference_weight", "expected_water", "remaining_water")] == [None] * 3
