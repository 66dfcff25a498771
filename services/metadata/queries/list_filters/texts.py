"""Free text: sessions and subjects by the words of their own texts, of their notes, and of the names they show."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TSQUERY

from libs.common.db.conditions import Condition
from libs.common.filters.parameters import Parsed
from libs.common.schemas.states import ContentType
from services.metadata.models import (
    ActionRow,
    ActionUserRow,
    LabRow,
    LocationRow,
    NoteRow,
    SubjectRow,
    UserRow,
)
from services.metadata.models.texts import (
    CONFIGURATION,
    NOTE_WORDS,
    SESSION_WORDS,
    SIGNS,
    SPACES,
    SUBJECT_WORDS,
    words_of,
)

MOST_TERMS: Final = 10  # each is looked for in every kind of text
LONGEST: Final = 200
TERMS: Final = (
    'Words, "phrases" and -excluded words, all of which have to match; a beginning of a word is enough'
)
_TERM: Final = re.compile(r'(?P<minus>(?<!\S)-)?(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))')


@dataclass(frozen=True)
class Term:
    """A word, or words in this order; the last one may be the beginning of a word."""

    text: str
    is_excluded: bool = False


def parse_terms(text: str) -> tuple[Term, ...]:
    """The terms of a search. Raises ValueError.

    >>> [term.text for term in parse_terms('lick "left wheel" spikes.times')]
    ['lick', 'left wheel', 'spikes.times']
    >>> parse_terms('-habituation')
    (Term(text='habituation', is_excluded=True),)
    """
    if len(text) > LONGEST or "\0" in text:
        raise ValueError(f"A search has at most {LONGEST} characters, none of which is null.")
    every = [
        Term(match["phrase"] or match["word"] or "", bool(match["minus"])) for match in _TERM.finditer(text)
    ]
    terms = tuple(term for term in every if any(map(str.isalnum, term.text)))
    if not terms:
        raise ValueError(f"{text!r} has no word.")
    if len(terms) > MOST_TERMS:
        raise ValueError(f"A search has at most {MOST_TERMS} words and phrases, not {len(terms)}.")
    return terms


SearchTerms = Annotated[tuple[Term, ...], Parsed(parse_terms)]
_SelectIds = Callable[[sa.ColumnElement[Any]], sa.CompoundSelect[Any]]


def has_session_terms(terms: Sequence[Term]) -> Condition:
    """The session has each of the terms in one of its texts, and none of those that are excluded."""
    return _has_terms(ActionRow.id, _select_sessions, terms)


def has_subject_terms(terms: Sequence[Term]) -> Condition:
    """The same of a subject."""
    return _has_terms(SubjectRow.id, _select_subjects, terms)


def _has_terms(row_id: Any, select_ids: _SelectIds, terms: Sequence[Term]) -> Condition:
    conditions = []
    for term in terms:
        has_term = row_id.in_(select_ids(_query(term.text)))
        conditions.append(sa.not_(has_term) if term.is_excluded else has_term)
    return sa.and_(*conditions)


def _query(text: str) -> sa.ColumnElement[Any]:
    """The words in their order, the last one as the beginning of a word; null if there are none."""
    separated = sa.func.translate(text, sa.literal_column(f"'{SIGNS}'"), sa.literal_column(f"'{SPACES}'"))
    phrase = sa.cast(sa.func.phraseto_tsquery(sa.literal_column(CONFIGURATION), separated), sa.Text)
    beginning = sa.func.nullif(phrase, sa.literal_column("''")).concat(sa.literal_column("':*'"))
    return sa.cast(beginning, TSQUERY)


def _select_sessions(query: sa.ColumnElement[Any]) -> sa.CompoundSelect[Any]:
    """Ids of sessions with the words in one of their texts, each kind of text by its own index."""
    is_session: Any = sa.literal_column("kind = 'session'")  # no parameter, for the partial index
    of_users = sa.select(ActionUserRow.action_id).where(
        ActionUserRow.user_id.in_(_select_named(UserRow, "username", query))
    )
    of_names = [
        sa.select(ActionRow.id).where(is_session, key.in_(_select_named(row, name, query)))
        for key, row, name in (
            (ActionRow.subject_id, SubjectRow, "nickname"),
            (ActionRow.lab_id, LabRow, "name"),
            (ActionRow.location_id, LocationRow, "name"),
        )
    ]
    return sa.union_all(
        sa.select(ActionRow.id).where(is_session, _has_words(SESSION_WORDS, query)),
        _select_noted(ContentType.SESSION, query),
        of_users,
        *of_names,
    )


def _select_subjects(query: sa.ColumnElement[Any]) -> sa.CompoundSelect[Any]:
    of_names = [
        sa.select(SubjectRow.id).where(key.in_(_select_named(row, name, query)))
        for key, row, name in (
            (SubjectRow.lab_id, LabRow, "name"),
            (SubjectRow.responsible_user_id, UserRow, "username"),
        )
    ]
    return sa.union_all(
        sa.select(SubjectRow.id).where(_has_words(SUBJECT_WORDS, query)),
        _select_noted(ContentType.SUBJECT, query),
        *of_names,
    )


def _select_noted(content_type: ContentType, query: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return sa.select(NoteRow.object_id).where(
        NoteRow.content_type == content_type, NoteRow.deleted_at.is_(None), _has_words(NOTE_WORDS, query)
    )


def _select_named(row: Any, name: str, query: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return sa.select(row.id).where(_has_words(words_of(name), query))


def _has_words(words: str, query: sa.ColumnElement[Any]) -> Condition:
    condition: Condition = sa.literal_column(words).bool_op("@@")(query)
    return condition
