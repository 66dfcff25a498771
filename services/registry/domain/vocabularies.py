"""Rules of the vocabularies of files."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from cingulum.alf import DatasetTypes, essence, is_file_name
from libs.common.problem import Conflict

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


def new_type_names(filenames: Iterable[str], types: DatasetTypes) -> list[str]:
    """Names of the types to create, `object.attribute`, for ALF file names that fit no type.

    None for a name that differs from that of a type at most by case: that file is named wrongly, or the pattern of
    that type is too narrow.
    >>> types = DatasetTypes([("spikes.times", "*spikes.times*.npy")])
    >>> new_type_names(["licks.times.npy", "_x_licks.times.csv", "Spikes.times.csv", "a.txt"], types)
    ['licks.times']
    """
    names = {essence(name) for name in filenames if is_file_name(name) and not types.matches(name)}
    first_by_case = {name.casefold(): name for name in sorted(names, reverse=True)}
    return sorted(name for name in first_by_case.values() if not types.near(name))


def with_new_types(filenames: Iterable[str], types: DatasetTypes) -> DatasetTypes:
    """The types as they will be once those for these file names were created.

    >>> with_new_types(["licks.times.npy"], DatasetTypes([])).match("licks.times.npy").name
    'licks.times'
    """
    created = [(name, "") for name in new_type_names(filenames, types)]
    return DatasetTypes([*types.types, *created]) if created else types


def check_revision_free(name: str, *, is_used: bool, field: str | None = None) -> None:
    """Raises Conflict, at a field of a body, for a revision that datasets are in: their folders are named so."""
    if is_used:
        text = f"Datasets are in the revision '{name}', also deleted ones: their folders have its name."
        raise Conflict(fields={field: [text]}) if field else Conflict(text)
