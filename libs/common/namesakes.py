"""A list that is filtered by a nickname of two subjects: a notice, as its rows alone do not tell them apart."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import quote

from fastapi import Response

from libs.common.db.query_parameters import NOTICE
from libs.common.filters.list_filters import ListFilters
from libs.common.schemas.ids import find_uuid
from libs.common.schemas.namesakes import Namesake

_MOST: Final = 5  # subjects in a notice
_find_labs = re.compile(r'"lab"\s*:\s*("[^"]*"|null)').findall


def filtered_nicknames(filters: ListFilters, results: str | None = None) -> Sequence[str]:
    """The nicknames of a list's filters, if no lab is filtered by, and if its page is of several labs.

    results   the JSON of the page's rows, where these show their lab
    """
    sent = filters.model_fields_set
    names = [
        name
        for field in ("nickname", "subject")
        if field in sent
        for name in getattr(filters, field) or ()
        if find_uuid(name) is None
    ]
    if not names or ("lab" in sent and getattr(filters, "lab", None)):
        return ()
    return names if results is None or len(set(_find_labs(results))) > 1 else ()


def namesakes_notice(subjects: Iterable[Namesake]) -> str | None:
    """The notice of subjects of one nickname in several labs.

    >>> namesakes_notice([Namesake(1, "KS1", "hilllab")])
    >>> namesakes_notice([Namesake(1, "KS1", "hilllab"), Namesake(2, "KS1", "coastlab")])
    "!!!'KS1' is the nickname of 2 subjects: subject=1 in hilllab, subject=2 in coastlab; name one by its id or lab"
    """
    by_name = defaultdict[str, list[Namesake]](list)
    for subject in subjects:
        by_name[subject.nickname.lower()].append(subject)
    for same in by_name.values():
        if len(same) > 1:
            shown = ", ".join(
                f"subject={each.id} in {quote(each.lab or 'no lab', safe=' ')}" for each in same[:_MOST]
            )
            name = quote(same[0].nickname, safe="")
            return f"!!!'{name}' is the nickname of {len(same)} subjects: {shown}; name one by its id or lab"
    return None


def add_namesakes_notice(response: Response, subjects: Iterable[Namesake]) -> None:
    """Add that notice to the response, behind its own."""
    if notice := namesakes_notice(subjects):
        own = response.headers.get(NOTICE)
        response.headers[NOTICE] = f"{own}; {notice}" if own else notice
