"""The welfare of subjects: their records as the welfare rules take them, and what is shown of the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from cingulum.welfare import (
    Assessment,
    History,
    Implant,
    InvalidHistory,
    LabPolicy,
    Restriction,
    Water,
    Weighing,
    assess,
    assess_many,
)
from cingulum.welfare.growth import Sex
from libs.common.problem import BadRequest
from services.metadata.domain.clock import day_of

MOST_DAYS: Final = 3_700  # ten years: no mouse lives longer
_IMPOSSIBLE = (InvalidHistory, OverflowError)  # a record that no animal, or no calendar, can have


class WeighingRecord(NamedTuple):
    """One reading of the scale."""

    date_time_at: datetime
    weight: float


class WaterRecord(NamedTuple):
    """Water that a subject got."""

    date_time_at: datetime
    water_administered: float | None
    session_id: UUID | None


class SurgeryRecord(NamedTuple):
    """A surgery, perhaps with an implant."""

    start_at: datetime | None
    implant_weight: float | None


class RestrictionRecord(NamedTuple):
    """A water restriction; without `end_at` it is open."""

    start_time: str | None
    start_at: datetime | None
    end_at: datetime | None
    reference_weight: float | None


@dataclass(frozen=True, slots=True)
class Records:
    """What was recorded of one subject, each oldest first."""

    weighings: Sequence[WeighingRecord] = ()
    waters: Sequence[WaterRecord] = ()
    surgeries: Sequence[SurgeryRecord] = ()
    restrictions: Sequence[RestrictionRecord] = ()


@dataclass(frozen=True, slots=True)
class Animal:
    """What the welfare rules need of a subject and of its lab."""

    nickname: str
    sex: Sex
    birth_date: date | None
    death_date: date | None
    timezone: str | None
    reference_weight_pct: float | None
    zscore_weight_pct: float | None

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of its lab."""
        return ZoneInfo(self.timezone or "UTC")

    @property
    def policy(self) -> LabPolicy:
        """The two fractions of its lab; none for a subject without a lab."""
        return LabPolicy(
            reference_fraction=self.reference_weight_pct or 0.0,
            growth_fraction=self.zscore_weight_pct or 0.0,
        )


@dataclass(frozen=True, slots=True)
class Standing:
    """How a subject stands now, by the names of the schemas `Subject` and `RestrictedSubject`."""

    age_weeks: int | None
    alive: bool
    last_water_restriction: str | None
    last_weighed: date | None
    reference_weight: float | None = None
    expected_water: float | None = None
    remaining_water: float | None = None
    weight: float | None = None
    expected_weight: float | None = None
    min_weight: float | None = None
    endpoint_weight: float | None = None
    percentage_weight: float | None = None
    is_water_restricted: bool = True


def history_of(animal: Animal, records: Records) -> History:
    """A subject's records as the welfare rules take them. Raises InvalidHistory.

    Implants are the surgeries whose implant weight is known; a zero is an explantation, not a gap.
    """
    return History(
        weighings=[Weighing(record.date_time_at, record.weight) for record in records.weighings],
        implants=[
            Implant(record.start_at, record.implant_weight)
            for record in records.surgeries
            if record.implant_weight is not None and record.start_at is not None
        ],
        restrictions=[
            Restriction(record.start_at, record.end_at, record.reference_weight or 0.0)
            for record in records.restrictions
            if record.start_at is not None
        ],
        water=[
            Water(record.date_time_at, record.water_administered, record.session_id is not None)
            for record in records.waters
        ],
        sex=animal.sex,
        birth_date=animal.birth_date,
        death_date=animal.death_date,
        zone=animal.zone,
        nickname=animal.nickname,
    )


def standings(
    animals: Mapping[UUID, Animal], records: Mapping[UUID, Records], now: datetime
) -> dict[UUID, Standing]:
    """How subjects stand now; numbers are None where a record is impossible for an animal."""
    assessments = _assess(animals, records, now)
    return {
        subject_id: _standing(animal, records.get(subject_id, Records()), assessments.get(subject_id), now)
        for subject_id, animal in animals.items()
    }


