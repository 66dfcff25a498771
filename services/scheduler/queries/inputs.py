"""Files that jobs read and make, as registry publishes them, and the sessions whose files changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from cingulum.stores import CENTRAL
from libs.common.db import ReadSession
from libs.common.db.json_pages import request_value
from libs.common.db.prepared import fetch_rows
from libs.common.published import COPIES, DATASETS, SESSIONS, table
from libs.common.schemas.states import AttemptState, CopyState, JobState
from services.scheduler.domain.graph import DatasetFact
from services.scheduler.domain.sites import POOL
from services.scheduler.models import STORED_OUTPUT_PATH, AttemptRow, JobRow, ReadyRow

Where = sa.ColumnElement[bool]
_ON_THE_WAY: Final = (CopyState.EXPECTED, CopyState.ARRIVING, CopyState.LANDED)


async def fetch_dataset_names(session: ReadSession, dataset_ids: Sequence[UUID]) -> list[tuple[str, str]]:
    """Collection and file name of those datasets that exist."""
    rows = await fetch_rows(session, _select_names_of_datasets(), dataset_ids=dataset_ids)
    return [(row["collection"], row["name"]) for row in rows]


@cache
def _select_names_of_datasets() -> sa.Select[Any]:
    datasets, ids = table(DATASETS), request_value("dataset_ids", sa.ARRAY(sa.Uuid))
    return sa.select(datasets.c.collection, datasets.c.name).where(datasets.c.id == sa.any_(ids))


async def fetch_names_in_sessions(
    session: ReadSession, session_ids: Sequence[UUID]
) -> list[tuple[str, str, list[UUID]]]:
    """Collection and file name of the datasets of those sessions, each with the sessions that have such a file."""
    rows = await session.execute(_select_names(), {"session_ids": session_ids})
    return [(row.collection, row.name, row.session_ids) for row in rows]


@cache
def _select_names() -> sa.Select[Any]:
    datasets = table(DATASETS)
    return (
        sa.select(
            datasets.c.collection,
            datasets.c.name,
            sa.func.array_agg(datasets.c.session_id).label("session_ids"),
        )
        .where(datasets.c.session_id == _any_session(), datasets.c.default_revision)
        .group_by(datasets.c.collection, datasets.c.name)
    )


def _any_session() -> sa.ColumnElement[Any]:
    return sa.any_(request_value("session_ids", sa.ARRAY(sa.Uuid)))


async def fetch_dataset_facts(
    session: ReadSession, session_ids: Sequence[UUID]
) -> dict[UUID, list[tuple[UUID, DatasetFact]]]:
    """The datasets of sessions that are the default of their name, with their ids; none of a deleted session."""
    facts: dict[UUID, list[tuple[UUID, DatasetFact]]] = {}
    for row in await session.execute(_select_facts(), {"session_ids": session_ids}):
        facts.setdefault(row.session_id, []).append((row.id, _fact(row)))
    return facts


@cache
def _select_facts() -> sa.Select[Any]:
    datasets, sessions = table(DATASETS), table(SESSIONS)
    is_there = sa.exists().where(sessions.c.id == datasets.c.session_id).correlate_except(sessions)
    made = sa.exists().where(
        AttemptRow.job_id == JobRow.id,
        JobRow.session_id == datasets.c.session_id,
        AttemptRow.state == AttemptState.REGISTERED,
        AttemptRow.outputs.contains(
            sa.func.jsonb_build_array(
                sa.func.jsonb_build_object(
                    STORED_OUTPUT_PATH, datasets.c.relative_path, "sha256", datasets.c.sha256
                )
            )
        ),
    )
    return sa.select(
        datasets.c.id,
        datasets.c.session_id,
        datasets.c.collection,
        datasets.c.name,
        datasets.c.sha256,
        _places(datasets).label("places"),
        _is_coming(datasets).label("is_coming"),
        made.label("made_by_job"),
    ).where(datasets.c.session_id == _any_session(), datasets.c.default_revision, is_there)


def _fact(row: Any) -> DatasetFact:
    places = frozenset(row.places or ())
    return DatasetFact(
        row.collection,
        row.name,
        row.sha256,
        readable=bool(places),
        made_by_job=row.made_by_job,
        places=places,
        is_coming=row.is_coming,
    )


def site_of(copies: sa.FromClause) -> sa.ColumnElement[str]:
    """The site of a copy in a store that workers can read."""
    return sa.case((copies.c.store.in_(CENTRAL), POOL), else_=sa.cast(copies.c.repository_id, sa.Text))


def _places(datasets: sa.Table) -> sa.ScalarSelect[Any]:
    copies = table(COPIES)
    site = site_of(copies)
    return (
        sa.select(sa.func.array_agg(aggregate_order_by(site, site)))
        .where(
            copies.c.version_id == datasets.c.version_id,
            copies.c.state == CopyState.VERIFIED,
            copies.c.store.is_not(None),
        )
        .correlate(datasets)
        .scalar_subquery()
    )


def _is_coming(datasets: sa.Table) -> Where:
    copies = table(COPIES).alias()
    return sa.exists().where(
        copies.c.version_id == datasets.c.version_id,
        copies.c.state.in_(_ON_THE_WAY),
        copies.c.store.in_(CENTRAL),
    )


def unreadable(site: sa.SQLColumnExpression[str]) -> Where:
    """One of the inputs of the job's key is not current, or no verified copy of it can be read at this site."""
    inputs = (
        sa.func.jsonb_to_recordset(JobRow.inputs)
        .table_valued(sa.column("dataset_id", sa.UUID), sa.column("sha256", sa.Text), name="inputs")
        .render_derived(with_types=True)
    )
    datasets, copies = table(DATASETS), table(COPIES)
    current = sa.exists().where(
        datasets.c.id == inputs.c.dataset_id,
        datasets.c.sha256 == inputs.c.sha256,
    )
    # Not joined to the datasets: two small plans take a fifth of the time of one large plan.
    readable = sa.exists().where(
        copies.c.dataset_id == inputs.c.dataset_id,
        copies.c.sha256 == inputs.c.sha256,
        copies.c.state == CopyState.VERIFIED,
        sa.or_(copies.c.store.in_(CENTRAL), sa.cast(copies.c.repository_id, sa.Text) == site),
    )
    return sa.exists(sa.select(sa.literal(1)).select_from(inputs).where(~sa.and_(current, readable)))


