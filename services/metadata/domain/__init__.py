"""Rules of metadata that need nothing but their arguments."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from cingulum.welfare import History, Implant, LabPolicy, Restriction, Water, Weighing

ZYGOSITIES: Final = {0: "-/-", 1: "+/-", 2: "+/+", 3: "+"}


def login_token(secret: str, user_id: UUID, generation: int) -> str:
    """The token that `/auth-token` answers: 40 hex digits, the same at every log-in of one generation.

    Clients of Alyx keep it in a file and expect it to stay; raising the generation revokes it.

    >>> len(login_token("secret", UUID("00000000-0000-4000-8000-000000000001"), 1))
    40
    """
    return hmac.new(secret.encode(), f"login:{user_id}:{generation}".encode(), hashlib.sha256).hexdigest()[
        :40
    ]


def token_hash(secret: str, token: str) -> str:
    """How a token is kept: hex of HMAC-SHA256 under the system's secret.

    >>> token_hash("secret", "abc") == token_hash("secret", "abc")
    True
    """
    return hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def animal_history(
    animal: Mapping[str, Any],
    weights: Iterable[Any],
    waters: Iterable[Any],
    surgeries: Iterable[Any],
    restrictions: Iterable[Any],
) -> History:
    """An animal's rows as the welfare rules read them.

    Implants are the surgeries whose implant weight is known; a zero is an explantation, not a gap.
    """
    return History(
        weighings=[Weighing(row.date_time_at, row.weight) for row in weights],
        implants=[
            Implant(row.start_at, row.implant_weight)
            for row in surgeries
            if row.implant_weight is not None and row.start_at is not None
        ],
        restrictions=[
            Restriction(row.start_at, row.end_at, row.reference_weight or 0.0)
            for row in restrictions
            if row.start_at is not None
        ],
        water=[Water(row.date_time_at, row.water_administered, row.session_id is not None) for row in waters],
        sex=animal["sex"],
        birth_date=animal["birth_date"],
        death_date=animal["death_date"],
        zone=ZoneInfo(animal["timezone"] or "UTC"),
        nickname=animal["nickname"],
    )


def lab_policy(animal: Mapping[str, Any]) -> LabPolicy:
    """The lab's two fractions; none for an animal without a lab."""
    return LabPolicy(
        reference_fraction=animal["reference_weight_pct"] or 0.0,
        growth_fraction=animal["zscore_weight_pct"] or 0.0,
    )


def age_weeks(born: date | None, died: date | None, today: date) -> int | None:
    """Whole weeks of life; it stops at death; None without a birth date.

    >>> age_weeks(date(2020, 1, 1), None, date(2020, 1, 15))
    2
    """
    return None if born is None else max(0, (min(today, died or today) - born).days // 7)
