"""Parses one animal's record from JSON objects; an error contains the position of the invalid value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Final, NoReturn, TypeVar, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cingulum.welfare.growth import Sex
from cingulum.welfare.history import History, Implant, InvalidHistory, Restriction, Water, Weighing
from cingulum.welfare.policy import InvalidPolicy, LabPolicy

T = TypeVar("T")

FORMAT: Final = {
    "lab": ("reference_weight_pct", "zscore_weight_pct", "absolute_min_pct", "timezone"),
    "subject": ("nickname", "sex", "birth_date", "death_date"),
    "weighings": ("date_time", "weight_g"),
    "surgeries": ("start_time", "implant_weight_g"),
    "water_restrictions": ("start_time", "end_time", "reference_weight_g"),
    "water_administrations": ("date_time", "volume_ml", "in_session"),
}
"""Keys of a record: `lab` and `subject` are objects, the others lists of objects."""
_BESIDE: Final = ("id", "what", "queries", "quirks")


class InvalidRecord(ValueError):
    """The record does not have the format, or has an impossible value; the message contains position and value."""


class _Part:
    """One object of a record, with its position."""

    def __init__(self, part: Any, place: str) -> None:
        self.place = place
        if not isinstance(part, Mapping):
            self.refuse("", f"must be an object in braces, not {part!r}")
        self.content = part

    def refuse(self, key: str, why: str) -> NoReturn:
        raise InvalidRecord(f"{self.place}{'.' * bool(key and self.place)}{key} {why}")

    def text(self, key: str) -> str:
        value = self.content.get(key)
        if value is not None and not isinstance(value, str):
            self.refuse(key, f"must be a string, not {value!r}")
        return value or ""

    def number(self, key: str) -> float | None:
        value = self.content.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            self.refuse(key, f"must be a number, not {value!r}")
        return value

    def amount(self, key: str) -> float:
        value = self.number(key)
        return self.refuse(key, "is missing") if value is None else value

    def time(self, key: str, zone: tzinfo | None) -> datetime:
        text = self.text(key) or self.refuse(key, "is missing")
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            self.refuse(key, f"must be an ISO time such as 2024-04-05T09:00, not {text!r}")
        return at if at.tzinfo else at.replace(tzinfo=zone)

    def day(self, key: str) -> date | None:
        text = self.text(key)
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self.refuse(key, f"must be a day such as 2024-02-29, not {text!r}")

    def parts(self, key: str, make: Callable[[_Part], T]) -> list[T]:
        """The objects of a list, converted to events."""
        items = self.content.get(key) or ()
        if not isinstance(items, list | tuple):
            self.refuse(key, f"must be a list in square brackets, not {items!r}")
        return [self._event(_Part(item, f"{key}[{at}]"), make) for at, item in enumerate(items)]

    @staticmethod
    def _event(part: _Part, make: Callable[[_Part], T]) -> T:
        try:
            return make(part)
        except InvalidHistory as reason:
            part.refuse("", f"is impossible: {reason}")


def read_history(record: Mapping[str, Any], naive_zone: tzinfo | None = UTC) -> History:
    """Parse one animal's record. Times without offset are UTC, or in the lab's zone if `naive_zone` is None.

    Raises InvalidRecord with the position, such as `weighings[3].weight_g`.
    >>> weighing = {"date_time": "2024-04-05T09:00:00", "weight_g": 24.41}
    >>> read_history({"weighings": [weighing]}).weighings[0].weight_g
    24.41
    >>> read_history({"weighings": [weighing, {"date_time": "2024-04-06"}]})
    Traceback (most recent call last):
    ...
    cingulum.welfare.records.InvalidRecord: weighings[1].weight_g is missing
    """
    whole = _Part(record, "")
    subject, zone = _Part(whole.content.get("subject") or {}, "subject"), _zone(whole)
    born, died, sex = subject.day("birth_date"), subject.day("death_date"), subject.text("sex") or "U"

    def time(part: _Part, key: str) -> datetime:
        return part.time(key, naive_zone)

    def restriction(part: _Part) -> Restriction:
        end = time(part, "end_time") if part.text("end_time") else None
        return Restriction(time(part, "start_time"), end, part.number("reference_weight_g") or 0.0)

    def water(part: _Part) -> Water:
        return Water(time(part, "date_time"), part.number("volume_ml"), bool(part.content.get("in_session")))

    implants = whole.parts(
        "surgeries",
        lambda part: (
            None
            if part.number("implant_weight_g") is None
            else Implant(time(part, "start_time"), part.amount("implant_weight_g"))
        ),
    )
    try:
        return History(
            weighings=whole.parts(
                "weighings", lambda part: Weighing(time(part, "date_time"), part.amount("weight_g"))
            ),
            implants=[implant for implant in implants if implant is not None],
            restrictions=whole.parts("water_restrictions", restriction),
            water=whole.parts("water_administrations", water),
            sex=cast("Sex", sex),  # History refuses any other text
            birth_date=born,
            death_date=died,
            zone=zone,
            nickname=subject.text("nickname"),
        )
    except InvalidHistory as reason:
        subject.refuse("", f"is impossible: {reason}")


def read_lab(lab: Mapping[str, Any]) -> LabPolicy:
    """A lab's fractions by the names of the format; a missing floor is 0.75, as in Alyx.

    Raises InvalidRecord.
    >>> read_lab({"reference_weight_pct": 0.85}).lab_line
    0.85
    """
    part = _Part(lab, "lab")
    floor = part.number("absolute_min_pct")
    try:
        return LabPolicy(
            reference_fraction=part.number("reference_weight_pct") or 0.0,
            growth_fraction=part.number("zscore_weight_pct") or 0.0,
            floor_fraction=0.75 if floor is None else floor,
        )
    except InvalidPolicy as reason:
        part.refuse("", f"is impossible: {reason}")


def unread(record: Mapping[str, Any]) -> list[str]:
    """Unknown keys of a record, so that a typo does not drop weighings silently.

    >>> unread({"wieghings": [], "weighings": [{"date_time": "2024-04-05", "weight_g": 20, "who": "KM"}]})
    ['weighings[0].who', 'wieghings']
    """
    unknown = [key for key in record if key not in FORMAT and key not in _BESIDE]
    for key, known in FORMAT.items():
        content = record.get(key) or ()
        parts = [(key, content)] if isinstance(content, Mapping) else _numbered(key, content)
        unknown += [f"{place}.{name}" for place, part in parts for name in part if name not in known]
    return sorted(unknown)


def _numbered(key: str, content: Any) -> list[tuple[str, Mapping[str, Any]]]:
    return [(f"{key}[{at}]", part) for at, part in enumerate(content) if isinstance(part, Mapping)]


def _zone(whole: _Part) -> tzinfo:
    lab = _Part(whole.content.get("lab") or {}, "lab")
    name = lab.text("timezone") or "UTC"
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        lab.refuse("timezone", f"must be a zone such as Europe/London, not {name!r}")
