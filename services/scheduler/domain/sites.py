"""Where a job can run: the sites at which a worker can read all of its inputs.

A site is the pool (the central store, which serves every worker over HTTPS) or one agent repository, whose files only
a worker on that lab's machine can read. A file of a lab that has not arrived in the central store is readable there and
nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

POOL: Final = ""


def ready_sites(inputs: Iterable[frozenset[str]]) -> frozenset[str]:
    """The sites at which every input has a verified copy; what is in the central store is readable everywhere.

    Only the pool where that suffices: it includes the workers of all sites.

    >>> sorted(ready_sites([frozenset({POOL}), frozenset({POOL, "lab"})]))
    ['']
    >>> sorted(ready_sites([frozenset({POOL}), frozenset({"lab", "other"}), frozenset({"lab"})]))
    ['lab']
    >>> sorted(ready_sites([frozenset({"lab"}), frozenset({"other"})]))
    []
    """
    outside = [places for places in inputs if POOL not in places]
    return frozenset.intersection(*outside) if outside else frozenset({POOL})


def outside_pool(inputs: Iterable[frozenset[str]]) -> frozenset[str]:
    """The repositories that hold inputs which the central store does not have.

    >>> sorted(outside_pool([frozenset({POOL, "lab"}), frozenset({"other"})]))
    ['other']
    """
    return frozenset().union(*(places for places in inputs if POOL not in places))
