"""The records that notes can be about: who sees one, and what it belongs to.

A note is visible to those who see its record, and changed by those who may change it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from libs.common import visible as shared
from libs.common.db import ReadSession
from libs.common.db.conditions import Condition
from libs.common.permissions import Target
from libs.common.published import DATA_FORMATS, DATASET_TYPES, REPOSITORIES, REPOSITORY_TYPES, REVISIONS, TAGS
from libs.common.schemas.states import ActionKind, ContentType
from libs.common.scopes import Permission
from libs.common.visibility import Visibility
from services.metadata.models import (
    FieldOfViewRow,
    InsertionRow,
    LineRow,
    LitterRow,
    LocationRow,
    MembershipRow,
    NoteRow,
    UserRow,
    WaterAdministrationRow,
    WeighingRow,
)
from services.metadata.queries import visible
from services.metadata.queries.noted_files import of_datasets, of_downloads, of_files, of_notices
from services.metadata.queries.noted_kinds import (
    RecordKind,
    Rights,
    for_administrators,
    of_action,
    of_channels,
    of_fov_locations,
    of_imaging_stacks,
    of_jobs,
    of_lab,
    of_object,
    of_session,
    of_subject,
    of_trajectories,
    of_vocabulary,
    shared_target,
)
from services.metadata.queries.references import Vocabulary


def _of_notes() -> RecordKind:
    """Notes, as visible as the records that they are about; a note on a note cannot have notes itself."""
    own = sa.orm.aliased(NoteRow)

    async def noted(session: ReadSession, note_id: UUID) -> tuple[RecordKind, UUID]:
        row = (await session.scalars(sa.select(NoteRow).where(NoteRow.id == note_id))).one()
        return RECORD_KINDS[row.content_type], row.object_id

    async def target(session: ReadSession, note_id: UUID) -> Target:
        kind, object_id = await noted(session, note_id)
        return await kind.fetch_target(session, object_id)

    async def rights(session: ReadSession, note_id: UUID) -> Rights:
        kind, object_id = await noted(session, note_id)
        return await kind.fetch_rights(session, object_id)

    def condition(visibility: Visibility, note_id: Any) -> Condition:
        kinds = RECORD_KINDS.keys() - {"note"}
        shown = is_record_visible(visibility, own.content_type, own.object_id, kinds)
        return sa.exists().where(own.id == note_id, own.deleted_at.is_(None), shown).correlate_except(own)

    return RecordKind(condition, target, rights_of=rights)


RECORD_KINDS: Final[dict[str, RecordKind]] = {
    "session": of_object(ContentType.SESSION, shared.is_session_visible),
    "subject": of_object(ContentType.SUBJECT, shared.is_subject_visible),
    "project": RecordKind(shared.is_project_visible, shared_target, Permission.ADMIN),
    "lab": RecordKind(shared.is_lab_visible, shared_target, Permission.ADMIN),
    "surgery": of_action(ActionKind.SURGERY),
    "waterrestriction": of_action(ActionKind.WATER_RESTRICTION),
    "weighing": of_subject(WeighingRow),
    "wateradministration": of_subject(WaterAdministrationRow),
    "probeinsertion": of_session(InsertionRow),
    "chronicinsertion": of_action(ActionKind.CHRONIC_INSERTION),
    "trajectoryestimate": of_trajectories(),
    "channel": of_channels(),
    "probemodel": of_vocabulary(Vocabulary.PROBE_MODEL),
    "coordinatesystem": of_vocabulary(Vocabulary.COORDINATE_SYSTEM),
    "fov": of_session(FieldOfViewRow),
    "fovlocation": of_fov_locations(),
    "imagingstack": of_imaging_stacks(),
    "imagingtype": of_vocabulary(Vocabulary.IMAGING_TYPE),
    "watertype": of_vocabulary(Vocabulary.WATER_TYPE),
    "proceduretype": of_vocabulary(Vocabulary.PROCEDURE),
    "species": of_vocabulary(Vocabulary.SPECIES),
    "strain": of_vocabulary(Vocabulary.STRAIN),
    "source": of_vocabulary(Vocabulary.SOURCE),
    "allele": of_vocabulary(Vocabulary.ALLELE),
    "line": of_lab(LineRow),
    "litter": for_administrators(
        LitterRow, lambda visibility, own: visible.is_line_visible(visibility, own.line_id)
    ),
    "lablocation": of_lab(LocationRow),
    "labmember": for_administrators(UserRow, visible.is_user_visible),
    "labmembership": for_administrators(MembershipRow, visible.is_membership_visible),
    "dataset": of_datasets(),
    "filerecord": of_files(),
    "datasettype": for_administrators(DATASET_TYPES),
    "datarepository": for_administrators(REPOSITORIES),
    "tag": for_administrators(TAGS),
    "revision": for_administrators(REVISIONS),
    "dataformat": for_administrators(DATA_FORMATS),
    "datarepositorytype": for_administrators(REPOSITORY_TYPES),
    "datanotice": of_notices(),
    "download": of_downloads(),
    "note": _of_notes(),
    "task": of_jobs(),
}
"""By the model's name; `libs/common/schemas/content_types.py` has the same names."""


def is_record_visible(
    visibility: Visibility, content_type: Any, object_id: Any, kinds: Collection[str] = RECORD_KINDS.keys()
) -> Condition:
    """The record exists and is visible to the caller; both columns are of the statement around it.

    `kinds` are those that its rows have: planning the rules of all kinds takes longer than reading the notes.
    """
    return sa.or_(
        sa.false(),
        *(
            sa.and_(content_type == name, RECORD_KINDS[name].is_visible(visibility, object_id))
            for name in kinds
            if name in RECORD_KINDS
        ),
    )


async def exists_record(session: ReadSession, visibility: Visibility, model: str, object_id: UUID) -> bool:
    """Whether there is a record of a model that the caller can see."""
    return bool(await session.scalar(sa.select(RECORD_KINDS[model].is_visible(visibility, object_id))))
