"""The plan of a session's processed NWB file from its ALF objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

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
from cingulum.nwb.plan import Array, FilePlan, Intervals, LeftOut, Report, Series, series_over_time
from cingulum.nwb.trials import plan_passive, plan_trials
from cingulum.nwb.units import plan_probe, plan_units, with_common_columns

Objects = Mapping[str, Mapping[str, Any]]


def plan_session(
    objects: Objects,
    probes: Mapping[str, Objects],
    acronyms: Mapping[int, str],
    left_out: Iterable[LeftOut] = (),
) -> FilePlan:
    """What the processed file of a session contains; `left_out` is what was not read.

    `objects`: attributes by object, trials of a second task as `trials_01`. `probes`: the objects of each probe.
    Missing objects are left out; `FilePlan.left_out` lists what was changed or could not be used, and why.
    """
    messages = list(left_out)

    def report(name: str, reason: str) -> None:
        if (entry := LeftOut(name, reason)) not in messages:
            messages.append(entry)

    recorded = [plan_probe(name, parts, acronyms, report) for name, parts in sorted(probes.items())]
    known = with_common_columns([probe for probe in recorded if probe is not None], report)
    cameras = {name: objects[name] for name in CAMERAS if name in objects}
    licks = plan_licks(objects["licks"], report) if "licks" in objects else None
    poses = [plan_pose(name, parts, report) for name, parts in cameras.items()]
    return FilePlan(
        intervals=tuple(_intervals(objects, report)),
        series=tuple(_series(objects, report)),
        events=() if licks is None else (licks,),
        poses=tuple(pose for pose in poses if pose is not None),
        probes=known,
        units=plan_units(known, probes, report),
        left_out=tuple(messages),
    )


def _intervals(objects: Objects, report: Report) -> Iterator[Intervals]:
    tables = [
        plan_trials(objects[name], report, name) for name in sorted(objects) if name.startswith("trials")
    ]
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
