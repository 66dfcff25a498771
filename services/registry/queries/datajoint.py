"""Rows of `datajoint_v1`, compared with their sources: what differs is written, what has no source is withdrawn."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on, insert

from libs.common.db import WriteSession
from libs.common.db.conditions import Condition
from libs.common.published import (
    INSERTIONS,
    LINES,
    PROJECTS,
    SESSION_PROJECTS,
    SESSIONS,
    SUBJECTS,
    TERMS,
    table,
)
from services.registry.domain.datajoint import FIT_FILE, SUMMARY_FILE
from services.registry.models import (
    DatajointStateRow,
    DatajointValueRow,
    DatasetRow,
    DatasetTypeRow,
    FormatRow,
    ReleaseDatasetRow,
    ReleaseRow,
    VersionRow,
)
from services.registry.models.datajoint import (
    DATASET,
    INSERTION,
    PSYCHOMETRIC_FIT,
    RELEASE,
    RELEASE_DATASET,
    SESSION,
    SUBJECT,
    TRIALS_SUMMARY,
    key_of,
)
from services.registry.models.expressions import is_current_version, is_open, path_in_folder
from services.registry.queries.columns import size_of_dataset

RESULTS: Final = {SUMMARY_FILE: TRIALS_SUMMARY, FIT_FILE: PSYCHOMETRIC_FIT}  # by name of the file
ONE_AT_A_TIME: Final = 0x43494E48  # number of the advisory lock: one replica compares
LOCK_S: Final = 2  # a person who creates a foreign key to a table locks it until the transaction ends
_NOW: Final = sa.func.timezone("UTC", sa.func.now())


async def lock_comparison(session: WriteSession) -> bool:
    """Whether this transaction may compare: no other one does. It waits only shortly for locks of readers."""
    await session.execute(sa.text(f"SET LOCAL lock_timeout = '{LOCK_S}s'"))
    return bool(await session.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(ONE_AT_A_TIME))))


async def find_compared_at(session: WriteSession) -> datetime | None:
    """When all rows were last compared; None if they never were, or are to be compared again."""
    return await session.scalar(sa.select(DatajointStateRow.compared_at))


async def update_compared_at(session: WriteSession, instant: datetime) -> None:
    """Store when all rows were last compared."""
    await session.execute(sa.update(DatajointStateRow).values(compared_at=instant))


async def update_subjects(session: WriteSession) -> int:
    """Compare all subjects; the number of rows that changed."""
    subject = table(SUBJECTS)
    species, strain, line = table(TERMS).alias(), table(TERMS).alias(), table(LINES).alias()
    source = (
        sa.select(
            key_of("subject", subject.c.id).label("subject_key"),
            _text(subject.c.id).label("subject_uuid"),
            _short(subject.c.nickname, 255),
            _short(subject.c.lab, 255).label("subject_lab"),
            _short(subject.c.sex, 1),
            subject.c.birth_date,
            subject.c.death_date,
            _short(species.c.name, 255).label("species"),
            _short(strain.c.name, 255).label("strain"),
            _short(line.c.name, 255).label("line"),
        )
        .outerjoin(species, species.c.id == subject.c.species_id)
        .outerjoin(strain, strain.c.id == subject.c.strain_id)
        .outerjoin(line, line.c.id == subject.c.line_id)
    )
    return len(await _write(session, SUBJECT, source, sa.true()))


async def update_sessions(session: WriteSession) -> set[str]:
    """Compare all sessions; the keys of those that changed."""
    sessions, link, project = table(SESSIONS), table(SESSION_PROJECTS).alias(), table(PROJECTS).alias()
    names = (
        sa.select(sa.func.string_agg(project.c.name, sa.text("', ' ORDER BY name")))
        .where(link.c.session_id == sessions.c.id, project.c.id == link.c.project_id, ~project.c.is_private)
        .correlate(sessions)
        .scalar_subquery()
    )
    source = sa.select(
        key_of("session", sessions.c.id).label("session_key"),
        SUBJECT.c.subject_key,
        _text(sessions.c.id).label("eid"),
        _short(sessions.c.subject, 255).label("subject_nickname"),
        _short(sessions.c.lab, 255),
        sessions.c.date.label("session_date"),
        sessions.c.number.label("session_number"),
        _utc(sessions.c.start_at).label("start_time"),
        _short(sessions.c.task_protocol, 1023),
        _short(names, 1023).label("projects"),
        _short(sessions.c.folder, 1023).label("session_path"),
        sessions.c.n_trials.label("session_n_trials"),
        sessions.c.n_correct_trials.label("session_n_correct"),
        sessions.c.qc.label("session_qc"),
        sessions.c.narrative,
    ).outerjoin(SUBJECT, SUBJECT.c.subject_uuid == _text(sessions.c.subject_id))
    return set(await _write(session, SESSION, source, sa.true()))


async def update_insertions(session: WriteSession) -> int:
    """Compare all insertions; the number of rows that changed."""
    insertion = table(INSERTIONS)
    source = sa.select(
        key_of("insertion", insertion.c.id).label("insertion_key"),
        SESSION.c.session_key,
        _text(insertion.c.id).label("pid"),
        _short(insertion.c.name, 255).label("probe_name"),
        _short(insertion.c.model, 255),
        _short(insertion.c.serial, 255),
    ).join(SESSION, SESSION.c.eid == _text(insertion.c.session_id))
    return len(await _write(session, INSERTION, source, sa.true()))


async def fetch_session_keys(session: WriteSession) -> list[str]:
    """The keys of all sessions, withdrawn ones included."""
    return list(await session.scalars(sa.select(SESSION.c.session_key).order_by(SESSION.c.session_key)))


async def fetch_keys_of_sessions(session: WriteSession, session_ids: Collection[UUID]) -> set[str]:
    """The keys of sessions by their ids."""
    ids = sa.select(sa.func.unnest(sa.cast(list(session_ids), sa.ARRAY(sa.Uuid))).label("id")).subquery()
    return set(await session.scalars(sa.select(key_of("session", ids.c.id))))


async def update_datasets(session: WriteSession, session_keys: Collection[str]) -> int:
    """Compare the datasets of some sessions; the number of rows that changed."""
    source = (
        sa.select(
            key_of("dataset", DatasetRow.id).label("dataset_key"),
            SESSION.c.session_key,
            _text(DatasetRow.id).label("dataset_uuid"),
            _short(DatasetRow.name, 255).label("dataset_name"),
            _short(DatasetRow.collection, 1023),
            _short(DatasetRow.revision, 255),
            _short(DatasetTypeRow.name, 255).label("dataset_type"),
            _short(FormatRow.name, 255).label("data_format"),
            _short(path_in_folder(), 2047).label("relative_path"),
            size_of_dataset().label("size_bytes"),
            VersionRow.sha256,
            sa.cast(DatasetRow.qc, sa.Integer).label("dataset_qc"),
            sa.cast(DatasetRow.is_default, sa.Integer).label("is_default_revision"),
            _utc(DatasetRow.created_at).label("registered_at"),
        )
        .join(SESSION, DatasetRow.session_id == sa.cast(SESSION.c.eid, sa.Uuid))
        .join(VersionRow, is_current_version())
        .join(DatasetTypeRow, DatasetTypeRow.id == DatasetRow.dataset_type_id)
        .join(FormatRow, FormatRow.id == DatasetRow.format_id)
        .where(DatasetRow.deleted_at.is_(None), SESSION.c.session_key.in_(session_keys))
    )
    return len(await _write(session, DATASET, source, DATASET.c.session_key.in_(session_keys)))


async def update_results(session: WriteSession, file_name: str) -> int:
    """Compare what the JSON files of that name hold, of all sessions; the number of rows that changed."""
    target = RESULTS[file_name]
    [origin] = (column.name for column in target.columns if column.name.endswith("dataset_key"))
    own = [column for column in target.columns if column.name not in {"session_key", origin, "_withdrawn_at"}]
    row = (
        sa.func.jsonb_to_recordset(DatajointValueRow.content)
        .table_valued(*(sa.Column(column.name, column.type) for column in own))
        .render_derived(with_types=True)
    )
    keys = [SESSION.c.session_key, *(row.c[column.name] for column in own if column.primary_key)]
    source = (
        sa.select(
            SESSION.c.session_key,
            DATASET.c.dataset_key.label(origin),
            *(row.c[column.name] for column in own),
        )
        .select_from(DatajointValueRow)
        .join(VersionRow, VersionRow.id == DatajointValueRow.version_id)
        .join(DatasetRow, is_current_version())
        .join(DATASET, DATASET.c.dataset_uuid == _text(DatasetRow.id))
        .join(SESSION, SESSION.c.session_key == DATASET.c.session_key)
        .join(row, sa.true())
        .where(DatasetRow.name == file_name, DatasetRow.is_default)
        .ext(distinct_on(*keys))
        .order_by(*keys, DatasetRow.collection, DatasetRow.revision.desc())
    )
    return len(await _write(session, target, source, sa.true()))


async def update_releases(session: WriteSession) -> bool:
    """Compare the published releases; whether any row changed. Until an embargo ends, no reader is shown its row."""
    source: sa.Select[*tuple[Any, ...]] = sa.select(
        key_of("release", ReleaseRow.id).label("release_key"),
        _short(ReleaseRow.name, 255).label("release_name"),
        _short(ReleaseRow.title, 1023).label("title"),
        _short(ReleaseRow.doi, 255).label("doi"),
        _short(ReleaseRow.license, 255).label("license"),
        _utc(ReleaseRow.public_from).label("public_from"),
        _short(ReleaseRow.root, 255).label("manifest_root"),
        _utc(ReleaseRow.withdrawn_at).label("withdrawn_at"),
        _short(ReleaseRow.withdrawn_reason, 1023).label("withdrawn_reason"),
    ).where(_is_published())
    return bool(await _write(session, RELEASE, source, sa.true()))


async def update_release_datasets(session: WriteSession) -> int:
    """Compare the datasets of all published releases; the number of rows that changed."""
    source = (
        sa.select(RELEASE.c.release_key, DATASET.c.dataset_key)
        .select_from(ReleaseDatasetRow)
        .join(ReleaseRow, ReleaseRow.id == ReleaseDatasetRow.release_id)
        .join(RELEASE, RELEASE.c.release_key == key_of("release", ReleaseRow.id))
        .join(DATASET, DATASET.c.dataset_uuid == _text(ReleaseDatasetRow.dataset_id))
        .where(_is_published(), ReleaseDatasetRow.pulled_at.is_(None))
    )
    return len(await _write(session, RELEASE_DATASET, source, sa.true()))


def _is_published() -> Condition:
    return sa.or_(ReleaseRow.state == "published", is_open())


async def _write(
    session: WriteSession, target: sa.Table, source: sa.Select[*tuple[Any, ...]], scope: Condition
) -> list[str]:
    """Write what differs, and withdraw rows of the scope without a source; the first key of each changed row."""
    names = [column.name for column in source.selected_columns]
    keys = [column.name for column in target.primary_key]
    values = [name for name in names if name not in keys]
    upsert = insert(target).from_select(names, source)
    differs = [target.c[name].is_distinct_from(upsert.excluded[name]) for name in values]
    written = await session.scalars(
        upsert.on_conflict_do_update(
            index_elements=keys,
            set_={name: upsert.excluded[name] for name in values} | {"_withdrawn_at": None},
            where=sa.or_(target.c["_withdrawn_at"].is_not(None), *differs),
        ).returning(target.c[keys[0]])
    )
    changed = list(written)
    now = source.subquery()
    has_source = sa.exists().where(*(now.c[key] == target.c[key] for key in keys))
    gone = await session.scalars(
        sa.update(target)
        .where(target.c["_withdrawn_at"].is_(None), scope, ~has_source.correlate(target))
        .values({"_withdrawn_at": _NOW, **dict.fromkeys(values)})
        .returning(target.c[keys[0]])
    )
    return [*changed, *gone]


def _text(object_id: Any) -> sa.ColumnElement[str]:
    return sa.cast(object_id, sa.Text)


def _short(text: Any, length: int) -> sa.Label[str]:
    """A text that fits its column, under the name of its source."""
    return sa.func.left(text, length).label(getattr(text, "name", None))


def _utc(instant: Any) -> sa.ColumnElement[datetime]:
    return sa.func.timezone("UTC", instant)
