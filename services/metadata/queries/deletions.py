"""What a deletion would hide or must not hide: rows of other services, and records beyond the caller's rights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import ReadSession, WriteSession
from libs.common.db.conditions import Condition, any_of
from libs.common.notes import count_notes_on
from libs.common.permissions import Target
from libs.common.protection import lock_protection
from libs.common.published import COPIES, DATASETS, DOWNLOADS, JOBS, RECORDINGS, table
from libs.common.schemas.states import ActionKind, CopyState
from libs.common.targets import fetch_session_targets
from libs.common.visibility import Visibility
from libs.common.visible import is_dataset_row_visible, is_session_visible
from services.metadata.models import ActionRow, InsertionRow, TrajectoryRow

MOST_NAMED = 20  # of protected datasets, in a refusal


@dataclass(frozen=True)
class ProtectedDatasets:
    """How many datasets are protected, and the names of those that the caller can see."""

    count: int
    names: tuple[str, ...]


def _is_of(session_ids: Sequence[UUID], object_ids: Sequence[UUID]) -> Condition:
    """The dataset is one of these sessions, or an aggregate of one of these objects."""
    dataset = table(DATASETS)
    return sa.or_(dataset.c.session_id == any_of(session_ids), dataset.c.object_id == any_of(object_ids))


async def lock_and_list_protected(
    session: WriteSession, visibility: Visibility, session_ids: Sequence[UUID], object_ids: Sequence[UUID]
) -> ProtectedDatasets:
    """Protected datasets of sessions and objects; none becomes protected until the end of the transaction."""
    await lock_protection(session)
    dataset = table(DATASETS)
    is_visible = is_dataset_row_visible(visibility, dataset.c, dataset.c.public)
    rows = await session.execute(
        sa.select(dataset.c.relative_path, is_visible.label("is_visible"))
        .where(dataset.c.protected, _is_of(session_ids, object_ids))
        .order_by(dataset.c.relative_path)
    )
    all_rows = rows.all()
    names = [row.relative_path for row in all_rows if row.is_visible]
    return ProtectedDatasets(len(all_rows), tuple(names[:MOST_NAMED]))


async def count_hidden(
    session: ReadSession, session_ids: Sequence[UUID], object_ids: Sequence[UUID]
) -> dict[str, int]:
    """Rows of other services that are not shown without these sessions and objects, and notes on them, by kind."""
    dataset, copy, job, recording = table(DATASETS), table(COPIES), table(JOBS), table(RECORDINGS)
    ids = sa.select(dataset.c.id, dataset.c.generation).where(_is_of(session_ids, object_ids)).cte("hidden")
    # File records are of the current version, and a copy that is being retired has none.
    is_record = sa.and_(
        sa.tuple_(copy.c.dataset_id, copy.c.generation).in_(sa.select(ids.c.id, ids.c.generation)),
        copy.c.state != CopyState.RETIRING,
    )
    download = table(DOWNLOADS)
    of_datasets = download.c.dataset_id.in_(sa.select(ids.c.id))
    with_notes = sa.union_all(
        sa.select(ids.c.id),
        sa.select(copy.c.file_id).where(is_record),
        sa.select(job.c.id).where(job.c.session_id == any_of(session_ids)),
        sa.select(download.c.id).where(of_datasets),
    )
    counts = {
        "dataset": sa.select(sa.func.count()).select_from(ids),
        "file": sa.select(sa.func.count()).where(is_record),
        "task": sa.select(sa.func.count()).where(job.c.session_id == any_of(session_ids)),
        "recording": sa.select(sa.func.count()).where(recording.c.dataset_id.in_(sa.select(ids.c.id))),
        "note": count_notes_on(with_notes),
        "download": sa.select(sa.func.count()).where(of_datasets),
    }
    columns = [count.scalar_subquery().label(kind) for kind, count in counts.items()]
    return dict((await session.execute(sa.select(*columns))).mappings().one())


async def fetch_targets_of_actions(
    session: ReadSession, action_ids: Sequence[UUID], subject: Target
) -> list[Target]:
    """What the actions of a subject belong to; sessions to projects of their own, others to the subject's."""
    rows = await session.execute(
        sa.select(ActionRow.id, ActionRow.lab_id, ActionRow.kind).where(ActionRow.id == any_of(action_ids))
    )
    actions = rows.all()
    sessions = [row.id for row in actions if row.kind == ActionKind.SESSION]
    lab_ids = {row.lab_id or subject.lab_id for row in actions if row.kind != ActionKind.SESSION}
    targets = await fetch_session_targets(session, sessions)
    others = [
        Target(lab_id, subject.project_ids, subject.responsible_user_id, animal_lab_id=subject.lab_id)
        for lab_id in lab_ids
    ]
    return [*targets.values(), *others]


async def exists_hidden_session(
    session: ReadSession, visibility: Visibility, session_ids: Sequence[UUID]
) -> bool:
    """Whether the caller cannot see one of these sessions."""
    hidden = sa.exists().where(
        ActionRow.id == any_of(session_ids), ~is_session_visible(visibility, ActionRow.id)
    )
    return bool(await session.scalar(sa.select(hidden)))


async def fetch_session_ids(session: ReadSession, action_ids: Sequence[UUID]) -> list[UUID]:
    """Those of the actions that are sessions."""
    statement = sa.select(ActionRow.id).where(
        ActionRow.id == any_of(action_ids), ActionRow.kind == ActionKind.SESSION
    )
    return [*await session.scalars(statement)]


async def fetch_sessions_of_trajectories(
    session: ReadSession, trajectory_ids: Sequence[UUID], *, except_ids: Sequence[UUID]
) -> list[UUID]:
    """The sessions of the insertions that trajectories are of, except some."""
    statement = (
        sa.select(InsertionRow.session_id)
        .join(TrajectoryRow, TrajectoryRow.insertion_id == InsertionRow.id)
        .where(TrajectoryRow.id == any_of(trajectory_ids), ~(InsertionRow.session_id == any_of(except_ids)))
        .distinct()
    )
    return [*await session.scalars(statement)]
