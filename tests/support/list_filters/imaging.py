"""Filters of the lists of fields of view, their locations and imaging stacks."""

from __future__ import annotations

from libs.common.catalogue import Service
from libs.common.schemas.fields_of_view import FieldOfViewIn
from libs.common.schemas.fov_locations import FovLocationIn
from libs.common.schemas.imaging_stacks import ImagingStackIn
from services.metadata.queries.list_filters.fields_of_view import FieldOfViewFilters
from services.metadata.queries.list_filters.fov_locations import FovLocationFilters
from services.metadata.queries.list_filters.imaging_stacks import ImagingStackFilters
from tests.support.list_filters.tables import NOTHING, FilterTable

FIELDS_OF_VIEW = FilterTable(
    Service.METADATA,
    "/fields-of-view",
    FieldOfViewFilters,
    rows="F0 F1",
    body=FieldOfViewIn,
    cases={
        "atlas_acronym": {"mop1": "F0", "MOP": "F0", "MOs1": NOTHING},
        "atlas_id": {"320": "F0", "985": "F0", "656": NOTHING},
        "atlas_name": {"primary MOTOR": "F0", "secondary motor": NOTHING},
        "dataset_types": {"clusters.depths": "F1", "spikes.amps": "F0", "clusters": NOTHING},
        "datasets": {"clusters.depths.npy": "F1", "spikes.amps.npy": "F0", "clusters.depths": NOTHING},
        "date": {"2024-03-02": "F0", "2024-03-05": NOTHING},
        "django": {
            "session__subject__lab__name,hilllab": "F0 F1",
            "location__brain_region__acronym,MOs1": "F0",
            "location__default_provenance,True": "F0",
            "location__isnull,True": "F1",
            "stack__name,roi 7": "F0",
            "imaging_type__name,mesoscope": "F0",
            "datasets__name__icontains,depths": "F1",
            "json__depth,200": "F1",
        },
        "experiment_number": {"001": "F0", "2": "F1", "3": NOTHING},
        "id": {"$F1": "F1", "$S1": NOTHING},
        "imaging_type": {"mesoscope": "F0", "meso": NOTHING},
        "lab": {"HILLLAB": "F0 F1", "coastlab": NOTHING},
        "name": {"FOV_00": "F0", "probe01": "F1", "FOV": NOTHING},
        "project": {"MAZE": "F0 F1", "maze,two": "F1"},
        "session": {"$S2": "F1", "$F1": NOTHING},
        "stack": {"$Z0": "F0", "$Z1": NOTHING},
        "subject": {"ks001": "F0 F1", "KS00": NOTHING},
    },
)

FOV_LOCATIONS = FilterTable(
    Service.METADATA,
    "/fov-location",
    FovLocationFilters,
    rows="L0 L1",
    body=FovLocationIn,
    cases={
        "auto_datetime": {"$L0_auto_datetime": "L0", "2020-01-01": NOTHING},
        "brain_region": {"656": "L0", "320": "L1", "985,320": "L1", "[985]": "L1", "1": NOTHING},
        "coordinate_system": {
            "IBL-Allen": "L1",
            "3b00d02e-ea91-4a37-9427-d83de37a1b63": "L0",
            "Paxinos": NOTHING,
        },
        "default_provenance": {"True": "L1", "false": "L0"},
        "django": {
            "field_of_view__session,$S1,provenance,E": "L0",
            "brain_region__parent__acronym,MOp": "L1",
            "x__0,2": "L1",
            "coordinate_system__name,Needles-Allen": "L0",
            "json__side,left": "L1",
        },
        "field_of_view": {"$F0": "L0 L1", "$F1": NOTHING},
        "id": {"$L1": "L1", "$F0": NOTHING},
        "n_xyz": {"256": "L0", "512": "L1", "1": "L0 L1"},
        "provenance": {"ESTIMATE": "L0", "h": "L1", "Landmark": NOTHING},
        "x": {"1.5": "L0", "2": "L1", "3": NOTHING},
        "y": {"2.5": "L0", "3": "L1", "4": NOTHING},
        "z": {"-3.5": "L0", "-4": "L1", "4": NOTHING},
    },
)

IMAGING_STACKS = FilterTable(
    Service.METADATA,
    "/imaging-stack",
    ImagingStackFilters,
    rows="Z0 Z1",
    body=ImagingStackIn,
    cases={
        "atlas_acronym": {"MOp": "Z0", "MOs": NOTHING},
        "atlas_id": {"985": "Z0", "656": NOTHING},
        "atlas_name": {"motor": "Z0", "secondary": NOTHING},
        "django": {
            "slices__name,FOV_00": "Z0",
            "slices__isnull,True": "Z1",
            "slices__session__subject__nickname,KS001": "Z0",
            "json__depth,7": "Z1",
        },
        "id": {"$Z1": "Z1", "$F0": NOTHING},
        "name": {"roi 7": "Z0", "roi": NOTHING},
    },
)

TABLES = (FIELDS_OF_VIEW, FOV_LOCATIONS, IMAGING_STACKS)
