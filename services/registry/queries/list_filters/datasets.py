"""Filters of the list of datasets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa

from libs.common.db.conditions import Condition, any_of, any_text_of
from libs.common.db.naming import ids_among
from libs.common.filters.list_filters import (
    FreeFilter,
    ListFilters,
    Refused,
    Where,
    WhereTrue,
    is_at,
    is_named,
    parameter,
)
from libs.common.filters.parameters import (
    Choices,
    CommaList,
    Day,
    Moment,
    Parsed,
    Qc,
    Text,
    Truth,
    UuidText,
    WholeNumber,
)
from libs.common.filters.regions import ATLAS_ACRONYM, ATLAS_ID, ATLAS_NAME
from libs.common.published import INSERTIONS, LABS, SESSIONS, SUBJECTS, alias, table
from libs.common.schemas.states import ContentType
from services.registry.models import (
    DatasetRow,
    DatasetTagRow,
    DatasetTypeRow,
    FormatRow,
    RepositoryRow,
    TagRow,
    VersionRow,
)
from services.registry.models.expressions import is_current_version
from services.registry.queries import django_filters, visible
from services.registry.queries.authors import is_by
from services.registry.queries.columns import has_shown_copy, size_of_dataset
from services.registry.queries.list_filters.regions import ATLAS, is_dataset_in

_SESSION = table(SESSIONS).c
LAB = "Name of its lab, that of its session or subject, or several with commas between."
_CREATED_ON = sa.cast(sa.func.timezone("UTC", DatasetRow.created_at), sa.Date)


def _parse_size(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    raise ValueError(f"'{text}' is not a number of bytes.")


Size = Annotated[int, Parsed(_parse_size)]


def _is_of_insertion(insertion_id: UUID) -> Condition:
    """The dataset is of the insertion's session, and its collection contains the insertion's name."""
    insertion = table(INSERTIONS)
    name, collection = sa.func.lower(insertion.c.name), sa.func.lower(DatasetRow.collection)
    of_insertion = sa.exists().where(
        insertion.c.id == insertion_id,
        insertion.c.session_id == DatasetRow.session_id,
        sa.func.strpos(collection, name) > 0,
    )
    return of_insertion.correlate_except(insertion)


def _has_version(condition: Condition) -> Condition:
    return sa.exists().where(is_current_version(), condition).correlate_except(VersionRow)


def _is_of_format(text: str) -> Condition:
    return DatasetRow.format_id.in_(
        sa.select(FormatRow.id).where(is_named(FormatRow.name, FormatRow.id, text))
    )


def _is_of_type(name: str) -> Condition:
    return DatasetRow.dataset_type_id.in_(sa.select(DatasetTypeRow.id).where(DatasetTypeRow.name == name))


def _is_of_session(condition: Condition) -> Condition:
    sessions = table(SESSIONS)
    return DatasetRow.session_id.in_(sa.select(sessions.c.id).where(condition))


def _is_of_subjects(nicknames: Sequence[str]) -> Condition:
    """The dataset is of a session of one of these subjects, or an aggregate of one."""
    session, subject = alias(SESSIONS, "of subjects"), alias(SUBJECTS, "named")
    in_session: Condition = session.c.subject == any_text_of(nicknames)
    of_subject: Condition = subject.c.nickname == any_text_of(nicknames)
    if ids := ids_among(nicknames):
        in_session = sa.or_(in_session, session.c.subject_id == any_of(ids))
        of_subject = sa.or_(of_subject, subject.c.id == any_of(ids))
    return _is_of(
        sa.select(session.c.id).where(in_session),
        (ContentType.SUBJECT, sa.select(subject.c.id).where(of_subject)),
    )


def is_of_labs(names: Sequence[str]) -> Condition:
    """The dataset is of a session in one of these labs, or an aggregate of one of their subjects or of the lab."""
    session, subject, lab = alias(SESSIONS, "of labs"), alias(SUBJECTS, "of labs"), alias(LABS, "named")
    return _is_of(
        sa.select(session.c.id).where(session.c.lab == any_text_of(names)),
        (ContentType.SUBJECT, sa.select(subject.c.id).where(subject.c.lab == any_text_of(names))),
        (ContentType.LAB, sa.select(lab.c.id).where(lab.c.name == any_text_of(names))),
    )


def _is_of(sessions: sa.Select[Any], *objects: tuple[ContentType, sa.Select[Any]]) -> Condition:
    """The dataset is of one of these sessions or objects. Each list of ids is read once, and both have an index."""
    return sa.or_(
        DatasetRow.session_id == sa.any_(_ids(sessions)),
        *(
            sa.and_(DatasetRow.content_type == content_type, DatasetRow.object_id == sa.any_(_ids(ids)))
            for content_type, ids in objects
        ),
    )


def _ids(statement: sa.Select[Any]) -> Any:
    return sa.func.array(statement.scalar_subquery(), type_=sa.ARRAY(sa.UUID))


def _has_tags(names: tuple[str, ...]) -> Condition:
    """The dataset has all of these tags, by name or id."""
    return sa.and_(
        *(
            sa.exists().where(
                DatasetTagRow.dataset_id == DatasetRow.id,
                TagRow.id == DatasetTagRow.tag_id,
                is_named(TagRow.name, TagRow.id, name),
            )
            for name in names
        )
    )


def _is_created_on(day: date) -> Condition:
    return sa.func.coalesce(day == _CREATED_ON, False)


class DatasetFilters(ListFilters):
    """Filters of the list of datasets."""

    atlas_acronym: Annotated[Text, ATLAS.by_acronym(is_dataset_in)] = parameter(ATLAS_ACRONYM)
    atlas_id: Annotated[WholeNumber, ATLAS.by_id(is_dataset_in)] = parameter(ATLAS_ID)
    atlas_name: Annotated[Text, ATLAS.by_name(is_dataset_in)] = parameter(ATLAS_NAME)
    auto_datetime: Annotated[Moment, Where(lambda when: is_at(DatasetRow.auto_datetime, when))] = parameter(
        "Time of its last change, as in the response."
    )
    collection: Annotated[Text, Where(lambda value: DatasetRow.collection == value)] = parameter(
        "Collection, such as alf/probe00."
    )
    content_type: Annotated[
        Text, Where(lambda value: DatasetRow.content_type == ContentType.name_in(value))
    ] = parameter("Type of the object that an aggregate dataset belongs to, such as subject.")
    created_by: Annotated[Text, Where(is_by)] = parameter("Username of the user who registered it last.")
    created_datetime: Annotated[Moment, Where(lambda when: is_at(DatasetRow.created_at, when))] = parameter(
        "Time of its creation, as in the response."
    )
    created_date: Annotated[Day, Where(_is_created_on)] = parameter("Day of its creation (UTC).")
    created_date_gte: Annotated[Day, Where(lambda day: day <= _CREATED_ON)] = parameter(
        "First day of its creation (UTC)."
    )
    created_date_lte: Annotated[Day, Where(lambda day: day >= _CREATED_ON)] = parameter(
        "Last day of its creation (UTC)."
    )
    data_format: Annotated[Text, Where(_is_of_format)] = parameter("Name or id of its data format.")
    dataset_type: Annotated[Text, Where(_is_of_type)] = parameter("Name of its dataset type.")
    date: Annotated[Day, Where(lambda day: _is_of_session(_SESSION.date == day))] = parameter(
        "Day of its session."
    )
    default_dataset: Annotated[Truth, WhereTrue(DatasetRow.is_default.is_(True))] = parameter(
        "Whether it is the default revision of its file."
    )
    django: Annotated[Text, FreeFilter(django_filters.DATASETS)] = parameter(
        "Alyx's free filter: `field,value,…`."
    )
    exists: Annotated[Truth, WhereTrue(has_shown_copy(RepositoryRow.globus_is_personal.is_(False)))] = (
        parameter("Whether it exists in a repository that is not personal.")
    )
    experiment_number: Annotated[
        WholeNumber, Where(lambda number: _is_of_session(_SESSION.number == number))
    ] = parameter("Number of its session.")
    file_size: Annotated[Size, Where(lambda size: _has_version(size_of_dataset() == size))] = parameter(
        "Size in bytes."
    )
    generating_software: Annotated[Text, Refused()] = parameter(
        "Refused: what wrote a dataset is stored as `version` only."
    )
    hash: Annotated[Text, Where(lambda value: _has_version(VersionRow.md5 == value.lower()))] = parameter(
        "MD5."
    )
    id: Annotated[UuidText, Where(lambda value: DatasetRow.id == value)] = parameter("Id.")
    lab: Annotated[Choices, Where(is_of_labs)] = parameter(LAB)
    md5: Annotated[
        Text, Where(lambda value: _has_version(VersionRow.md5 == value.lower().replace("-", "")))
    ] = parameter("MD5, with or without hyphens.")
    name: Annotated[Text, Where(lambda value: DatasetRow.name == value)] = parameter("File name.")
    object_id: Annotated[UuidText, Where(lambda value: DatasetRow.object_id == value)] = parameter(
        "Id of the object that an aggregate dataset belongs to."
    )
    probe_insertion: Annotated[UuidText, Where(_is_of_insertion)] = parameter(
        "Id of a probe insertion: the datasets of its session whose collection contains its name."
    )
    protected: Annotated[Truth, WhereTrue(visible.is_protected())] = parameter(
        "Whether it has a protected tag."
    )
    provenance_directory: Annotated[Text, Refused()] = parameter(
        "Refused: directories of provenance are not stored."
    )
    public: Annotated[Truth, WhereTrue(visible.is_public())] = parameter(
        "Whether a public tag or release covers it."
    )
    qc: Annotated[Qc, Where(lambda code: DatasetRow.qc == code)] = parameter(
        "Its quality control, by name or number."
    )
    revision: Annotated[Text, Where(lambda value: DatasetRow.revision == value)] = parameter("Revision.")
    session: Annotated[UuidText, Where(lambda value: DatasetRow.session_id == value)] = parameter(
        "Id or URL of its session."
    )
    subject: Annotated[Choices, Where(_is_of_subjects)] = parameter(
        "Nickname or id of its subject, or of that of its session, or several with commas between."
    )
    tag: Annotated[CommaList, Where(_has_tags)] = parameter("Names or ids of tags, all of which must match.")
    tags: Annotated[CommaList, Where(_has_tags)] = parameter("Alias of `tag`.")
    version: Annotated[Text, Where(lambda value: DatasetRow.software_version == value)] = parameter(
        "Version of the software that wrote it."
    )
