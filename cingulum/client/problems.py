"""Errors of the client for people: each message says what is wrong and what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class ClientError(Exception):
    """A request that this client cannot answer. The message is for people."""


class UnknownFilter(ClientError, TypeError):
    """`search` has no filter of this name."""


class InvalidFilter(ClientError, ValueError):
    """The value of a filter cannot be read."""


class NoSuchSession(ClientError, LookupError):
    """No session matches, or none that the caller may see."""


class NoSuchData(ClientError, LookupError):
    """The session has no such data, or none that the caller may see."""


class Ambiguous(ClientError, LookupError):
    """Several sessions, collections or datasets match where one is expected; the message lists them."""


class DamagedFile(ClientError):
    """The bytes of a file are not the registered ones."""


class PackageMissing(ClientError, ImportError):
    """An optional package is not installed; the message has the command that installs it."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """What may have been meant, else what there is.

    >>> suggestion("subjekt", ["subject", "lab"]), suggestion("x", ["subject", "lab"])
    ("did you mean 'subject'?", 'there are: lab, subject')
    """
    names = sorted(set(known))
    close = get_close_matches(name, names, n=1)
    return f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(names) or 'none'}"
