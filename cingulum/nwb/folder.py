"""The ALF objects of a session's folder that an NWB file is made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from cingulum.alf import find_session
from cingulum.alf.folder import datasets, load_object
from cingulum.atlas import acronyms
from cingulum.nwb.facts import Facts, SubjectFacts
from cingulum.nwb.inputs import ATTRIBUTES, PER_PROBE, is_input, probe_of
from cingulum.nwb.plan import FilePlan, LeftOut
from cingulum.nwb.session import plan_session

_SORTERS: Final = ("pykilosort", "iblsorter")  # a later one is preferred


def plan_folder(session: Path) -> FilePlan:
    """The plan of the processed NWB file of a session's folder; newest revisions.

    Raises AlfError for a file that cannot be read.
    """
    places = _collections(session)
    left_out: list[LeftOut] = []
    objects: dict[str, dict[str, Any]] = {}
    further: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for name in sorted(places.keys() - set(PER_PROBE)):
        first, *others = places[name]
        objects[name] = _load(session, first, name)
        for place in others:
            further[place][name] = _load(session, place, name)
    probes = {
        probe: {name: _load(session, place, name) for name, place in chosen.items()}
        for probe, chosen in _by_probe(places, left_out).items()
    }
    return plan_session(objects, probes, acronyms(), left_out, further)


def facts_of_path(session: Path) -> Facts:
    """What the path of a session's folder says: subject, lab and number. Its date has no time of day."""
    match = find_session(session.resolve().as_posix())
    if match is None:
        return Facts()
    path = match[1]
    return Facts(number=path.number, lab=path.lab or None, subject=SubjectFacts(nickname=path.subject))


def _collections(session: Path) -> dict[str, list[str]]:
    collections: dict[str, set[str]] = {}
    for dataset in datasets(session):
        name, place = dataset.rel_path.file, dataset.rel_path.collection or ""
        if is_input(place, name.object, name.attribute):
            collections.setdefault(name.object, set()).add(place)
    return {name: sorted(places) for name, places in collections.items()}


def _by_probe(places: Mapping[str, Sequence[str]], left_out: list[LeftOut]) -> dict[str, dict[str, str]]:
    """The collection of each object of each probe.

    Of several spike sortings the newest sorter's is taken (`_SORTERS`), else the last by name, with its own clusters:
    their numbers mean nothing in another.
    """
    probes: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for name in PER_PROBE:
        for place in sorted(places.get(name, ()), key=_by_sorter):
            probes[probe_of(place)][name].append(place)
    chosen: dict[str, dict[str, str]] = {}
    for probe, collections_of in sorted(probes.items()):
        sortings = collections_of.pop("spikes", [])
        for other in sortings[:-1]:
            left_out.append(LeftOut(f"{other}/spikes", f"left out: the file has those of {sortings[-1]}"))
        clusters = collections_of.pop("clusters", [])
        chosen[probe] = {
            name: sortings[-1] if sortings and sortings[-1] in collections else collections[-1]
            for name, collections in collections_of.items()
        }
        if sortings:
            chosen[probe]["spikes"] = sortings[-1]
            if sortings[-1] in clusters:
                chosen[probe]["clusters"] = sortings[-1]
            elif clusters:
                left_out.append(
                    LeftOut(f"{clusters[-1]}/clusters", f"left out: spikes are in {sortings[-1]}")
                )
    return chosen


def _by_sorter(place: str) -> tuple[int, str]:
    """Order of collections, those of preferred sorters last.

    >>> sorted(["alf/probe00/iblsorter", "alf/probe00/pykilosort", "alf/probe00"], key=_by_sorter)
    ['alf/probe00', 'alf/probe00/pykilosort', 'alf/probe00/iblsorter']
    """
    last = place.rpartition("/")[2]
    return (_SORTERS.index(last) if last in _SORTERS else -1), place


def _load(session: Path, place: str, name: str) -> dict[str, Any]:
    attributes = ATTRIBUTES[name]
    if attributes is None:
        return load_object(session, name, collection=place)
    return load_object(session, name, collection=place, attribute=attributes)
