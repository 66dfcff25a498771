"""Pages of datasets: the ids are found first, and only the datasets of the page are read whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from libs.common.db import PageSession
from libs.common.db.conditions import Condition
from libs.common.db.json_pages import fetch_json_page, json_time, page_by_id, per_caller, request_value
from libs.common.published import SESSIONS, table
from libs.common.schemas.pages import JsonPage, PageRequest
from libs.common.schemas.qc import QC_NAMES
from libs.common.schemas.states import ContentType
from libs.common.visibility import Visibility
from libs.common.visible import is_dataset_row_visible
from services.registry.models import CopyRow, DatasetRow, DatasetTypeRow, FormatRow, RepositoryRow, VersionRow
from services.registry.models.expressions import file_id, is_current_version, is_shown, path_in_folder
from services.registry.queries import addresses, visible
from services.registry.queries.authors import author_of
from services.registry.queries.columns import GONE, is_current_copy, session_folder, size_of_dataset
from services.registry.queries.datasets import doubts, subject_of_aggregate, tag_names

_OF_CHOSEN: Final = (
    DatasetRow.generation,
    DatasetRow.id,
    DatasetRow.session_id,
    DatasetRow.content_type,
    DatasetRow.object_id,
    DatasetRow.created_at,
)


@per_caller
def select_ids(visibility: Visibility) -> Callable[[Sequence[Condition]], sa.Select[Any]]:
    """The ids of the datasets that a caller can see and that fulfil conditions, newest first."""

    def select(conditions: Sequence[Condition]) -> sa.Select[Any]:
        chosen = sa.select(*_OF_CHOSEN).where(DatasetRow.deleted_at.is_(None), *conditions)
        if conditions:
            # Chosen first: with the outer join in between, the planner begins with all datasets of a name and not
            # with the sessions of a subject.
            chosen = chosen.offset(sa.literal_column("0"))
        dataset, sessions = chosen.subquery("chosen").c, table(SESSIONS)
        return (
            sa.select(dataset.id)
            .join(sessions, sessions.c.id == dataset.session_id, isouter=True)
            .where(is_dataset_row_visible(visibility, dataset, visible.is_public(dataset), sessions.c))
            .order_by(dataset.created_at.desc(), dataset.id)
        )

    return select


def select_rows() -> sa.Select[Any]:
    """All datasets with the fields of `Dataset`."""
    sessions, base_url = table(SESSIONS), request_value("base_url", sa.Text())
    file = sa.select(DatasetRow.id, session_folder().label("folder"), path_in_folder().label("path"))
    addressed = addresses.addressed_file(file.correlate_except())
    content_type = _content_type()
    return (
        sa.select(
            DatasetRow.id,
            (base_url + "/datasets/" + sa.cast(DatasetRow.id, sa.Text)).label("url"),
            DatasetRow.name,
            author_of(DatasetRow).label("created_by"),
            json_time(DatasetRow.created_at).label("created_datetime"),
            DatasetTypeRow.name.label("dataset_type"),
            FormatRow.name.label("data_format"),
            sa.func.nullif(DatasetRow.collection, "").label("collection"),
            (base_url + "/sessions/" + sa.cast(DatasetRow.session_id, sa.Text)).label("session"),
            size_of_dataset().label("file_size"),
            sa.func.coalesce(VersionRow.md5, "").label("hash"),
            sa.func.coalesce(DatasetRow.software_version, "").label("version"),
            sessions.c.number.label("experiment_number"),
            _copies(addressed, base_url).label("file_records"),
            sa.func.coalesce(sessions.c.subject, subject_of_aggregate()).label("subject"),
            sessions.c.date,
            sessions.c.number,
            json_time(DatasetRow.auto_datetime).label("auto_datetime"),
            DatasetRow.revision,
            DatasetRow.is_default.label("default_dataset"),
            visible.is_protected().label("protected"),
            visible.is_public().label("public"),
            tag_names().label("tags"),
            sa.case(QC_NAMES, value=DatasetRow.qc).label("qc"),
            DatasetRow.json.label("json"),
            content_type.label("content_type"),
            sa.case((content_type.is_not(None), DatasetRow.object_id)).label("object_id"),
            doubts().label("doubts"),
        )
        .join(DatasetTypeRow, DatasetTypeRow.id == DatasetRow.dataset_type_id)
        .join(FormatRow, FormatRow.id == DatasetRow.format_id)
        .join(VersionRow, is_current_version())
        .join(sessions, sessions.c.id == DatasetRow.session_id, isouter=True)
        .join(addressed, sa.true())
        .order_by(DatasetRow.created_at.desc(), DatasetRow.id)
    )


def _content_type() -> sa.ColumnElement[str | None]:
    """As `ContentType.label_of` shows it."""
    labels = {str(kind): ContentType.label_of(kind) for kind in ContentType}
    return sa.case(labels, value=DatasetRow.content_type, else_=DatasetRow.content_type)


def _copies(file: sa.FromClause, base_url: sa.ColumnElement[str]) -> sa.ScalarSelect[Any]:
    """The copies of the current version, by repository; `file` is the dataset's `addressed_file`."""
    copy = sa.func.json_build_object(
        "id", file_id(), "data_repository", RepositoryRow.name, "data_repository_path", RepositoryRow.globus_path,
        "relative_path", addresses.path_of_copy(file.c, CopyRow.relative_path),
        "data_url", addresses.url_of_copy(
            file.c, CopyRow.relative_path, RepositoryRow.data_url, RepositoryRow.store, base_url
        ),
        "exists", is_shown(),
    )  # fmt: skip
    return (
        sa.select(
            sa.func.coalesce(
                sa.func.json_agg(aggregate_order_by(copy, RepositoryRow.name)), sa.text("'[]'::json")
            )
        )
        .where(is_current_copy(), CopyRow.state.not_in(GONE), RepositoryRow.id == CopyRow.repository_id)
        .correlate(DatasetRow, file)
        .scalar_subquery()
    )


_PAGE: Final = page_by_id(DatasetRow.id, select_rows)


async def list_datasets(
    session: PageSession,
    visibility: Visibility,
    conditions: Sequence[Condition],
    paging: PageRequest,
    base_url: str,
) -> JsonPage:
    """A page of the datasets that fulfil the conditions, newest first, with the columns of `select_rows`."""
    return await fetch_json_page(
        session, select_ids(visibility), conditions, paging, shape=_PAGE, base_url=base_url
    )
