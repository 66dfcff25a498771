"""Rules of water that subjects get."""

from __future__ import annotations

from datetime import date

from libs.common.problem import BadRequest


def check_alive(nickname: str, death_date: date | None, day: date) -> None:
    """Raises BadRequest for water on a day after the subject's death.

    >>> check_alive("KS001", date(2024, 3, 5), date(2024, 3, 5))
    """
    if death_date and day > death_date:
        raise BadRequest(fields={"date_time": [f"'{nickname}' died on {death_date}."]})
