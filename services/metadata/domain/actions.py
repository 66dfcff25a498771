"""Rules of sessions, surgeries and water restrictions: their times, and what follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from libs.common.problem import BadRequest
from libs.common.schemas.times import AlyxTime

_WITHOUT_RECOVERY: Final = frozenset({"a", "n"})  # acute, non-recovery
MOST_NAMED: Final = 20  # of files, in a refusal
REFERENCE_WINDOW: Final = timedelta(days=7)  # how old the weighing may be that a restriction copies


def check_times(start: datetime | None, end: datetime | None) -> None:
    """Raises BadRequest for an action that ends before it starts."""
    if start and end and end < start:
        raise BadRequest(fields={"end_time": ["It ends before it starts."]})


def is_death(outcome_type: str | None, end_time: str | None, death_date: date | None) -> bool:
    """Whether a surgery is the death of its subject: an acute or non-recovery one that has ended.

    >>> is_death("n", "2024-03-05T10:00:00", None), is_death("r", "2024-03-05T10:00:00", None)
    (True, False)
    >>> is_death("n", None, None), is_death("n", "2024-03-05T10:00:00", date(2024, 3, 4))
    (False, False)
    """
    return outcome_type in _WITHOUT_RECOVERY and bool(end_time) and death_date is None


def end_at_death(
    start_time: str | None, start_at: datetime | None, death: AlyxTime
) -> tuple[str | None, datetime]:
    """The end, as text and instant, of a restriction that was open when its subject died.

    It is midnight of the day of death, or the start where that is later.
    """
    if start_at is not None and start_at > death.at:
        return start_time, start_at
    return death.text, death.at


def reference_weight_of(weight: float | None) -> float:
    """The weight that a restriction without one copies. Raises BadRequest without a recent weighing."""
    if weight is None:
        text = "No weighing in the 7 days before the start: weigh first, or send a reference weight."
        raise BadRequest(fields={"reference_weight": [text]})
    return weight


def twin_notice(n_twins: int) -> str | None:
    """The notice for a client that creates a session like another one: nothing makes subject, day and number unique.

    >>> twin_notice(1)
    '!!!1 other session(s) of this subject have the same date and number'
    """
    return f"!!!{n_twins} other session(s) of this subject have the same date and number" if n_twins else None


def taken_paths_text(count: int, names: Sequence[str]) -> str:
    """Why files cannot come to the paths of others, of which the caller can see some.

    >>> taken_paths_text(2, ["alf/a.b.npy"])[:67]
    "Other datasets have 2 of its files' paths: alf/a.b.npy and 1 more. "
    """
    shown = ", ".join(names[:MOST_NAMED])
    left = count - min(len(names), MOST_NAMED)
    more = f" and {left} more" if shown and left else ""
    named = f": {shown}{more}" if shown else ""
    return (
        f"Other datasets have {count} of its files' paths{named}. Merge sessions of one subject, day and number, or "
        "choose another number."
    )


def listed_twins_notice(n_sessions: int) -> str | None:
    """The notice for a client whose list has sessions of which there are others of that subject, day and number.

    >>> listed_twins_notice(2)
    '!!!2 of these sessions have the same subject, date and number as another one'
    """
    if not n_sessions:
        return None
    return f"!!!{n_sessions} of these sessions have the same subject, date and number as another one"
