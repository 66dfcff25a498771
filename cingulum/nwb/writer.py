"""Writes a plan as an NWB file with pynwb; the same plan and facts give the same bytes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import numpy as np
from ndx_pose import PoseEstimation, PoseEstimationSeries, Skeleton, Skeletons
from pynwb import NWBHDF5IO, NWBFile, TimeSeries
from pynwb.behavior import PupilTracking
from pynwb.epoch import TimeIntervals
from pynwb.event import EventsTable, TimestampVectorData
from pynwb.file import ProcessingModule, Subject
from pynwb.image import ImageSeries

from cingulum.nwb.facts import Facts, age_text, person_name, subject_id
from cingulum.nwb.plan import (
    Array,
    Events,
    FilePlan,
    Intervals,
    Pose,
    Series,
    Video,
    fingerprint,
    regular_rate,
)
from cingulum.nwb.preflight import preflight
from cingulum.nwb.tables import add_electrodes, add_units, stored, vector_data

_NAMESPACE = UUID("5f0c2a40-58b3-4d3c-9a1d-0c6d7c1c7c1e")
_MODULES = {"behavior": "Processed behaviour", "ophys": "Fibre photometry"}
_GROUPS = {"PupilTracking": PupilTracking}
# Every file of a session repeats these, so that a reader knows what it is from one of them.
_DESCRIPTIONS = {
    "processed": "Processed data of one session: behaviour, spikes and derived signals",
    "raw": "Raw data of one session: voltage and videos",
}


class NotWritable(Exception):
    """A fact without which no valid NWB file can be written is missing; the message says what to do."""


def build_file(
    plan: FilePlan, facts: Facts, created: datetime, kind: str = "processed", inputs: str = ""
) -> NWBFile:
    """The NWB file in memory; its identifier depends on the facts, the plan and `inputs`. Raises NotWritable."""
    file = _describe(facts, created, kind, f"{kind} {fingerprint(plan)} {inputs}")
    add_electrodes(file, plan.probes)
    add_units(file, plan)
    for table in plan.intervals:
        _add_intervals(file, table)
    for series in plan.series:
        _add_series(file, series)
    for events in plan.events:
        file.add_events_table(_events(events))
    if plan.poses:
        _add_poses(file, plan.poses)
    for video in plan.videos:
        file.add_acquisition(_video(video))
    return file


def write_file(file: NWBFile, target: Path) -> None:
    """Write a file that is whole once it has its name."""
    namespace = uuid5(_NAMESPACE, file.identifier)
    for n, part in enumerate(_parts(file)):
        # pynwb draws a random id per object; two files of the same data would differ.
        part._AbstractContainer__object_id = str(uuid5(namespace, f"{n} {part.name}"))
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.stem}.{os.getpid()}.part.nwb")
    try:
        with NWBHDF5IO(str(partial), mode="w") as io:
            io.write(file)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _parts(part: Any) -> list[Any]:
    return [part, *chain.from_iterable(_parts(child) for child in part.children)]


def file_name(plan: FilePlan, facts: Facts, kind: str = "processed") -> Path:
    """Folder and name as DANDI organises files, with `desc` for the two files of a session."""
    subject = subject_id(facts.subject.nickname or "unknown")
    modalities = []
    if plan.intervals or plan.series or plan.poses:
        modalities.append("behavior")
    if plan.probes or plan.units:
        modalities.append("ecephys")
    if plan.videos:
        modalities.append("image")
    suffix = "+".join(modalities) or "behavior"
    return Path(f"sub-{subject}", f"sub-{subject}_ses-{_session_id(facts)}_desc-{kind}_{suffix}.nwb")


def _session_id(facts: Facts) -> str:
    if facts.id or facts.start_time is None:
        return subject_id(facts.id or f"{facts.number:03d}")
    return f"{facts.start_time:%Y-%m-%d}-{facts.number:03d}"


def _describe(facts: Facts, created: datetime, kind: str, content: str) -> NWBFile:
    for finding in preflight(facts):
        if finding.level == "blocking":
            raise NotWritable(f"{finding.sentence}. {finding.next_step}.")
    start = facts.start_time
    return NWBFile(
        session_description=facts.description or _DESCRIPTIONS[kind],
        identifier=str(uuid5(_NAMESPACE, f"{content} {facts.model_dump_json()}")),
        session_start_time=start,
        file_create_date=created,
        session_id=_session_id(facts),
        experimenter=[person_name(name) for name in facts.experimenters] or None,
        institution=facts.institution,
        lab=facts.lab,
        keywords=list(facts.keywords) or ["electrophysiology", "behavior"],
        protocol=facts.task_protocol,
        experiment_description=_DESCRIPTIONS[kind],
        related_publications=list(facts.related_publications) or None,
        subject=_subject(facts),
    )


def _subject(facts: Facts) -> Subject:
    subject = facts.subject
    return Subject(
        subject_id=subject_id(subject.nickname or ""),
        description=subject.description,
        species=subject.species,
        sex=subject.sex,
        age=age_text(subject, facts.start_time),
        genotype=subject.genotype,
        strain=subject.strain,
        weight=None if subject.weight_kg is None else f"{subject.weight_kg:g} kg",
    )


def _add_intervals(file: NWBFile, table: Intervals) -> None:
    columns = [vector for column in table.columns for vector in vector_data(column)]
    names = [column.name for column in table.columns]
    intervals = TimeIntervals(name=table.name, description=table.description, columns=columns, colnames=names)
    if table.name == "trials":
        file.trials = intervals
    elif table.module is None:
        file.add_time_intervals(intervals)
    else:
        _module(file, table.module).add(intervals)


def _module(file: NWBFile, name: str) -> ProcessingModule:
    if name not in file.processing:
        file.create_processing_module(name=name, description=_MODULES[name])
    return file.processing[name]


def _add_series(file: NWBFile, series: Series) -> None:
    module = _module(file, series.module)
    fields = {
        "name": series.name,
        "description": series.description,
        "data": stored(series.values),
        "unit": series.unit,
        **_times(series),
    }
    part = TimeSeries(**fields)
    if series.container is None:
        module.add(part)
        return
    if series.container not in module.data_interfaces:
        module.add(_GROUPS[series.container](name=series.container))
    module[series.container].add_timeseries(part)


def _events(events: Events) -> EventsTable:
    times = TimestampVectorData(
        name="timestamp", description="Time of the event, in seconds", data=stored(events.times)
    )
    return EventsTable(
        name=events.name, description=events.description, columns=[times], colnames=["timestamp"]
    )


def _times(series: Series) -> dict[str, Any]:
    if series.timestamps is None:
        return {"starting_time": series.start, "rate": series.rate}
    return {"timestamps": stored(series.timestamps)}


def _regular_or_stored(timestamps: Array) -> dict[str, Any]:
    rate = regular_rate(timestamps)
    if rate is None:
        return {"timestamps": stored(timestamps)}
    return {"starting_time": float(timestamps[0]), "rate": rate}


def _add_poses(file: NWBFile, poses: Sequence[Pose]) -> None:
    module = _module(file, "behavior")
    skeletons = []
    for pose in poses:
        device = file.create_device(name=f"{pose.camera}_camera", description=f"The {pose.camera} camera")
        nodes = [keypoint.name for keypoint in pose.keypoints]
        skeleton = Skeleton(name=f"{pose.camera}_skeleton", nodes=nodes, edges=np.empty((0, 2), np.uint8))
        skeletons.append(skeleton)
        module.add(
            PoseEstimation(
                name=f"{pose.camera}_pose",
                description=f"Body parts in the frames of the {pose.camera} camera",
                pose_estimation_series=_keypoints(pose),
                source_software=pose.software,
                scorer=pose.software,
                skeleton=skeleton,
                device=device,
            )
        )
    module.add(Skeletons(skeletons=skeletons))


def _keypoints(pose: Pose) -> list[PoseEstimationSeries]:
    """A series per body part; the first has the timestamps, the others refer to it."""
    times = _regular_or_stored(pose.timestamps)
    series: list[PoseEstimationSeries] = []
    for keypoint in pose.keypoints:
        series.append(
            PoseEstimationSeries(
                name=keypoint.name,
                description=f"Position of {keypoint.name}",
                data=stored(keypoint.positions),
                unit="pixels",
                reference_frame="(0, 0) is the top left corner of the frame",
                confidence=stored(keypoint.confidence),
                confidence_definition=f"likelihood by {pose.software}",
                **times,
            )
        )
        if "rate" not in times:
            times = {"timestamps": series[0]}
    return series


def _video(video: Video) -> ImageSeries:
    times = _regular_or_stored(video.timestamps)
    if "rate" in times:
        times["num_samples"] = len(video.timestamps)  # the frames are not in the file
    return ImageSeries(
        name=video.name,
        description=video.description,
        unit="n.a.",
        external_file=[video.path],
        format="external",
        starting_frame=[0],
        **times,
    )
