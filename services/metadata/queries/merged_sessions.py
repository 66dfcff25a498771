"""What sessions that are to be merged have: facts that decide, names, rows that move, and links that are united."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on, insert

from libs.common.db import ReadSession, WriteSession
from libs.common.db.conditions import Condition, any_of
from libs.common.db.moving import Movable
from libs.common.published import DATASETS, JOBS, RECORDINGS, table
from libs.common.schemas.states import JobState
from services.metadata.domain.session_merges import SessionFacts
from services.metadata.models import (
    ActionProcedureRow,
    ActionRow,
    ActionUserRow,
    FieldOfViewRow,
    InsertionRow,
    NoteRow,
    ProjectRow,
    SessionMergeRow,
    SessionProjectRow,
    WaterAdministrationRow,
)

FIELDS_OF_VIEW: Final = Movable(FieldOfViewRow.session_id, "field-of-view")
MOVABLES: Final = (
    Movable(InsertionRow.session_id, "insertion"),
    FIELDS_OF_VIEW,
    Movable(NoteRow.object_id, "note"),
    Movable(WaterAdministrationRow.session_id, "water-administration"),
    Movable(ActionRow.parent_session_id, "child-session"),
)
_RUNNING: Final = tuple(state.value for state in JobState if state.is_running)


async def fetch_child_ids(session: ReadSession, session_ids: Sequence[UUID]) -> list[UUID]:
    """The sessions whose parent is one of these, deleted ones included."""
    statement = sa.select(ActionRow.id).where(ActionRow.parent_session_id == any_of(session_ids))
    return [*await session.scalars(statement)]


async def fetch_session_facts(session: ReadSession, session_ids: Sequence[UUID]) -> dict[UUID, SessionFacts]:
    """What decides whether sessions can be merged, by id. Deleted private projects count: they open nothing."""
    links = await session.execute(
        sa.select(SessionProjectRow.session_id, SessionProjectRow.project_id)
        .join(ProjectRow, ProjectRow.id == SessionProjectRow.project_id)
        .where(SessionProjectRow.session_id == any_of(session_ids), ProjectRow.is_private)
    )
    private: dict[UUID, set[UUID]] = {}
    for session_id, project_id in links:
        private.setdefault(session_id, set()).add(project_id)
    columns = (ActionRow.id, ActionRow.subject_id, ActionRow.lab_id, ActionRow.day, ActionRow.number)
    rows = await session.execute(sa.select(*columns).where(ActionRow.id == any_of(session_ids)))
    return {row.id: SessionFacts(*row, frozenset(private.get(row.id, ()))) for row in rows}


async def exists_ancestor_among(session: ReadSession, session_ids: Sequence[UUID]) -> bool:
    """Whether one of these sessions is the parent of another one, or above it."""
    first = sa.select(ActionRow.parent_session_id.label("id")).where(ActionRow.id == any_of(session_ids))
    above = first.cte("above", recursive=True)
    above = above.union(sa.select(ActionRow.parent_session_id).where(ActionRow.id == above.c.id))
    return bool(await session.scalar(sa.select(sa.exists().where(above.c.id == any_of(session_ids)))))


async def count_running_jobs(session: ReadSession, session_ids: Sequence[UUID]) -> int:
    """How many jobs of these sessions run."""
    job = table(JOBS)
    running = sa.select(sa.func.count()).where(
        job.c.session_id == any_of(session_ids), job.c.state.in_(_RUNNING)
    )
    return await session.scalar(running) or 0


async def fetch_earlier_sessions(session: ReadSession, session_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The sessions that were merged into these, or into others that were, each with the one of these.

    Other services may still have to move what they have.
    """
    merge = SessionMergeRow
    first = (
        sa.select(merge.into_id.label("holder_id"), sa.func.unnest(merge.session_ids).label("id"))
        .where(merge.into_id == any_of(session_ids), merge.undone_at.is_(None))
        .cte("earlier", recursive=True)
    )
    before = (
        sa.select(first.c.holder_id, sa.func.unnest(merge.session_ids))
        .select_from(first)
        .join(merge, merge.into_id == first.c.id)
        .where(merge.undone_at.is_(None))
    )
    earlier = first.union(before)
    return {row.id: row.holder_id for row in await session.execute(sa.select(earlier))}


