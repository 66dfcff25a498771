"""Memberships of users in labs."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.times import Day


class Membership(Record):
    """A person's time in a lab; no end means still."""

    id: UUID
    user: str
    lab: str
    role: str
    start_date: date
    end_date: date | None


class MembershipIn(BodyRecord):
    """A membership to create."""

    user: str
    lab: str
    role: str = ""
    start_date: Day
    end_date: Day | None = None
