"""The records that notes can be about: who sees one, and what it belongs to.

A note is visible to those who see its record, and changed by those who may change it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from libs.common import visible as shared
from libs.common.db import ReadSession
from libs.common.db.conditions import Condition
from libs.common.permissions import SHARED, Target
from libs.common.published import COPIES, DATASET_TYPES, DATASETS, JOBS, REPOSITORIES, TAGS, View, alias
from libs.common.schemas.states import ActionKind, ContentType
from libs.common.scopes import Permission
from libs.common.targets import fetch_dataset_target, fetch_object_target, fetch_session_target
from libs.common.visibility import Visibility
from services.metadata.models import (
    ActionRow,
    InsertionRow,
    LineRow,
    LitterRow,
    LocationRow,
    MembershipRow,
    UserRow,
    VocabularyRow,
    WaterAdministrationRow,
    WeighingRow,
)
from services.metadata.queries import visible
from services.metadata.queries.actions import fetch_action_target
from services.metadata.queries.references import Vocabulary

IsVisible = Callable[[Visibility, Any], Condition]
FetchTarget = Callable[[ReadSession, UUID], Awaitable[Target]]


@dataclass(frozen=True)
class RecordKind:
    """A kind of record: which of an id's records a caller sees, what one belongs to, and what changing it needs."""

    is_visible: IsVisible
    fetch_target: FetchTarget
    permission: Permission = Permission.WRITE


def _is_record(row: Any, record_id: Any, *conditions: Condition) -> Condition:
    """A record of this id that is not deleted."""
    columns = row.c if isinstance(row, sa.FromClause) else row
    deleted_at = getattr(columns, "deleted_at", None)
    here = [] if deleted_at is None else [deleted_at.is_(None)]
    return sa.exists().where(columns.id == record_id, *here, *conditions).correlate_except(row)


def _of_object(content_type: ContentType, is_visible: IsVisible) -> RecordKind:
    """Sessions and subjects, whose rule and target are those of libs/common."""

    async def target(session: ReadSession, record_id: UUID) -> Target:
        return await fetch_object_target(session, content_type, record_id)

    return RecordKind(is_visible, target)


def _of_subject(row: Any) -> RecordKind:
    """Rows with `subject_id`: as visible as their subject."""
    own = aliased(row)

    async def target(session: ReadSession, record_id: UUID) -> Target:
        subject_id = await session.scalar(sa.select(row.subject_id).where(row.id == record_id))
        return await fetch_object_target(session, ContentType.SUBJECT, subject_id)

    return RecordKind(
        lambda visibility, record_id: _is_record(
            own, record_id, shared.is_subject_visible(visibility, own.subject_id)
        ),
        target,
    )


def _of_action(kind: ActionKind) -> RecordKind:
    """Surgeries and water restrictions: as visible as their subject."""
    own = aliased(ActionRow)

    async def target(session: ReadSession, record_id: UUID) -> Target:
        rows = await session.scalars(sa.select(ActionRow).where(ActionRow.id == record_id))
        return await fetch_action_target(session, rows.one())

    return RecordKind(
        lambda visibility, record_id: _is_record(
            own, record_id, own.kind == kind, shared.is_subject_visible(visibility, own.subject_id)
        ),
        target,
    )


def _of_session(row: Any) -> RecordKind:
    """Rows with `session_id`: as visible as their session."""
    own = aliased(row)

    async def target(session: ReadSession, record_id: UUID) -> Target:
        session_id = await session.scalar(sa.select(row.session_id).where(row.id == record_id))
        return await fetch_session_target(session, session_id)

    return RecordKind(
        lambda visibility, record_id: _is_record(
            own, record_id, shared.is_session_visible(visibility, own.session_id)
        ),
        target,
    )


async def _shared_target(_session: ReadSession, _record_id: UUID) -> Target:
    """What belongs to all labs."""
    return SHARED


def _for_administrators(
    row: Any, is_shown: Callable[[Visibility, Any], Condition] | None = None
) -> RecordKind:
    """Records that administrators write."""
    own = alias(row, "noted") if isinstance(row, View) else aliased(row)

    def condition(visibility: Visibility, record_id: Any) -> Condition:
        return _is_record(own, record_id, *([is_shown(visibility, own)] if is_shown else []))

    return RecordKind(condition, _shared_target, Permission.ADMIN)


def _of_lab(row: Any) -> RecordKind:
    """Records of a lab, or of none."""
    return _for_administrators(row, lambda visibility, own: visible.is_lab_visible(visibility, own.lab_id))


def _term(vocabulary: Vocabulary) -> RecordKind:
    return _for_administrators(VocabularyRow, lambda _, own: own.kind == vocabulary)


