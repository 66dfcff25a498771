"""Wheel, licks, cameras and photometry as series over time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from cingulum.nwb.columns import free_name
from cingulum.nwb.plan import (
    Array,
    Column,
    Events,
    Intervals,
    Keypoint,
    Pose,
    Report,
    Series,
    series_over_time,
)
from cingulum.nwb.trials import interval_table

Objects = Mapping[str, Mapping[str, Any]]
CAMERAS = {"leftCamera": "left", "rightCamera": "right", "bodyCamera": "body"}
_TRACKERS = {"lightningPose": "Lightning Pose", "dlc": "DeepLabCut"}


def plan_wheel(wheel: Mapping[str, Any], report: Report) -> Series | None:
    """The wheel's position; `wheel.velocity` is derived from it and left out.

    A plain series: the angle counts turns, and nwbinspector refuses a SpatialSeries beyond one turn.
    """
    times = wheel.get("timestamps", wheel.get("times"))
    if "position" not in wheel:
        report("wheel", "left out: there is no wheel.position")
        return None
    return series_over_time(
        Series(
            "wheel_position",
            "Position of the wheel's rim as an angle, positive counterclockwise for the subject",
            np.asarray(wheel["position"], np.float64),
            "radians",
            times,
        ),
        report,
    )


def plan_wheel_moves(moves: Mapping[str, Any], report: Report) -> Intervals | None:
    """Movements of the wheel."""
    bounds = moves.get("intervals")
    if bounds is None or bounds.ndim != 2:
        report("wheelMoves", "left out: there is no wheelMoves.intervals with two columns")
        return None
    amplitude = moves.get("peakAmplitude")
    columns = []
    if amplitude is not None and len(amplitude) == len(bounds):
        columns = [Column("peak_amplitude", "largest amplitude of the movement, in radians", amplitude)]
    return interval_table(
        "wheel_movements", "Movements of the wheel", bounds, columns, report, module="behavior"
    )


def plan_licks(licks: Mapping[str, Any], report: Report) -> Events | None:
    """Times of licks."""
    times = licks.get("times")
    if times is None:
        report("licks", "left out: there is no licks.times")
        return None
    times = np.asarray(times, np.float64).reshape(-1)
    valid = np.isfinite(times)
    if not valid.all():
        report("licks", f"{np.count_nonzero(~valid)} without a finite time are left out")
    if not valid.any():
        report("licks", "left out: there is no lick")
        return None
    return Events("licks", "Contacts of the tongue with the spout", np.sort(times[valid]))


def plan_pose(camera: str, parts: Mapping[str, Any], report: Report) -> Pose | None:
    """Body parts of one camera; Lightning Pose is preferred to DeepLabCut where there are both."""
    key = next((key for key in _TRACKERS if isinstance(parts.get(key), Mapping)), None)
    if key is None:
        return None
    table, times = parts[key], _frame_times(camera, parts, report)
    names = [name.removesuffix("_likelihood") for name in table if name.endswith("_likelihood")]
    if not names or times is None:
        return None
    frames = len(table[f"{names[0]}_likelihood"])
    if frames != len(times):
        report(f"{camera}.{key}", f"left out: {frames} frames, but {len(times)} times")
        return None

    def values(column: str) -> Array:
        if column in table and len(table[column]) == frames:
            return np.asarray(table[column], np.float64)
        report(f"{camera}.{key}.{column}", "NaN: the table has no such column of all frames")
        return np.full(frames, np.nan)

    keypoints = tuple(
        Keypoint(
            free_name(name),
            np.stack([values(f"{name}_x"), values(f"{name}_y")], axis=1),
            values(f"{name}_likelihood"),
        )
        for name in names
    )
    return Pose(CAMERAS[camera], _TRACKERS[key], times, keypoints)


def plan_camera(camera: str, parts: Mapping[str, Any], report: Report) -> Iterator[Series]:
    """Frame times, pupil diameters and motion energy of one camera."""
    times = _frame_times(camera, parts, report)
    if times is None:
        return
    side = CAMERAS[camera]
    features = parts.get("features")
    values: dict[str, tuple[Any, str, str]] = {
        f"{side}_camera_frames": (np.arange(len(times)), "number of the frame at each time", "n.a.")
    }
    if isinstance(features, Mapping):
        for kind in ("raw", "smooth"):
            if f"pupilDiameter_{kind}" in features:
                text = f"Diameter of the pupil, {kind}, from the {side} camera"
                values[f"{side}_pupil_diameter_{kind}"] = (features[f"pupilDiameter_{kind}"], text, "pixels")
    if "ROIMotionEnergy" in parts:
        text = f"Mean absolute difference of successive frames in a region of the {side} camera"
        values[f"{side}_motion_energy"] = (parts["ROIMotionEnergy"], text, "a.u.")
    for name, (array, text, unit) in values.items():
        container = "PupilTracking" if "pupil" in name else None
        series = Series(name, text, np.asarray(array), unit, times, container=container)
        ordered = series_over_time(series, report)
        if ordered is not None:
            yield ordered


def _frame_times(camera: str, parts: Mapping[str, Any], report: Report) -> Array | None:
    times = parts.get("times")
    if times is None:
        report(camera, "left out: there is no times of its frames")
    return None if times is None else np.asarray(times, np.float64)


def plan_photometry(
    photometry: Mapping[str, Any], regions: Mapping[str, str], report: Report
) -> Iterator[Series]:
    """Fluorescence of each fibre and wavelength: the rows of photometry.signal take turns in wavelength."""
    table = photometry.get("signal", photometry)
    if not isinstance(table, Mapping) or not {"times", "name"} <= table.keys():
        report("photometry", "left out: photometry.signal has no columns times and name")
        return
    kinds = np.asarray(table["name"]).astype(str)
    described = {"times", "name", "valid", "wavelength", "color", "include"}
    for kind in sorted(set(kinds) - {"", "None", "nan"}):
        rows = kinds == kind
        for column in sorted(table.keys() - described):
            if np.asarray(table[column]).dtype.kind not in "biuf" or len(table[column]) != len(kinds):
                report(f"photometry.{column}", "left out: it is no number per row")
                continue
            place = f", {regions[column]}" if column in regions else ""
            series = Series(
                free_name(f"photometry_{column}_{kind}"),
                f"Fluorescence of region of interest {column}{place}: {kind}",
                np.asarray(table[column])[rows],
                "a.u.",
                np.asarray(table["times"])[rows],
                module="ophys",
            )
            ordered = series_over_time(series, report)
            if ordered is not None:
                yield ordered
