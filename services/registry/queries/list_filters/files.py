"""Filters of the lists of file records and of copies."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from cingulum.alf import registered_path
from libs.common.db.conditions import Condition
from libs.common.filters.list_filters import (
    Combined,
    FreeFilter,
    ListFilters,
    Where,
    WhereTrue,
    parameter,
)
from libs.common.filters.parameters import (
    Choices,
    Text,
    Truth,
    UuidText,
)
from libs.common.published import SESSIONS, table
from libs.common.schemas.states import CopyState
from libs.common.visibility import Visibility
from services.registry.models import (
    CopyRow,
    DatasetRow,
    RepositoryRow,
    VersionRow,
)
from services.registry.models.expressions import is_shown
from services.registry.queries import django_filters
from services.registry.queries.columns import is_of_file, path_of_copy
from services.registry.queries.list_filters.datasets import LAB, is_of_labs

_SESSION = table(SESSIONS).c


def _is_at_path(path: str) -> Condition:
    """subject/date/number/…, whole, with any spelling of the number."""
    return path_of_copy() == registered_path(path.strip("/"))


class FileFilters(ListFilters):
    """Filters of the list of file records."""

    data_repository: Annotated[Text, Where(lambda value: RepositoryRow.name == value)] = parameter(
        "Name of its repository."
    )
    dataset: Annotated[UuidText, Where(lambda value: CopyRow.dataset_id == value)] = parameter(
        "Id or URL of its dataset."
    )
    django: Annotated[Text, FreeFilter(django_filters.FILES)] = parameter(
        "Alyx's free filter: `field,value,…`."
    )
    exists: Annotated[Truth, WhereTrue(is_shown())] = parameter("Whether the file exists.")
    globus_is_personal: Annotated[Truth, Where(RepositoryRow.globus_is_personal.is_)] = parameter(
        "Whether its repository is personal."
    )
    id: Annotated[UuidText, Where(is_of_file)] = parameter("Id.")
    lab: Annotated[Choices, Where(is_of_labs)] = parameter(LAB)
    name: Annotated[Text, Where(lambda value: DatasetRow.name == value)] = parameter("File name.")
    relative_path: Annotated[Text, Where(_is_at_path)] = parameter("subject/date/number/…")


def _is_in_repository(repository: str) -> Condition:
    """The same version has a copy in that repository, verified or claimed."""
    other, other_repository = aliased(CopyRow), aliased(RepositoryRow)
    states = (CopyState.VERIFIED, CopyState.CLAIMED, CopyState.LANDED)
    return sa.exists().where(
        other.dataset_id == CopyRow.dataset_id,
        other.generation == CopyRow.generation,
        other_repository.id == other.repository_id,
        other_repository.name == repository,
        sa.or_(other.state.in_(states), other.order_proof.is_(True)),
    )


class CopyFilters(ListFilters):
    """Filters of the list of copies. Without `history`, only those of current versions, and no retired ones."""

    id: Annotated[UUID, Where(lambda value: CopyRow.id == value)] = parameter("Id.")
    session: Annotated[UUID, Where(lambda value: DatasetRow.session_id == value)] = parameter(
        "Id of its session."
    )
    dataset: Annotated[UUID, Where(lambda value: CopyRow.dataset_id == value)] = parameter(
        "Id of its dataset."
    )
    repository: Annotated[str, Where(lambda value: RepositoryRow.name == value)] = parameter(
        "Name of its repository."
    )
    lab: Annotated[str, Where(lambda value: sa.func.split_part(DatasetRow.lab_path, "/", 1) == value)] = (
        parameter("Lab of its session.")
    )
    state: Annotated[CopyState | None, Combined()] = parameter("State.")
    order_proof: Annotated[bool, Where(CopyRow.order_proof.is_)] = parameter(
        "Whether its bytes have to be read for a proof."
    )
    held_by: Annotated[str, Where(_is_in_repository)] = parameter(
        "Name of another repository that holds the same version, verified or claimed."
    )
    sha256: Annotated[str, Where(lambda value: VersionRow.sha256 == value)] = parameter(
        "SHA-256 of its version."
    )
    history: Annotated[bool, Combined()] = parameter("Include copies of older versions and retired ones.")
    limit: Annotated[int, Combined()] = parameter("Rows per page.")
    offset: Annotated[int, Combined()] = parameter("Rows before the page.")

    def combined(self, _visibility: Visibility) -> list[Condition]:
        """The state, and unless history is included the current versions."""
        conditions: list[Condition] = []
        if self.state is not None:
            conditions.append(CopyRow.state == self.state)
        if not self.history:
            conditions.append(CopyRow.generation == DatasetRow.generation)
            if self.state is None:
                conditions.append(CopyRow.state != CopyState.RETIRED)
        return conditions
