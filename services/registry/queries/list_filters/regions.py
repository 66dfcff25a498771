"""Filters of datasets by the brain regions that their probe or field of view recorded: published by metadata."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from libs.common.db.conditions import Condition
from libs.common.filters.dataset_folders import is_dataset_of_field_of_view
from libs.common.filters.regions import Atlas, Regions
from libs.common.published import BRAIN_REGIONS, RECORDED_REGIONS, table
from libs.common.visibility import Visibility
from services.registry.models import DatasetRow

ATLAS: Final = Atlas(lambda: table(BRAIN_REGIONS).alias().c)


def is_dataset_in(_visibility: Visibility, regions: Regions) -> Condition:
    """The dataset is of a probe or a field of view that recorded in one of the regions."""
    recorded, dataset = table(RECORDED_REGIONS).c, aliased(DatasetRow)
    owner = (
        sa.select(recorded.session_id, recorded.name, recorded.dataset_ids)
        .where(recorded.region_id.in_(regions))
        .distinct()
        .subquery("owner")
    )
    return DatasetRow.id.in_(sa.select(dataset.id).join(owner, is_dataset_of_field_of_view(dataset, owner.c)))