def _standing(animal: Animal, records: Records, assessment: Assessment | None, now: datetime) -> Standing:
    today = now.astimezone(animal.zone).date()
    known = Standing(
        age_weeks=age_weeks(animal.birth_date, animal.death_date, today),
        alive=animal.death_date is None or animal.death_date > today,
        last_water_restriction=open_since(records.restrictions),
        last_weighed=day_of(records.weighings[-1].date_time_at, animal.zone) if records.weighings else None,
    )
    if assessment is None:
        return known
    return Standing(
        age_weeks=known.age_weeks,
        alive=known.alive,
        last_water_restriction=known.last_water_restriction,
        last_weighed=known.last_weighed,
        reference_weight=assessment.reference_weight_minus_implant_g,
        expected_water=assessment.expected_water_ml,
        remaining_water=assessment.remaining_water_ml,
        weight=assessment.last_weight_g,
        expected_weight=assessment.expected_weight_g,
        min_weight=assessment.min_weight_g,
        endpoint_weight=endpoint_weight_g(assessment),
        percentage_weight=assessment.percentage_weight,
        is_water_restricted=assessment.is_water_restricted,
    )


def open_since(restrictions: Sequence[RestrictionRecord]) -> str | None:
    """The start of a subject's open water restriction, of several the last; None if all have ended.

    >>> at = datetime(2024, 3, 1)
    >>> ended = RestrictionRecord("2024-03-01T09:00:00", at, at, 20.0)
    >>> still = RestrictionRecord("2024-02-01T09:00:00", at, None, 20.0)
    >>> open_since([still, ended]), open_since([ended])
    ('2024-02-01T09:00:00', None)
    """
    starts = [record.start_time for record in restrictions if record.end_at is None]
    return starts[-1] if starts else None


def _assess(
    animals: Mapping[UUID, Animal], records: Mapping[UUID, Records], now: datetime
) -> dict[UUID, Assessment]:
    """Assess all animals of one policy in one pass."""
    by_policy: dict[LabPolicy, dict[UUID, History]] = {}
    for subject_id, animal in animals.items():
        try:
            history = history_of(animal, records.get(subject_id, Records()))
        except _IMPOSSIBLE:
            continue
        by_policy.setdefault(animal.policy, {})[subject_id] = history
    assessments: dict[UUID, Assessment] = {}
    for policy, histories in by_policy.items():
        try:
            assessments |= zip(histories, assess_many(histories.values(), now, policy), strict=True)
        except _IMPOSSIBLE:
            assessments |= _assess_each(histories, now, policy)
    return assessments


def _assess_each(
    histories: Mapping[UUID, History], now: datetime, policy: LabPolicy
) -> dict[UUID, Assessment]:
    """Assess animals one by one: an impossible record of one must not hide the needs of the others."""
    assessments = {}
    for subject_id, history in histories.items():
        try:
            assessments[subject_id] = assess(history, now, policy)
        except _IMPOSSIBLE:
            continue
    return assessments


def endpoint_weight_g(assessment: Assessment) -> float | None:
    """The weight below which the experiment must end, implant included; None if it is unknown."""
    if assessment.expected_weight_g is None:
        return None
    implant = assessment.implant_weight_g
    return assessment.endpoint_line * (assessment.expected_weight_g - implant) + implant


def age_weeks(born: date | None, died: date | None, today: date) -> int | None:
    """Whole weeks of life, which end at death; None without a birth date.

    >>> age_weeks(date(2020, 1, 1), None, date(2020, 1, 15))
    2
    """
    return None if born is None else max(0, (min(today, died or today) - born).days // 7)


def first_day(records: Records, zone: ZoneInfo) -> date | None:
    """The day of a subject's first weighing, water or restriction; None if there is none."""
    times = [weighing.date_time_at for weighing in records.weighings[:1]]
    times += [water.date_time_at for water in records.waters[:1]]
    times += [restriction.start_at for restriction in records.restrictions[:1] if restriction.start_at]
    return day_of(min(times), zone) if times else None


def days_between(first: date, last: date) -> list[date]:
    """All days of a range, both ends included. Raises BadRequest for more than a life has.

    >>> len(days_between(date(2024, 2, 28), date(2024, 3, 1)))
    3
    """
    if last - first >= timedelta(days=MOST_DAYS):
        raise BadRequest(fields={"start_date": [f"A request may cover at most {MOST_DAYS} days."]})
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]
