"""Which datasets of a session go into its processed NWB file."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_OF_CAMERA: Final = ("times", "dlc", "lightningPose", "features", "ROIMotionEnergy")
# Attributes by object; None: all. Others, such as spikes.templates or waveforms, are large and not in the file.
ATTRIBUTES: Final[Mapping[str, tuple[str, ...] | None]] = MappingProxyType(
    {
        "trials": None,
        "wheel": ("position", "timestamps", "times"),
        "wheelMoves": ("intervals", "peakAmplitude"),
        "licks": ("times",),
        "leftCamera": _OF_CAMERA,
        "rightCamera": _OF_CAMERA,
        "bodyCamera": _OF_CAMERA,
        "photometry": ("signal",),
        "photometryROI": ("locations",),
        "passivePeriods": ("intervalsTable",),
        "passiveGabor": ("table",),
        "passiveStims": ("table",),
        "passiveRFM": ("times",),
        "spikes": ("times", "clusters", "amps", "depths"),
        "clusters": ("channels", "depths", "amps", "peakToTrough", "uuids", "metrics"),
        "channels": ("localCoordinates", "mlapdv", "brainLocationIds", "rawInd"),
        "electrodeSites": ("localCoordinates", "mlapdv", "brainLocationIds"),
    }
)
PER_PROBE: Final = ("spikes", "clusters", "channels", "electrodeSites")


def is_input(collection: str, object_name: str, attribute: str) -> bool:
    """Whether a dataset is read: one of these objects, and not in a folder of raw data.

    >>> is_input("alf", "wheel", "position"), is_input("raw_video_data", "leftCamera", "times")
    (True, False)
    """
    attributes = ATTRIBUTES.get(object_name, ())
    return (attributes is None or attribute in attributes) and not collection.startswith("raw")


def probe_of(collection: str) -> str:
    """The probe's part of a collection.

    >>> probe_of("alf/probe00/pykilosort"), probe_of("alf")
    ('probe00', 'alf')
    """
    parts = [part for part in collection.split("/") if part]
    return next((part for part in parts if part.startswith("probe")), parts[-1] if parts else "probe")