@dataclass(frozen=True)
class ChangedSession:
    """A session with datasets or copies that changed since a time: sums of the times of all these changes.

    `checksum` is of all of them, `later_checksum` of those after a second time.
    """

    id: UUID
    checksum: int
    later_checksum: int


async def fetch_changed_sessions(
    session: ReadSession, since: datetime, later: datetime
) -> list[ChangedSession]:
    """Sessions with datasets or copies that changed since then."""
    datasets, copies = table(DATASETS), table(COPIES)
    changes = sa.union_all(
        sa.select(datasets.c.session_id, datasets.c.created_at.label("changed_at")).where(
            datasets.c.created_at > since, datasets.c.session_id.is_not(None)
        ),
        sa.select(copies.c.session_id, copies.c.proved_at).where(
            copies.c.proved_at > since, copies.c.session_id.is_not(None)
        ),
    ).subquery("changes")
    microseconds = sa.cast(sa.func.extract("epoch", changes.c.changed_at) * 1_000_000, sa.BigInteger)
    checksum = sa.func.sum(microseconds)
    later_checksum = sa.func.coalesce(checksum.filter(changes.c.changed_at > later), 0)
    rows = await session.execute(
        sa.select(changes.c.session_id, checksum, later_checksum).group_by(changes.c.session_id)
    )
    return [ChangedSession(session_id, int(all_of), int(late)) for session_id, all_of, late in rows]


async def fetch_session_ids_without_sites(session: ReadSession) -> set[UUID]:
    """Sessions with jobs that wait and are ready nowhere: from before sites existed, or with inputs apart."""
    statement = (
        sa.select(JobRow.session_id)
        .distinct()
        .where(
            JobRow.state == JobState.WAITING,
            JobRow.is_derived,
            ~sa.exists().where(ReadyRow.job_id == JobRow.id),
        )
    )
    return {
        session_id for session_id in (await session.execute(statement)).scalars() if session_id is not None
    }


async def fetch_stale_session_ids(session: ReadSession, after: UUID, n: int) -> tuple[set[UUID], UUID | None]:
    """Sessions whose jobs are no longer ready where they are listed, among the next `n` rows; the last of these.

    No event tells that a copy became suspect or was lost, and each claim would skip such rows again.
    """
    part = (
        sa.select(ReadyRow.job_id, ReadyRow.site)
        .where(ReadyRow.job_id > after)
        .order_by(ReadyRow.job_id)
        .limit(n)
        .cte("part")
    )
    last: UUID | None = await session.scalar(sa.select(part.c.job_id).order_by(part.c.job_id.desc()).limit(1))
    stale = (
        sa.select(JobRow.session_id)
        .distinct()
        .join(part, part.c.job_id == JobRow.id)
        .where(JobRow.state == JobState.WAITING, unreadable(part.c.site))
    )
    ids: Sequence[UUID | None] = (await session.execute(stale)).scalars().all()
    return {session_id for session_id in ids if session_id is not None}, last
