"""Kinds of stores: where a repository's bytes are."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class StoreKind(StrEnum):
    """Where the bytes of a repository are; a repository without a kind is unmanaged: its bytes cannot be read.

    >>> [kind.value for kind in StoreKind if kind.is_central]
    ['local', 's3']
    """

    LOCAL = "local"  # on the server's own disk
    S3 = "s3"  # in a bucket of the server
    AGENT = "agent"  # in a folder of a lab, read in place by the lab's agent

    @property
    def is_central(self) -> bool:
        """Whether the server itself stores the bytes and serves them over HTTPS."""
        return self is not StoreKind.AGENT


CENTRAL: Final = tuple(kind for kind in StoreKind if kind.is_central)