async def fetch_names_in_sessions(
    session: ReadSession, session_ids: Sequence[UUID], earlier: Mapping[UUID, UUID]
) -> dict[str, list[tuple[UUID, str]]]:
    """The names that are unique within a session, each with its session, by kind.

    Datasets of `earlier` sessions count as those of the sessions to which they still have to move.
    """
    dataset = table(DATASETS)
    columns: Mapping[str, tuple[Any, Any, Condition]] = {
        "insertion": (InsertionRow.session_id, InsertionRow.name, InsertionRow.deleted_at.is_(None)),
        "field-of-view": (
            FieldOfViewRow.session_id,
            FieldOfViewRow.name,
            FieldOfViewRow.deleted_at.is_(None),
        ),
        "dataset": (dataset.c.session_id, dataset.c.relative_path, sa.true()),
    }
    names: dict[str, list[tuple[UUID, str]]] = {}
    for kind, (owner, name, is_shown) in columns.items():
        of_these = owner == any_of([*session_ids, *earlier])
        rows = await session.execute(sa.select(owner, name).where(of_these, is_shown))
        names[kind] = [(earlier.get(row[0], row[0]), row[1]) for row in rows]
    return names


async def count_rows_to_move(
    session: ReadSession, session_ids: Sequence[UUID], into: UUID, earlier: Mapping[UUID, UUID]
) -> tuple[dict[str, int], dict[str, int]]:
    """How many rows a merge moves, by kind, those of other services included; and how many stay.

    What other services still have to move from `earlier` sessions counts as if it had moved already.
    """
    own = {movable.kind: movable.n_rows(session_ids) for movable in MOVABLES}
    pending_ids = [session_id for session_id, holder_id in earlier.items() if holder_id != into]
    job, twin = table(JOBS), table(JOBS).alias("twin")
    columns = (job.c.task, job.c.probe, job.c.arguments, job.c.owner_id)
    taken_ids = [into, *(session_id for session_id, holder_id in earlier.items() if holder_id == into)]
    is_taken = _has_slot(job, twin, taken_ids)
    of_sessions = job.c.session_id == any_of(session_ids)
    is_pending = sa.and_(job.c.session_id == any_of(pending_ids), ~_has_slot(job, twin, session_ids))
    free = sa.select(*columns).where(sa.or_(of_sessions, is_pending), ~is_taken).distinct().subquery()
    pending = sa.select(*columns).where(is_pending).distinct().subquery()
    datasets = _select_datasets(session_ids, pending_ids)
    recording = table(RECORDINGS)
    is_moved = sa.or_(
        recording.c.session_id == any_of(session_ids), recording.c.dataset_id.in_(sa.select(datasets.c.id))
    )
    counts = own | {
        "dataset": sa.select(sa.func.count()).select_from(datasets).scalar_subquery(),
        "task": sa.select(sa.func.count()).select_from(free).scalar_subquery(),
        "recording": sa.select(sa.func.count()).select_from(recording).where(is_moved).scalar_subquery(),
        "all tasks": _count_of(job, session_ids)
        + sa.select(sa.func.count()).select_from(pending).scalar_subquery(),
    }
    statement = sa.select(*(count.label(kind) for kind, count in counts.items()))
    counted = dict((await session.execute(statement)).mappings().one())
    n_left = counted.pop("all tasks") - counted["task"]
    moved = {kind: n for kind, n in sorted(counted.items()) if n}
    return moved, {"task": n_left} if n_left else {}


def _select_datasets(session_ids: Sequence[UUID], pending_ids: Sequence[UUID]) -> sa.Subquery:
    """The datasets of sessions, and those of others that still have to move there: one of each path."""
    dataset, named = table(DATASETS), table(DATASETS).alias("named")
    path = sa.func.lower(dataset.c.relative_path)
    is_there = sa.exists().where(
        named.c.session_id == any_of(session_ids), sa.func.lower(named.c.relative_path) == path
    )
    own = sa.select(dataset.c.id).where(dataset.c.session_id == any_of(session_ids))
    pending = (
        sa.select(dataset.c.id)
        .where(dataset.c.session_id == any_of(pending_ids), ~is_there.correlate(dataset))
        .ext(distinct_on(path))
        .order_by(path, dataset.c.id)
    )
    return sa.union_all(own, sa.select(pending.subquery("pending"))).subquery("moved")


