"""Errors of names, types and revisions; each message includes advice."""

from __future__ import annotations

import unicodedata


class AlfError(ValueError):
    """Base of the errors of this package; the message states the problem and a remedy."""


class InvalidName(AlfError):
    """A text that is not an ALF name.

    text      the text
    part      which part is at fault: `file`, `object`, `attribute`, `collection`, `lab`, …
    problem   what is wrong with it
    advice    what to do
    """

    def __init__(self, text: str, part: str, problem: str, advice: str) -> None:
        super().__init__(f"{text!r}: {problem}: {advice}")
        self.text, self.part, self.problem, self.advice = text, part, problem, advice


class NoDatasetType(AlfError):
    """No dataset type's pattern fits the file name."""


class AmbiguousDatasetType(AlfError):
    """Several dataset types fit the file name; `types` describes them."""

    def __init__(self, filename: str, types: tuple[str, ...]) -> None:
        super().__init__(
            f"{filename!r} matches {len(types)} dataset types, must match one: {', '.join(types)}. "
            "Narrow the filename pattern of one of them (PATCH /dataset-types/<name>) or delete it"
        )
        self.types = types


class UnknownFormat(AlfError):
    """The file's extension belongs to no known data format."""


class DatasetNotFound(AlfError):
    """No dataset of the folder matches the request."""


class SeveralMatches(AlfError):
    """More than one collection, object or dataset matches; the text lists them."""


class ReaderMissing(AlfError):
    """The file may be valid, but the package that reads it is not installed."""


class RevisionNotFound(AlfError):
    """No version of the dataset matches the requested revision."""


class SeveralDefaults(AlfError):
    """More than one version has the default flag: the table is wrong, not the request."""


def describe_character(char: str) -> str:
    """Name a character, so that an invisible one can be located too.

    >>> describe_character(" "), describe_character("é")
    ("' ' (space)", "'é' (latin small letter e with acute)")
    """
    return f"{char!r} ({unicodedata.name(char, f'U+{ord(char):04X}').lower()})"
