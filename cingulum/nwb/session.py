"""The plan of a session's processed NWB file from its ALF objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from typing import Any, NamedTuple, TypeVar

import numpy as np

from cingulum.nwb.behaviour import (
    CAMERAS,
    plan_camera,
    plan_licks,
    plan_photometry,
    plan_pose,
    plan_wheel,
    plan_wheel_moves,
)
from cingulum.nwb.plan import (
    Array,
    Events,
    FilePlan,
    Intervals,
    LeftOut,
    Pose,
    Report,
    Series,
    series_over_time,
)
from cingulum.nwb.trials import plan_passive, plan_trials
from cingulum.nwb.units import plan_probe, plan_units, with_all_columns

Objects = Mapping[str, Mapping[str, Any]]
_Named = TypeVar("_Named", Intervals, Series, Events)


def plan_session(
    objects: Objects,
    probes: Mapping[str, Objects],
    acronyms: Mapping[int, str],
    left_out: Iterable[LeftOut] = (),
    further: Mapping[str, Objects] | None = None,
) -> FilePlan:
    """What the processed file of a session contains; `left_out` is what was not read.

    `objects`: attributes by object. `further`: objects that other collections have, too, by the collection, such as
    `alf/task_01`; their names end with it (`wheel_position_task_01`). `probes`: the objects of each probe.
    Missing objects are left out; `FilePlan.left_out` lists what was changed or could not be used, and why.
    """
    messages = list(left_out)

    def report(name: str, reason: str) -> None:
        if (entry := LeftOut(name, reason)) not in messages:
            messages.append(entry)

    recorded = [plan_probe(name, parts, acronyms, report) for name, parts in sorted(probes.items())]
    known = with_all_columns([probe for probe in recorded if probe is not None], report)
    parts = [_Part.of(objects, report)]
    for place, others in sorted((further or {}).items()):
        regions = {"photometryROI": objects["photometryROI"]} if "photometryROI" in objects else {}
        parts.append(_Part.of({**regions, **others}, _reporter(report, place)).named_after(place))
    return FilePlan(
        intervals=tuple(chain.from_iterable(part.intervals for part in parts)),
        series=tuple(chain.from_iterable(part.series for part in parts)),
        events=tuple(chain.from_iterable(part.events for part in parts)),
        poses=tuple(chain.from_iterable(part.poses for part in parts)),
        probes=known,
        units=plan_units(known, probes, report),
        left_out=tuple(messages),
    )


def suffix_of(place: str) -> str:
    """A collection as the end of a name.

    >>> suffix_of("alf/task_01"), suffix_of("alf_old/x")
    ('task_01', 'alf_old_x')
    """
    return place.removeprefix("alf/").replace("/", "_")


def _reporter(report: Report, place: str) -> Report:
    return lambda name, reason: report(f"{place}/{name}", reason)


class _Part(NamedTuple):
    """What the objects of a session without its probes become."""

    intervals: tuple[Intervals, ...]
    series: tuple[Series, ...]
    events: tuple[Events, ...]
    poses: tuple[Pose, ...]

    @classmethod
    def of(cls, objects: Objects, report: Report) -> _Part:
        licks = plan_licks(objects["licks"], report) if "licks" in objects else None
        poses = [plan_pose(name, objects[name], report) for name in CAMERAS if name in objects]
        return cls(
            tuple(_intervals(objects, report)),
            tuple(_series(objects, report)),
            () if licks is None else (licks,),
            tuple(pose for pose in poses if pose is not None),
        )

    def named_after(self, place: str) -> _Part:
        """The same under names that end with their collection."""
        end = suffix_of(place)

        def named(part: _Named) -> _Named:
            return replace(part, name=f"{part.name}_{end}", description=f"{part.description}, of {place}")

        return _Part(
            tuple(map(named, self.intervals)),
            tuple(map(named, self.series)),
            tuple(map(named, self.events)),
            tuple(replace(pose, camera=f"{pose.camera}_{end}") for pose in self.poses),
        )


def _intervals(objects: Objects, report: Report) -> Iterator[Intervals]:
    tables = [plan_trials(objects["trials"], report)] if "trials" in objects else []
    if "wheelMoves" in objects:
        tables.append(plan_wheel_moves(objects["wheelMoves"], report))
    yield from (table for table in tables if table is not None)
    yield from plan_passive(objects, report)


def _series(objects: Objects, report: Report) -> Iterator[Series]:
    single = []
    if "wheel" in objects:
        single.append(plan_wheel(objects["wheel"], report))
    if "passiveRFM" in objects:
        single.append(_receptive_field_frames(objects["passiveRFM"].get("times"), report))
    yield from (series for series in single if series is not None)
    for camera in CAMERAS:
        if camera in objects:
            yield from plan_camera(camera, objects[camera], report)
    if "photometry" in objects:
        yield from plan_photometry(objects["photometry"], _fibre_regions(objects), report)


def _receptive_field_frames(times: Array | None, report: Report) -> Series | None:
    if times is None:
        report("passiveRFM", "left out: there is no passiveRFM.times")
        return None
    text = "Frames of the receptive field mapping, numbered from 0"
    return series_over_time(Series("passive_rfm_frames", text, np.arange(len(times)), "n.a.", times), report)


def _fibre_regions(objects: Objects) -> dict[str, str]:
    """Brain region by region of interest, from photometryROI.locations."""
    table = objects.get("photometryROI", {}).get("locations", {})
    if not isinstance(table, Mapping) or not {"ROI", "brain_region"} <= table.keys():
        return {}
    return dict(zip(map(str, table["ROI"]), map(str, table["brain_region"]), strict=True))
