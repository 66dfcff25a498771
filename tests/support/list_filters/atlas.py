"""Filters of the lists of the atlas."""

from __future__ import annotations

from libs.common.catalogue import Service
from libs.common.schemas.brain_regions import BrainRegionIn
from libs.common.schemas.channels import ChannelIn
from libs.common.schemas.chronic_insertions import ChronicInsertionIn
from libs.common.schemas.trajectories import TrajectoryIn
from services.metadata.queries.list_filters.brain_regions import BrainRegionFilters
from services.metadata.queries.list_filters.channels import ChannelFilters
from services.metadata.queries.list_filters.chronic_insertions import ChronicInsertionFilters
from services.metadata.queries.list_filters.trajectories import TrajectoryFilters
from tests.support.list_filters.tables import NOTHING, FilterTable

_VISP = "VISp VISp1 VISp2/3 VISp4 VISp5 VISp6a VISp6b"

BRAIN_REGIONS = FilterTable(
    Service.METADATA,
    "/brain-regions",
    BrainRegionFilters,
    rows=None,
    key="acronym",
    body=BrainRegionIn,
    cases={
        "acronym": {"visp": "VISp", "VIS_": NOTHING},
        "ancestors": {
            "VISp1": "VISp1 VISp VIS Isocortex CTXpl CTX CH grey root",
            "385": "VISp VIS Isocortex CTXpl CTX CH grey root",
            "visp1": NOTHING,
            "0": NOTHING,
        },
        "descendants": {"VISp": _VISP, "385": _VISP, "VISp1": "VISp1", "no such region": NOTHING},
        "description": {"EYES": "VISp", "%": NOTHING},
        "django": {
            "parent__acronym,VISp,id__lt,700": "VISp1 VISp6a VISp6b",
            "parent,375,name__endswith,CA1": "CA1",
            "parent__isnull,True": "void",
            "channels__trajectory_estimate,$T0": "VISp1 CA1",
            "children__acronym,VISp1": "VISp",
            "fovlocation__provenance,E": "MOs1",
        },
        "id": {"385": "VISp", "0": "void", "-1": NOTHING},
        "name": {"PRIMARY VISUAL AREA LAYER 6": "VISp6a VISp6b", "%": NOTHING},
        "parent": {"385": _VISP.removeprefix("VISp "), "0": "root"},
    },
)

TRAJECTORIES = FilterTable(
    Service.METADATA,
    "/trajectories",
    TrajectoryFilters,
    rows="T0 T1 T2 T3",
    body=TrajectoryIn,
    cases={
        "chronic_insertion": {"$K2": "T3", "$K1": NOTHING},
        "coordinate_system": {
            "IBL-Allen": "T0",
            "057d9a20-aaa9-4f79-8b0c-c8729b4cf160": NOTHING,
            "3B00D02E-ea91-4a37-9427-d83de37a1b63": "T1",
        },
        "date": {"2024-03-02": "T0", "2024-03-03": "T1", "2024-03-05": NOTHING},
        "datetime": {"$T0_datetime": "T0", "$T2_datetime": "T2", "2024-03-02T10:00:00": NOTHING},
        "depth": {"4000.5": "T0", "4001.5": "T1", "4000": NOTHING},
        "django": {
            "probe_insertion__session__subject__nickname,KS001": "T0 T1",
            "channels__brain_region__name__icontains,visual": "T0 T2",
            "channels__isnull,True": "T1 T3",
            "chronic_insertion__subject__nickname,NY001": "T3",
            "provenance__gte,50,x__lt,3": "T0",
            "coordinate_system__name,IBL-Allen": "T0",
            "probe_insertion__datasets__name,spikes.times.npy": "T0",
        },
        "experiment_number": {"001": "T0", "3": "T2", "4": NOTHING},
        "id": {"$T1": "T1", "$S1": NOTHING},
        "phi": {"180.5": "T0", "182.5": "T2", "180": NOTHING},
        "probe": {"probe01": "T1", "probe": NOTHING},
        "probe_insertion": {"$probe02": "T2", "$T2": NOTHING},
        "project": {"MAZE": "T0 T1", "maze,two": "T1"},
        "provenance": {"Ephys aligned histology track": "T0", "planned": "T1", "50": "T2", "30": "T3"},
        "roll": {"5.5": "T0", "5": NOTHING},
        "session": {"$S3": "T2", "$probe02": NOTHING},
        "subject": {"ks001": "T0 T1", "KS00": NOTHING},
        "theta": {"15.5": "T0", "17.5": "T2", "15": NOTHING},
        "x": {"1.5": "T0", "3.5": "T2", "1": NOTHING},
        "y": {"2.5": "T0", "3.5": "T1", "1": NOTHING},
        "z": {"3.5": "T0", "4.5": "T1", "1": NOTHING},
    },
)

