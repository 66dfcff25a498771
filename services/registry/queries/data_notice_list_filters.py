"""Filters of the list of notices on datasets, and which notices a caller sees."""

from __future__ import annotations

from typing import Annotated, Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from libs.common.db.conditions import Condition
from libs.common.filters import Field, FieldMap, JsonField, Relation
from libs.common.filters.list_filters import FreeFilter, ListFilters, Where, WhereVisible, parameter
from libs.common.filters.parameters import CommaList, Day, Parsed, Text
from libs.common.published import USERS, table
from libs.common.schemas.files.data_notices import parse_importance
from libs.common.visibility import Visibility
from libs.common.visible import is_dataset_visible
from services.registry.models import (
    DataNoticeDatasetRow,
    DataNoticeRow,
    DatasetRow,
    DatasetTagRow,
    TagRow,
)
from services.registry.queries.django_filters import DATASETS, NAMED_USERS, USERS_MAP

_notice = cast(sa.Table, DataNoticeRow.__table__)
_about = cast(sa.Table, DataNoticeDatasetRow.__table__)
_dataset = cast(sa.Table, DatasetRow.__table__)
_user = table(USERS)


def is_notice_visible(visibility: Visibility, notice: Any) -> Condition:
    """Notices on a dataset that the caller can see; those on no dataset are for all who are no public readers."""
    link = aliased(DataNoticeDatasetRow)
    about = sa.exists().where(link.data_notice_id == notice.id)
    shown = about.where(is_dataset_visible(visibility, link.dataset_id)).correlate_except(link)
    conditions: list[Condition] = [shown]
    if visibility.everything:  # also where the datasets are gone
        conditions = [sa.true()]
    elif not visibility.public_only and visibility.labs is None:
        conditions.append(~about.correlate_except(link))
    return sa.and_(notice.deleted_at.is_(None), sa.or_(*conditions))


NOTICES = FieldMap("data notices", _notice, {
    "id": Field(_notice.c.id, "uuid"),
    "name": Field(_notice.c.name, "text"),
    "description": Field(_notice.c.description, "text"),
    "importance": Field(_notice.c.importance, "int"),
    "version_affected": Field(_notice.c.version_affected, "text"),
    "affected_date_start": Field(_notice.c.affected_date_start, "date"),
    "affected_date_end": Field(_notice.c.affected_date_end, "date"),
    "created_datetime": Field(_notice.c.created_at, "datetime"),
    "json": JsonField(_notice.c.json),
    "created_by": Relation(
        lambda: USERS_MAP,
        on=_user.c.id == _notice.c.user_id,
        key=_notice.c.user_id,
        shown=Relation(lambda: NAMED_USERS, on=NAMED_USERS.source.c.id == _notice.c.user_id),
    ),
    "datasets": Relation(lambda: DATASETS, on=sa.and_(
        _about.c.data_notice_id == _notice.c.id, _about.c.dataset_id == _dataset.c.id,
    )),
}, visible=is_notice_visible)  # fmt: skip


def _parse_ids(text: str) -> tuple[UUID, ...]:
    ids = [part.strip() for part in text.split(",") if part.strip()]
    try:
        return tuple(map(UUID, ids))
    except ValueError:
        raise ValueError(f"'{text}' is not a list of UUIDs.") from None


Ids = Annotated[tuple[UUID, ...], Parsed(_parse_ids)]
ImportanceText = Annotated[int, Parsed(parse_importance)]


def _is_about(visibility: Visibility, ids: tuple[UUID, ...]) -> Condition:
    link = aliased(DataNoticeDatasetRow)
    about = sa.exists().where(
        link.data_notice_id == DataNoticeRow.id,
        link.dataset_id.in_(ids),
        is_dataset_visible(visibility, link.dataset_id),
    )
    return about.correlate_except(link)


def _has_tag(visibility: Visibility, names: tuple[str, ...]) -> Condition:
    link, tagged, tag = aliased(DataNoticeDatasetRow), aliased(DatasetTagRow), aliased(TagRow)
    about = sa.exists().where(
        link.data_notice_id == DataNoticeRow.id,
        tagged.dataset_id == link.dataset_id,
        tag.id == tagged.tag_id,
        tag.name.in_(names),
        is_dataset_visible(visibility, link.dataset_id),
    )
    return about.correlate_except(link, tagged, tag)


def _is_by(text: str) -> Condition:
    condition: Condition = sa.or_(
        sa.cast(DataNoticeRow.user_id, sa.Text) == text.lower(), _user.c.username == text
    )
    return condition


class DataNoticeFilters(ListFilters):
    """Filters of the list of notices on datasets."""

    affected_date_end: Annotated[Day, Where(lambda day: DataNoticeRow.affected_date_end == day)] = parameter(
        "Last affected day."
    )
    affected_date_start: Annotated[Day, Where(lambda day: DataNoticeRow.affected_date_start == day)] = (
        parameter("First affected day.")
    )
    created_by: Annotated[Text, Where(_is_by)] = parameter("Id or username of the user who wrote it.")
    dataset_tag: Annotated[CommaList, WhereVisible(_has_tag)] = parameter(
        "Names of tags; matches if one of its datasets has one of them."
    )
    datasets: Annotated[Ids, WhereVisible(_is_about)] = parameter(
        "Ids of datasets; matches if it is about one of them."
    )
    django: Annotated[Text, FreeFilter(NOTICES)] = parameter("Alyx's free filter: `field,value,…`.")
    importance: Annotated[
        ImportanceText, Where(lambda importance: DataNoticeRow.importance == importance)
    ] = parameter("Importance: 20, 30, 40 or 50, or its name.")
    name: Annotated[Text, Where(lambda name: DataNoticeRow.name == name)] = parameter("Name.")
    version_affected: Annotated[Text, Where(lambda version: DataNoticeRow.version_affected == version)] = (
        parameter("Affected version.")
    )
