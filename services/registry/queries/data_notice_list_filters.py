"""Filters of the list of notices on datasets, and which notices a caller sees."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from libs.common.db.conditions import Condition
from libs.common.filters.list_filters import FreeFilter, ListFilters, Where, WhereVisible, parameter
from libs.common.filters.parameters import CommaList, Day, Parsed, Text
from libs.common.published import USERS, table
from libs.common.schemas.files.data_notices import parse_importance
from libs.common.visibility import Visibility
from libs.common.visible import is_dataset_visible
from libs.common.visible_notices import is_noted_dataset_visible, is_notice_row_visible
from services.registry.models import (
    DataNoticeDatasetRow,
    DataNoticeRow,
    DatasetTagRow,
    TagRow,
)
from services.registry.queries.django_filters import NOTICES

_user = table(USERS)


def is_notice_visible(visibility: Visibility, notice: Any) -> Condition:
    """Notices on a dataset that the caller can see; those on no dataset are for all who are no public readers."""
    return sa.and_(notice.deleted_at.is_(None), is_notice_row_visible(visibility, notice.id))


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
        is_noted_dataset_visible(visibility, link.data_notice_id, link.dataset_id),
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
