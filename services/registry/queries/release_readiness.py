"""What decides whether a release is ready."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from libs.common.db import ReadSession
from libs.common.published import SESSION_USERS, SESSIONS, USERNAMES, USERS, table
from libs.common.schemas.states import CopyState
from libs.common.visibility import Visibility, anonymous_visibility, system_visibility
from libs.common.visible import is_dataset_row_visible
from services.registry.domain.releases import Candidate
from services.registry.models import CopyRow, DatasetRow, ReleaseDatasetRow, VersionRow
from services.registry.models.expressions import path_in_folder
from services.registry.queries.columns import session_folder
from services.registry.queries.releases import is_version


def _people() -> sa.ScalarSelect[Any]:
    """Name, and whether there is an account, by id of a person whose consent is needed.

    Those are the users of a session; without users, the person responsible for its animal.
    """
    sessions, users, names = table(SESSIONS), table(SESSION_USERS), table(USERNAMES)
    accounts = table(USERS)
    has_account = sa.exists().where(accounts.c.id == names.c.id, accounts.c.is_active)
    of_session = sa.select(users.c.user_id).where(users.c.session_id == sessions.c.id)
    is_owner = sa.or_(
        names.c.id.in_(of_session.correlate(sessions)),
        sa.and_(~of_session.correlate(sessions).exists(), names.c.id == sessions.c.responsible_user_id),
    )
    people = sa.select(
        sa.func.jsonb_object_agg(names.c.id, sa.func.jsonb_build_array(names.c.username, has_account))
    ).where(is_owner)
    return people.correlate(sessions).scalar_subquery()


async def fetch_candidates(
    session: ReadSession, release_id: UUID, visibility: Visibility | None = None
) -> list[Candidate]:
    """The datasets of a release, with what decides whether it is ready, and what the caller no longer sees."""
    sessions = table(SESSIONS)
    n_verified = (
        sa.select(sa.func.count())
        .where(
            CopyRow.dataset_id == VersionRow.dataset_id,
            CopyRow.generation == VersionRow.generation,
            CopyRow.state == CopyState.VERIFIED,
        )
        .correlate(VersionRow)
    )
    is_public = is_dataset_row_visible(anonymous_visibility(), DatasetRow, sa.true())
    is_gone = sa.and_(DatasetRow.session_id.is_not(None), sessions.c.id.is_(None))
    is_visible = is_dataset_row_visible(visibility or system_visibility(), DatasetRow, sa.true())
    of_session = sa.select(sessions.c.id, _people().label("people")).subquery("people")
    rows = await session.execute(
        sa.select(
            DatasetRow.id,
            DatasetRow.session_id,
            session_folder().label("folder"),
            path_in_folder().label("path"),
            VersionRow.sha256,
            n_verified.scalar_subquery().label("n_verified"),
            DatasetRow.qc,
            sa.or_(DatasetRow.deleted_at.is_not(None), is_gone).label("is_deleted"),
            (~sa.func.coalesce(is_public, sa.false())).label("is_private"),
            sa.and_(~is_gone, ~sa.func.coalesce(is_visible, sa.false())).label("is_hidden"),
            sa.func.coalesce(of_session.c.people, sa.cast({}, JSONB)).label("users"),
        )
        .select_from(ReleaseDatasetRow)
        .join(DatasetRow, DatasetRow.id == ReleaseDatasetRow.dataset_id)
        .join(VersionRow, is_version())
        .join(sessions, sessions.c.id == DatasetRow.session_id, isouter=True)
        .join(of_session, of_session.c.id == DatasetRow.session_id, isouter=True)
        .where(ReleaseDatasetRow.release_id == release_id, ReleaseDatasetRow.pulled_at.is_(None))
    )
    return [_candidate(dict(row)) for row in rows.mappings()]


def _candidate(row: Mapping[str, Any]) -> Candidate:
    people = {UUID(user_id): tuple(person) for user_id, person in row["users"].items()}
    users = {user_id: name for user_id, (name, _) in people.items()}
    left = frozenset(user_id for user_id, (_, has_account) in people.items() if not has_account)
    values = {name: value for name, value in row.items() if name != "id"}
    return Candidate(dataset_id=row["id"], **values | {"users": users, "left": left})
