"""Texts as the words in them, in SQL: the same in indexes and in the statements that use these."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

# Without stems and stop words: names, protocols and several languages are searched alike.
CONFIGURATION: Final = "'simple'::regconfig"
# By default `spikes.times` is a host, `left/right` a file, `-70` a number, `<b>` a tag and `&amp;` nothing.
SIGNS: Final = "./-+<>&"
SPACES: Final = " " * len(SIGNS)
_LONGEST: Final = 100_000  # PostgreSQL refuses a row whose words take more than 1 MiB


def words_of(text: str) -> str:
    """The words of a column, or of an expression of columns."""
    return f"to_tsvector({CONFIGURATION}, translate(left({text}, {_LONGEST}), '{SIGNS}', '{SPACES}'))"


# With the parentheses that PostgreSQL shows, so that models and migrations can be compared.
SESSION_WORDS: Final = words_of("(narrative || ' ') || task_protocol")
SUBJECT_WORDS: Final = words_of("(nickname || ' ') || description")
NOTE_WORDS: Final = words_of("text")


def words_index(name: str, words: str, where: str | None = None) -> sa.Index:
    """An index of words."""
    condition = None if where is None else sa.text(where)
    return sa.Index(name, sa.text(words), postgresql_using="gin", postgresql_where=condition)
