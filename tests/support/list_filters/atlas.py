"""Filters of the lists of the atlas."""

from __future__ import annotations

from libs.common.catalogue import Service
from libs.common.schemas.brain_regions import BrainRegionIn
from services.metadata.queries.list_filters.brain_regions import BrainRegionFilters
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
        },
        "id": {"385": "VISp", "0": "void", "-1": NOTHING},
        "name": {"PRIMARY VISUAL AREA LAYER 6": "VISp6a VISp6b", "%": NOTHING},
        "parent": {"385": _VISP.removeprefix("VISp "), "0": "root"},
    },
)

TABLES = (BRAIN_REGIONS,)