def _has_slot(job: Any, twin: Any, session_ids: Sequence[UUID]) -> Condition:
    """One of these sessions has a job in the slot of a job."""
    taken = sa.exists().where(twin.c.session_id == any_of(session_ids), *_same_slot(job.c, twin.c))
    return taken.correlate(job)


async def count_own_rows(session: ReadSession, session_ids: Sequence[UUID]) -> dict[str, int]:
    """How many rows of metadata belong to sessions, by kind."""
    counts = sa.select(*(movable.n_rows(session_ids).label(movable.kind) for movable in MOVABLES))
    row = (await session.execute(counts)).mappings().one()
    return {kind: n for kind, n in row.items() if n}


async def count_pending(session: ReadSession, session_ids: Sequence[UUID], into: UUID) -> dict[str, int]:
    """How many rows other services still have to move, by kind."""
    dataset, job = table(DATASETS), table(JOBS)
    named, slot = dataset.alias("named"), job.alias("slot")
    is_there = sa.exists().where(
        named.c.session_id == into,
        sa.func.lower(named.c.relative_path) == sa.func.lower(dataset.c.relative_path),
    )
    is_taken = sa.exists().where(slot.c.session_id == into, *_same_slot(job.c, slot.c))
    counts = {
        "dataset": sa.select(sa.func.count()).where(
            dataset.c.session_id == any_of(session_ids), ~is_there.correlate(dataset)
        ),
        "task": sa.select(sa.func.count()).where(
            job.c.session_id == any_of(session_ids), ~is_taken.correlate(job)
        ),
    }
    columns = [count.scalar_subquery().label(kind) for kind, count in counts.items()]
    row = (await session.execute(sa.select(*columns))).mappings().one()
    return {kind: n for kind, n in row.items() if n}


def _same_slot(job: Any, other: Any) -> list[Condition]:
    return [
        job.task == other.task,
        job.probe.is_not_distinct_from(other.probe),
        job.arguments.is_not_distinct_from(other.arguments),
        job.owner_id.is_not_distinct_from(other.owner_id),
    ]


def _count_of(view: sa.FromClause, session_ids: Sequence[UUID]) -> sa.ScalarSelect[int]:
    count = sa.select(sa.func.count()).select_from(view)
    return count.where(view.c.session_id == any_of(session_ids)).scalar_subquery()


async def insert_united_links(session: WriteSession, session_ids: Sequence[UUID], into: UUID) -> None:
    """Give a session the users, procedures and projects of others, too."""
    links: tuple[tuple[type[Any], str, str], ...] = (
        (ActionUserRow, "action_id", "user_id"),
        (ActionProcedureRow, "action_id", "procedure_id"),
        (SessionProjectRow, "session_id", "project_id"),
    )
    for link, owner, other in links:
        of_others = sa.select(sa.literal(into, sa.UUID), getattr(link, other)).where(
            getattr(link, owner) == any_of(session_ids)
        )
        united = insert(link).from_select([owner, other], of_others.distinct())
        await session.execute(united.on_conflict_do_nothing())


async def insert_private_projects_of(
    session: WriteSession, holder_id: UUID, session_ids: Sequence[UUID]
) -> None:
    """Add sessions to the private projects of another one, deleted ones included."""
    link, added_ids = SessionProjectRow, sa.literal([*session_ids], ARRAY(sa.UUID))
    private = (
        sa.select(sa.func.unnest(added_ids), link.project_id)
        .join(ProjectRow, ProjectRow.id == link.project_id)
        .where(link.session_id == holder_id, ProjectRow.is_private)
    )
    adding = insert(link).from_select(["session_id", "project_id"], private)
    await session.execute(adding.on_conflict_do_nothing())


async def fetch_project_ids_of_sessions(session: ReadSession, session_ids: Sequence[UUID]) -> frozenset[UUID]:
    """The projects of sessions."""
    link = SessionProjectRow
    return frozenset(
        await session.scalars(sa.select(link.project_id).where(link.session_id == any_of(session_ids)))
    )
