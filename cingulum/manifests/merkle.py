"""The Merkle tree hash of RFC 6962: one hash for a list of items, from which a single item can be proved."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

# Different first bytes for items and nodes: otherwise the hashes of a node would pass as an item.
_LEAF, _NODE = b"\x00", b"\x01"


def merkle_root(items: Sequence[bytes]) -> bytes:
    """Hash of all items in their order.

    >>> merkle_root([]).hex()[:8], merkle_root([b""]).hex()[:8]
    ('e3b0c442', '6e340b9c')
    """
    if not items:
        return hashlib.sha256().digest()
    hashes = [hashlib.sha256(_LEAF + item).digest() for item in items]
    # An odd hash at the end goes up unchanged: the same as RFC 6962's split at the largest power of two.
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2], strict=False)
        odd = hashes[-1:] if len(hashes) % 2 else []
        hashes = [hashlib.sha256(_NODE + left + right).digest() for left, right in pairs] + odd
    return hashes[0]
