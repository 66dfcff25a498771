"""Rules of the vocabularies of files."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from cingulum.alf import DatasetTypes

Term = Mapping[str, Any]


def terms_to_add(terms: Sequence[Term], offered: Collection[UUID], known: DatasetTypes) -> list[Term]:
    """The shipped terms that a database gets: those it was not offered yet, and whose files have no type there.

    A lab may have added a type of its own for the same files: with both, these files would match two types.
    >>> term = {"id": "6559486b-197a-49b4-abff-3efbc4a04ac7", "examples": ["wheel.position.npy"]}
    >>> len(terms_to_add([term], [], DatasetTypes([])))
    1
    >>> terms_to_add([term], [UUID(term["id"])], DatasetTypes([]))
    []
    >>> terms_to_add([term], [], DatasetTypes([("mylab.wheel", "*wheel.position*")]))
    []
    """
    return [
        term
        for term in terms
        if UUID(term["id"]) not in offered
        and not any(known.matches(example) for example in term.get("examples", ()))
    ]
