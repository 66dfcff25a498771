"""How datasets refer to each other: rows of other objects, clocks, and parts to concatenate."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from cingulum.alf.names import FileName

UNIVERSAL = "universal"


class TimeKind(StrEnum):
    """Kind of a dataset of times, in seconds of its clock."""

    EVENTS = "events"
    """`times`: one time per row."""
    INTERVALS = "intervals"
    """`intervals`: two columns, start and end."""
    SERIES = "series"
    """`timestamps`: of a continuous series, one per row or 2×2 synchronisation points."""


class Reference(NamedTuple):
    """`source` contains row numbers, from 0, of the object `target`."""

    source: FileName
    target: str


def time_kind(name: FileName) -> TimeKind | None:
    """The kind of times of a dataset; None if it has no times.

    >>> from cingulum.alf import parse_file_name
    >>> time_kind(parse_file_name("trials.goCue_times.npy")).value
    'events'
    """
    if name.attribute == "timestamps":
        return TimeKind.SERIES
    endings = {"times": TimeKind.EVENTS, "intervals": TimeKind.INTERVALS}
    return endings.get(name.attribute.rsplit("_", 1)[-1])


def clock(name: FileName) -> str | None:
    """The clock a dataset's times refer to; None if it has no times.

    >>> from cingulum.alf import parse_file_name
    >>> clock(parse_file_name("spikes.times_ephysClock.npy")), clock(parse_file_name("spikes.times.npy"))
    ('ephysClock', 'universal')
    """
    return (name.timescale or UNIVERSAL) if time_kind(name) else None


def references(names: Iterable[FileName]) -> list[Reference]:
    """Which files of one folder contain row numbers of another object: the names must match, plural included.

    >>> from cingulum.alf import parse_file_name
    >>> files = [parse_file_name(text) for text in ("spikes.clusters.npy", "clusters.depths.npy")]
    >>> [(str(reference.source), reference.target) for reference in references(files)]
    [('spikes.clusters.npy', 'clusters')]
    """
    files = list(names)
    objects = {name.object for name in files}
    return [Reference(name, name.attribute) for name in files if _refers(name, objects)]


def _refers(name: FileName, objects: set[str]) -> bool:
    return name.attribute in objects and name.attribute != name.object and not name.extra.endswith("metadata")


def nearly_references(names: Iterable[FileName]) -> list[Reference]:
    """Files that would refer to another object if their attribute were its plural.

    >>> from cingulum.alf import parse_file_name
    >>> files = [parse_file_name(text) for text in ("clusters.probe.npy", "probes.description.json")]
    >>> [reference.target for reference in nearly_references(files)]
    ['probes']
    """
    files = list(names)
    objects = {name.object for name in files}
    return [
        Reference(name, f"{name.attribute}s")
        for name in files
        if f"{name.attribute}s" in objects
        and name.attribute not in objects
        and name.object != f"{name.attribute}s"
    ]


def in_order(names: Iterable[FileName]) -> list[FileName]:
    """Parts of one dataset in the order in which they are concatenated: by extra parts, as text.

    >>> from cingulum.alf import parse_file_name
    >>> [name.extra for name in in_order(map(parse_file_name, ("a.b.2.tif", "a.b.1.z.tif", "a.b.1.tif")))]
    ['1', '1.z', '2']
    """
    return sorted(names, key=lambda name: (name.extras, name))
