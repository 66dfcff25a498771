"""Formats quantities for sentences."""

from __future__ import annotations

from datetime import datetime

from cingulum.welfare.history import History


def local_time(at: datetime, history: History) -> datetime:
    return at if at.tzinfo is None else at.astimezone(history.zone)


def day_text(at: datetime, history: History) -> str:
    local = local_time(at, history)
    return f"{local.day} {local:%B %Y}"


def grams(weight: float | None) -> str:
    return "unknown" if weight is None else f"{weight:.2f} g"


def millilitres(volume: float) -> str:
    return f"{volume:.3f} mL"


def percent(line: float) -> str:
    return f"{100 * line:g} %"
