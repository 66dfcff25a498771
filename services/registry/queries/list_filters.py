"""Filters of registry's lists."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import ConfigDict
from sqlalchemy.orm import aliased

from libs.common.db.conditions import Condition
from libs.common.filters.list_filters import (
    Combined,
    FreeFilter,
    ListFilters,
    Where,
    WhereTrue,
    contains,
    parameter,
)
from libs.common.filters.parameters import CommaList, Day, Parsed, Qc, Text, Truth, UuidText, WholeNumber
from libs.common.published import SESSIONS, table
from libs.common.schemas.states import ContentType, CopyState
from libs.common.visibility import Visibility
from services.registry.models import (
    CopyRow,
    DatasetRow,
    DatasetTagRow,
    DatasetTypeRow,
    DownloadRow,
    FormatRow,
    RepositoryRow,
    TagRow,
    VersionRow,
)
from services.registry.models.expressions import is_shown
from services.registry.queries import django_filters, visible
from services.registry.queries.columns import has_shown_copy, is_of_file, path_of_copy, size_of_dataset
from services.registry.queries.downloads import username

_SESSION = table(SESSIONS).c
_CREATED_ON = sa.cast(sa.func.timezone("UTC", DatasetRow.created_at), sa.Date)


def _parse_size(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    raise ValueError(f"'{text}' is not a number of bytes.")


Size = Annotated[int, Parsed(_parse_size)]


def _has_tags(names: tuple[str, ...]) -> Condition:
    """The dataset has all of these tags, by name or id."""
    return sa.and_(
        *(
            sa.exists().where(
                DatasetTagRow.dataset_id == DatasetRow.id,
                TagRow.id == DatasetTagRow.tag_id,
                sa.or_(TagRow.name == name, sa.cast(TagRow.id, sa.Text) == name),
            )
            for name in names
        )
    )


def _is_created_on(day: date) -> Condition:
    return sa.func.coalesce(day == _CREATED_ON, False)


def _is_at_path(path: str) -> Condition:
    """subject/date/number/…, as a file record shows it; whole."""
    return path_of_copy() == path.strip("/")


class DatasetFilters(ListFilters):
    """Filters of the list of datasets."""

    collection: Annotated[Text, Where(lambda value: DatasetRow.collection == value)] = parameter(
        "Collection, such as alf/probe00."
    )
    content_type: Annotated[
        Text, Where(lambda value: DatasetRow.content_type == ContentType.name_in(value))
    ] = parameter("Type of the object that an aggregate dataset belongs to, such as subject.")
    created_by: Annotated[Text, Where(lambda value: DatasetRow.created_by == value)] = parameter(
        "Username of the user who registered it last."
    )
    created_date: Annotated[Day, Where(_is_created_on)] = parameter("Day of its creation (UTC).")
    created_date_gte: Annotated[Day, Where(lambda day: day <= _CREATED_ON)] = parameter(
        "First day of its creation (UTC)."
    )
    created_date_lte: Annotated[Day, Where(lambda day: day >= _CREATED_ON)] = parameter(
        "Last day of its creation (UTC)."
    )
    data_format: Annotated[Text, Where(lambda value: FormatRow.name == value)] = parameter(
        "Name of its data format."
    )
    dataset_type: Annotated[Text, Where(lambda value: DatasetTypeRow.name == value)] = parameter(
        "Name of its dataset type."
    )
    date: Annotated[Day, Where(lambda day: _SESSION.date == day)] = parameter("Day of its session.")
    default_dataset: Annotated[Truth, WhereTrue(DatasetRow.is_default.is_(True))] = parameter(
        "Whether it is the default revision of its file."
    )
    django: Annotated[Text, FreeFilter(django_filters.DATASETS)] = parameter(
        "Alyx's free filter: `field,value,…`."
    )
    exists: Annotated[Truth, WhereTrue(has_shown_copy(RepositoryRow.globus_is_personal.is_(False)))] = (
        parameter("Whether it exists in a repository that is not personal.")
    )
    experiment_number: Annotated[WholeNumber, Where(lambda number: _SESSION.number == number)] = parameter(
        "Number of its session."
    )
    file_size: Annotated[Size, Where(lambda size: size_of_dataset() == size)] = parameter("Size in bytes.")
    hash: Annotated[Text, Where(lambda value: VersionRow.md5 == value.lower())] = parameter("MD5.")
    id: Annotated[UuidText, Where(lambda value: DatasetRow.id == value)] = parameter("Id.")
    lab: Annotated[Text, Where(lambda value: _SESSION.lab == value)] = parameter("Lab of its session.")
    md5: Annotated[Text, Where(lambda value: VersionRow.md5 == value.lower().replace("-", ""))] = parameter(
        "MD5, with or without hyphens."
    )
    name: Annotated[Text, Where(lambda value: DatasetRow.name == value)] = parameter("File name.")
    object_id: Annotated[UuidText, Where(lambda value: DatasetRow.object_id == value)] = parameter(
        "Id of the object that an aggregate dataset belongs to."
    )
    probe_insertion: Annotated[Text, Where(lambda value: contains(DatasetRow.collection, value))] = parameter(
        "Part of its collection, such as probe00."
    )
    protected: Annotated[Truth, WhereTrue(visible.is_protected())] = parameter(
        "Whether it has a protected tag."
    )
    public: Annotated[Truth, WhereTrue(visible.is_public())] = parameter("Whether it has a public tag.")
    qc: Annotated[Qc, Where(lambda code: DatasetRow.qc == code)] = parameter(
        "Its quality control, by name or number."
    )
    revision: Annotated[Text, Where(lambda value: DatasetRow.revision == value)] = parameter("Revision.")
    session: Annotated[UuidText, Where(lambda value: DatasetRow.session_id == value)] = parameter(
        "Id or URL of its session."
    )
    subject: Annotated[Text, Where(lambda value: _SESSION.subject == value)] = parameter(
        "Nickname of its session's subject."
    )
    tag: Annotated[CommaList, Where(_has_tags)] = parameter("Names or ids of tags, all of which must match.")
    tags: Annotated[CommaList, Where(_has_tags)] = parameter("Alias of `tag`.")
    version: Annotated[Text, Where(lambda value: DatasetRow.software_version == value)] = parameter(
        "Version of the software that wrote it."
    )


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
    globus_is_personal: Annotated[Truth, WhereTrue(RepositoryRow.globus_is_personal.is_(True))] = parameter(
        "Whether its repository is personal."
    )
    id: Annotated[UuidText, Where(is_of_file)] = parameter("Id.")
    lab: Annotated[Text, Where(lambda value: _SESSION.lab == value)] = parameter("Lab of its session.")
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

    model_config = ConfigDict(extra="forbid")  # our own route: an unknown filter is refused

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


class DownloadFilters(ListFilters):
    """Filters of the list of counters of downloads."""

    user: Annotated[Text, Where(lambda value: username() == value)] = parameter("Username.")
    dataset: Annotated[Text, Where(lambda value: DatasetRow.name == value)] = parameter(
        "File name of the dataset."
    )
    dataset_type: Annotated[Text, Where(lambda value: contains(DatasetTypeRow.name, value))] = parameter(
        "Part of the name of its dataset type."
    )
    count: Annotated[WholeNumber, Where(lambda value: DownloadRow.count == value)] = parameter(
        "Number of downloads."
    )
    json_: Annotated[Text, Where(lambda value: contains(sa.cast(DownloadRow.json, sa.Text), value))] = (
        parameter("Part of its `json` as text.", alias="json")
    )
    django: Annotated[Text, FreeFilter(django_filters.DOWNLOADS)] = parameter(
        "Alyx's free filter: `field,value,…`."
    )


class RepositoryFilters(ListFilters):
    """Filters of the list of repositories."""

    name: Annotated[Text, Where(lambda value: RepositoryRow.name == value)] = parameter("Name.")
    globus_is_personal: Annotated[Truth, WhereTrue(RepositoryRow.globus_is_personal.is_(True))] = parameter(
        "Whether it is personal."
    )
    globus_endpoint_id: Annotated[
        UuidText, Where(lambda value: RepositoryRow.globus_endpoint_id == value)
    ] = parameter("Id of its Globus endpoint.")


class VocabularyFilters(ListFilters):
    """Filters of the list of a vocabulary."""

    name: Annotated[Text, Where(lambda value: _name() == value)] = parameter("Name.")


class DatasetTypeFilters(ListFilters):
    """Filters of the list of dataset types."""

    name: Annotated[Text, Where(lambda value: DatasetTypeRow.name == value)] = parameter("Name.")
    needs_review: Annotated[Truth, WhereTrue(DatasetTypeRow.needs_review)] = parameter(
        "Created by a registration, and not confirmed by an administrator."
    )


def _name() -> sa.ColumnElement[Any]:
    return sa.column("name")  # that of the one table in a vocabulary's list