CHANNELS = FilterTable(
    Service.METADATA,
    "/channels",
    ChannelFilters,
    rows="C0 C1 C2",
    body=ChannelIn,
    cases={
        "axial": {"20.5": "C1", "0": "C0", "20": NOTHING},
        "brain_region": {"382": "C1", "385": "C2"},
        "django": {
            "brain_region__parent,385": "C0",
            "trajectory_estimate__provenance,70,name__gt,C0": "C1",
            "trajectory_estimate__probe_insertion__session__lab__name,coastlab": "C2",
        },
        "id": {"$C1": "C1", "$T0": NOTHING},
        "lab": {"COASTLAB": "C2", "coast": NOTHING},
        "lateral": {"11.5": "C1", "0": "C0", "11": NOTHING},
        "name": {"C2": "C2", "C": NOTHING},
        "probe_insertion": {"$probe00": "C0 C1", "$probe01": NOTHING},
        "session": {"$S3": "C2", "$S2": NOTHING},
        "subject": {"ny001": "C2", "NY": NOTHING},
        "trajectory_estimate": {"$T0": "C0 C1", "$T1": NOTHING},
        "x": {"1.5": "C0", "2.5": "C1", "1": NOTHING},
        "y": {"2.5": "C0", "3.5": "C1", "1": NOTHING},
        "z": {"3.5": "C0", "4.5": "C1", "1": NOTHING},
    },
)

CHRONIC_INSERTIONS = FilterTable(
    Service.METADATA,
    "/chronic-insertions",
    ChronicInsertionFilters,
    rows="K1 K2",
    body=ChronicInsertionIn,
    cases={
        "atlas_acronym": {"visp": "K1", "VISp4": NOTHING},
        "atlas_id": {"375": "K1", "721": NOTHING},
        "atlas_name": {"field ca1": "K1", "thalamus": NOTHING},
        "django": {
            "probe_insertion__session__number,1": "K1",
            "probe_insertion__trajectory_estimate__channels__brain_region,382": "K1",
            "subject__nickname,NY001": "K2",
            "probe_insertion__isnull,True": "K2",
        },
        "end_time": {"2024-01-02T10:00:00": "K1", "2024-01-02": NOTHING},
        "id": {"$K2": "K2", "$S1": NOTHING},
        "lab": {"COASTLAB": "K2", "coast": NOTHING},
        "location": {"_iblrig_7": "K1", "_iblrig": NOTHING},
        "model": {"Neuropixel 3B2": "K1", "3B2": NOTHING},
        "name": {"deep": "K1", "dee": NOTHING},
        "narrative": {"calm": "K1", "cal": NOTHING},
        "probe": {"$probe00": "K1", "$probe01": NOTHING},
        "procedures": {"Histology": "K1", "Histo": NOTHING},
        "serial": {"18005": "K1", "800": NOTHING},
        "session": {"$S1": "K1", "$S2": NOTHING},
        "start_time": {"2024-01-01 10:00:00": "K1", "2024-01-01": "K2"},
        "subject": {"ks001": "K1", "KS00": NOTHING},
        "users": {"ada": "K1", "ada,bob": NOTHING},
    },
)

TABLES = (BRAIN_REGIONS, TRAJECTORIES, CHANNELS, CHRONIC_INSERTIONS)
