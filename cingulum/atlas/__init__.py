"""The tree of regions of the Allen mouse atlas (CCF 2017): ids, acronyms, names and parents."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

REGIONS = Path(__file__).with_name("brain_regions.csv")


@cache
def acronyms() -> Mapping[int, str]:
    """The acronym of each region by its id.

    >>> acronyms()[385]
    'VISp'
    """
    with REGIONS.open(encoding="utf-8", newline="") as file:
        return MappingProxyType({int(row["id"]): row["acronym"] for row in csv.DictReader(file)})