def _is_membership_shown(visibility: Visibility, membership: Any) -> Condition:
    """Memberships as in the list of memberships."""
    is_of_lab = sa.true() if visibility.labs is None else membership.lab_id.in_(visibility.labs)
    return sa.and_(sa.literal(not visibility.public_only), is_of_lab)


def _is_litter_shown(visibility: Visibility, litter: Any) -> Condition:
    line = aliased(LineRow)
    hidden = sa.exists().where(
        line.id == litter.line_id, sa.not_(visible.is_lab_visible(visibility, line.lab_id))
    )
    return ~hidden.correlate_except(line)


def _is_user_shown(visibility: Visibility, user: Any) -> Condition:
    """Users as in the list of users."""
    shown = sa.select(UserRow.id).where(UserRow.deleted_at.is_(None), visible.is_user_visible(visibility))
    condition: Condition = user.id.in_(shown.correlate(None))
    return condition


def _datasets() -> RecordKind:
    async def target(session: ReadSession, record_id: UUID) -> Target:
        dataset = alias(DATASETS, "noted")
        rows = await session.execute(
            sa.select(dataset.c.session_id, dataset.c.content_type, dataset.c.object_id).where(
                dataset.c.id == record_id
            )
        )
        return await fetch_dataset_target(session, *rows.one())

    return RecordKind(shared.is_dataset_visible, target, Permission.REGISTER)


def _files() -> RecordKind:
    datasets, own = _datasets(), alias(COPIES, "noted")

    async def target(session: ReadSession, record_id: UUID) -> Target:
        rows = await session.scalars(sa.select(own.c.dataset_id).where(own.c.id == record_id))
        return await datasets.fetch_target(session, rows.one())

    return RecordKind(
        lambda visibility, record_id: _is_record(
            own, record_id, shared.is_dataset_visible(visibility, own.c.dataset_id)
        ),
        target,
        Permission.REGISTER,
    )


def _jobs() -> RecordKind:
    """Jobs of sessions; public readers see no job, and scheduler alone knows who sees one without a session."""
    own = alias(JOBS, "noted")

    async def target(session: ReadSession, record_id: UUID) -> Target:
        session_id = await session.scalar(sa.select(own.c.session_id).where(own.c.id == record_id))
        return await fetch_session_target(session, session_id)

    def condition(visibility: Visibility, record_id: Any) -> Condition:
        if visibility.public_only and not visibility.everything:
            return sa.false()
        return _is_record(own, record_id, shared.is_session_visible(visibility, own.c.session_id))

    return RecordKind(condition, target)


RECORD_KINDS: Final[dict[str, RecordKind]] = {
    "session": _of_object(ContentType.SESSION, shared.is_session_visible),
    "subject": _of_object(ContentType.SUBJECT, shared.is_subject_visible),
    "project": RecordKind(shared.is_project_visible, _shared_target, Permission.ADMIN),
    "lab": RecordKind(shared.is_lab_visible, _shared_target, Permission.ADMIN),
    "surgery": _of_action(ActionKind.SURGERY),
    "waterrestriction": _of_action(ActionKind.WATER_RESTRICTION),
    "weighing": _of_subject(WeighingRow),
    "wateradministration": _of_subject(WaterAdministrationRow),
    "probeinsertion": _of_session(InsertionRow),
    "watertype": _term(Vocabulary.WATER_TYPE),
    "proceduretype": _term(Vocabulary.PROCEDURE),
    "species": _term(Vocabulary.SPECIES),
    "strain": _term(Vocabulary.STRAIN),
    "source": _term(Vocabulary.SOURCE),
    "allele": _term(Vocabulary.ALLELE),
    "line": _of_lab(LineRow),
    "litter": _for_administrators(LitterRow, _is_litter_shown),
    "lablocation": _of_lab(LocationRow),
    "labmember": _for_administrators(UserRow, _is_user_shown),
    "labmembership": _for_administrators(MembershipRow, _is_membership_shown),
    "dataset": _datasets(),
    "filerecord": _files(),
    "datasettype": _for_administrators(DATASET_TYPES),
    "datarepository": _for_administrators(REPOSITORIES),
    "tag": _for_administrators(TAGS),
    "task": _jobs(),
}
"""By the model's name; `libs/common/schemas/content_types.py` has the same names."""


def is_record_visible(visibility: Visibility, content_type: Any, object_id: Any) -> Condition:
    """The record exists and is visible to the caller; both arguments are columns of the statement around it."""
    return sa.or_(
        *(
            sa.and_(content_type == name, kind.is_visible(visibility, object_id))
            for name, kind in RECORD_KINDS.items()
        )
    )


async def exists_record(session: ReadSession, visibility: Visibility, model: str, object_id: UUID) -> bool:
    """Whether there is a record of a model that the caller can see."""
    return bool(await session.scalar(sa.select(RECORD_KINDS[model].is_visible(visibility, object_id))))
