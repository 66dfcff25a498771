"""What can be undone in metadata: who may change or delete a row may undo that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from libs.common.auth import check_administrator
from libs.common.db import Transaction
from libs.common.db.restoring import Restored
from libs.common.db.rows import lock_by_id, refuse_duplicate
from libs.common.permissions import Principal
from libs.common.problem import Conflict
from libs.common.schemas.states import ActionKind
from libs.common.undo import Undoable, Undoables
from libs.common.visibility import Visibility
from services.metadata.domain.users import check_stays_administrator
from services.metadata.models import (
    ActionRow,
    ChannelRow,
    FieldOfViewRow,
    FovLocationRow,
    InsertionRow,
    LabRow,
    LocationRow,
    NoteRow,
    ProjectRow,
    SubjectRow,
    TrajectoryRow,
    UserRow,
    WaterAdministrationRow,
    WeighingRow,
)
from services.metadata.models.dependants import DEPENDANTS
from services.metadata.operations.actions import lock_to_edit
from services.metadata.operations.channels import lock_channel_to_edit
from services.metadata.operations.chronic_insertions import refuse_duplicate_name
from services.metadata.operations.deletions import check_restored, publish_restored_sessions
from services.metadata.operations.fields_of_view import lock_field_of_view_to_edit
from services.metadata.operations.fov_locations import lock_fov_location_to_edit
from services.metadata.operations.insertions import lock_insertion_to_edit
from services.metadata.operations.notes import lock_note_to_edit
from services.metadata.operations.relations import (
    DELEGATES,
    PROCEDURES_OF_ACTION,
    PROJECTS_OF_SESSION,
    PROJECTS_OF_SUBJECT,
    REPOSITORIES_OF_LAB,
    USERS_OF_ACTION,
    USERS_OF_PROJECT,
    ZYGOSITIES,
    add_private_projects,
)
from services.metadata.operations.session_merges import MERGED, undo_merge
from services.metadata.operations.subject_names import subject_of_record
from services.metadata.operations.subjects import check_nickname
from services.metadata.operations.taken_paths import OF_PATH, check_paths_free
from services.metadata.operations.trajectories import lock_trajectory_to_edit
from services.metadata.operations.water_administrations import lock_water_administration_to_edit
from services.metadata.operations.weighings import lock_weighing_to_edit
from services.metadata.queries.imaging_stacks import (
    exists_stack_of_several_sessions,
    lock_stacks_of_fields_of_view,
)
from services.metadata.queries.lock_order import (
    lock_owner_of_fov_location,
    lock_subject_of_action,
    lock_with_parents,
)
from services.metadata.queries.subjects import lock_subject_by_id
from services.metadata.queries.users import exists_other_administrator, lock_administrators

_NAMES: Final = (UserRow.username, LabRow.name, ProjectRow.name, LocationRow.name)
_OWNERS_OF_SUBJECTS: Final = frozenset({"responsible_user_id", "lab_id"})
_OWNERS_OF_SESSIONS: Final = frozenset({"subject_id", "lab_id", "parent_session_id"})


async def _check_session(tx: Transaction, by: Principal, visibility: Visibility, session_id: UUID) -> None:
    await lock_to_edit(tx, by, visibility, ActionKind.SESSION, session_id)


async def _check_surgery(tx: Transaction, by: Principal, visibility: Visibility, surgery_id: UUID) -> None:
    await lock_to_edit(tx, by, visibility, ActionKind.SURGERY, surgery_id)


async def _check_restriction(
    tx: Transaction, by: Principal, visibility: Visibility, restriction_id: UUID
) -> None:
    await lock_to_edit(tx, by, visibility, ActionKind.WATER_RESTRICTION, restriction_id)


async def _check_chronic_insertion(
    tx: Transaction, by: Principal, visibility: Visibility, chronic_insertion_id: UUID
) -> None:
    await lock_to_edit(tx, by, visibility, ActionKind.CHRONIC_INSERTION, chronic_insertion_id)


async def _check_subject(tx: Transaction, by: Principal, visibility: Visibility, subject_id: UUID) -> None:
    await subject_of_record(tx, by, visibility, subject_id, f"There is no subject {subject_id}.")


async def _lock_subject(tx: Transaction, action_id: UUID) -> None:
    await lock_subject_of_action(tx.session, action_id)


async def _lock_insertion(tx: Transaction, insertion_id: UUID) -> None:
    await lock_with_parents(tx.session, insertions=[insertion_id])


async def _lock_trajectory(tx: Transaction, trajectory_id: UUID) -> None:
    await lock_with_parents(tx.session, trajectories=[trajectory_id])


async def _lock_channel(tx: Transaction, channel_id: UUID) -> None:
    await lock_with_parents(tx.session, channels=[channel_id])


async def _lock_field_of_view(tx: Transaction, fov_id: UUID) -> None:
    await lock_with_parents(tx.session, fields_of_view=[fov_id])


async def _lock_owner_of_fov_location(tx: Transaction, location_id: UUID) -> None:
    await lock_owner_of_fov_location(tx.session, location_id)


async def _check_restored(tx: Transaction, by: Principal, visibility: Visibility, restored: Restored) -> None:
    await check_restored(tx, by, visibility, restored)
    for column in _NAMES:
        model: Any = column.class_
        for row_id in restored.ids.get(model.__tablename__, []):
            row = await lock_by_id(tx.session, model, row_id)
            await refuse_duplicate(tx.session, column, getattr(row, column.key), except_id=row_id)
    for row_id in restored.ids.get(SubjectRow.__tablename__, []):
        await check_nickname(tx, await lock_by_id(tx.session, SubjectRow, row_id), {})
    fov_ids = restored.ids.get(FieldOfViewRow.__tablename__, [])
    await lock_stacks_of_fields_of_view(tx.session, fov_ids)
    if await exists_stack_of_several_sessions(tx.session, fov_ids):
        raise Conflict("Its imaging stack has fields of view of another session by now.")
    await _check_names_of_chronic_insertions(tx, restored)
    if action_ids := restored.ids.get(ActionRow.__tablename__):
        await check_paths_free(tx, visibility, action_ids)
        return  # a deleted session gets no further insertions
    await _check_names_in_session(tx, InsertionRow, restored)
    await _check_names_in_session(tx, FieldOfViewRow, restored)


async def _check_names_of_chronic_insertions(tx: Transaction, restored: Restored) -> None:
    if restored.ids.get(SubjectRow.__tablename__):
        return  # a deleted subject gets no further ones
    for row_id in restored.ids.get(ActionRow.__tablename__, []):
        row = await lock_by_id(tx.session, ActionRow, row_id)
        if row.kind == ActionKind.CHRONIC_INSERTION and row.name:
            await refuse_duplicate_name(tx, row.subject_id, row.name, row_id)


async def _check_names_in_session(
    tx: Transaction, model: type[InsertionRow | FieldOfViewRow], restored: Restored
) -> None:
    for row_id in restored.ids.get(model.__tablename__, []):
        row = await lock_by_id(tx.session, model, row_id)
        within = {"session_id": row.session_id}
        await refuse_duplicate(tx.session, model.name, row.name, within=within, except_id=row_id)


async def _keep_private(tx: Transaction, session_id: UUID, before: Mapping[str, Any]) -> None:
    """A session that is of another subject again also belongs to the private projects of that one.

    It keeps the projects that it has. An undo of another change leaves its projects as they are.
    """
    if "subject_id" in before:
        row = await lock_by_id(tx.session, ActionRow, session_id)
        await add_private_projects(tx, row)


async def _check_not_opened(tx: Transaction, restriction_id: UUID, _before: Mapping[str, Any]) -> None:
    """Raises Conflict for a restriction that an undo would open again though its subject died."""
    row = await lock_by_id(tx.session, ActionRow, restriction_id)
    subject = await lock_subject_by_id(tx.session, row.subject_id)
    if row.end_at is None and subject.death_date is not None:
        raise Conflict("The subject has died: its water restriction stays ended.")


async def _lock_administrators(tx: Transaction, _user_id: UUID) -> None:
    await lock_administrators(tx.session)


async def _check_administrator_remains(tx: Transaction, user_id: UUID, _before: Mapping[str, Any]) -> None:
    """Raises Conflict for an undo after which no user would be an active administrator."""
    row = await lock_by_id(tx.session, UserRow, user_id)
    check_stays_administrator(
        is_last_administrator=not await exists_other_administrator(tx.session, user_id),
        is_superuser=row.is_superuser,
        is_active=row.is_active,
    )


UNDOABLES: Final = Undoables(
    DEPENDANTS,
    {
        "user": Undoable(
            UserRow,
            check_administrator,
            lock_first=_lock_administrators,
            by_row=False,
            relations=(DELEGATES,),
            names=frozenset({"username"}),
            reverted=_check_administrator_remains,
        ),
        "lab": Undoable(
            LabRow,
            check_administrator,
            by_row=False,
            relations=(REPOSITORIES_OF_LAB,),
            names=frozenset({"name"}),
        ),
        "project": Undoable(
            ProjectRow,
            check_administrator,
            by_row=False,
            relations=(USERS_OF_PROJECT,),
            names=frozenset({"name"}),
        ),
        "subject": Undoable(
            SubjectRow,
            _check_subject,
            publish_restored_sessions,
            relations=(PROJECTS_OF_SUBJECT, ZYGOSITIES),
            own_rules=_OWNERS_OF_SUBJECTS | {"projects"},
            names=_OWNERS_OF_SUBJECTS | {"nickname"},
            not_undone=frozenset({"death_date"}),
        ),
        "session": Undoable(
            ActionRow,
            _check_session,
            publish_restored_sessions,
            relations=(USERS_OF_ACTION, PROCEDURES_OF_ACTION, PROJECTS_OF_SESSION),
            own_rules=_OWNERS_OF_SESSIONS | {"projects"},
            names=OF_PATH,
            reverted=_keep_private,
        ),
        "surgery": Undoable(
            ActionRow,
            _check_surgery,
            relations=(USERS_OF_ACTION, PROCEDURES_OF_ACTION),
            not_undone=frozenset({"outcome_type", "end_time"}),
        ),
        "water-restriction": Undoable(
            ActionRow,
            _check_restriction,
            lock_first=_lock_subject,
            relations=(USERS_OF_ACTION,),
            reverted=_check_not_opened,
        ),
        "insertion": Undoable(
            InsertionRow,
            lock_insertion_to_edit,
            lock_first=_lock_insertion,
            own_rules=frozenset({"session_id", "chronic_insertion_id", "serial"}),
            names=frozenset({"name", "session_id"}),
        ),
        "chronic-insertion": Undoable(
            ActionRow,
            _check_chronic_insertion,
            relations=(USERS_OF_ACTION, PROCEDURES_OF_ACTION),
            own_rules=frozenset({"lab_id", "serial"}),
            names=frozenset({"name"}),
        ),
        "trajectory": Undoable(
            TrajectoryRow,
            lock_trajectory_to_edit,
            lock_first=_lock_trajectory,
            own_rules=frozenset({"insertion_id", "chronic_insertion_id"}),
        ),
        "field-of-view": Undoable(
            FieldOfViewRow,
            lock_field_of_view_to_edit,
            lock_first=_lock_field_of_view,
            own_rules=frozenset({"session_id"}),
            names=frozenset({"name", "session_id", "stack_id"}),
        ),
        "fov-location": Undoable(
            FovLocationRow,
            lock_fov_location_to_edit,
            lock_first=_lock_owner_of_fov_location,
            own_rules=frozenset({"field_of_view_id"}),
        ),
        "channel": Undoable(
            ChannelRow, lock_channel_to_edit, lock_first=_lock_channel, own_rules=frozenset({"trajectory_id"})
        ),
        "note": Undoable(NoteRow, lock_note_to_edit),
        "weighing": Undoable(WeighingRow, lock_weighing_to_edit),
        "water-administration": Undoable(
            WaterAdministrationRow, lock_water_administration_to_edit, own_rules=frozenset({"session_id"})
        ),
    },
    _check_restored,
    actions={MERGED: undo_merge},
)
