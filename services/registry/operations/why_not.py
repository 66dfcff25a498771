"""Why a dataset of a session cannot be loaded by the caller, or the session not be written as an NWB file."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from cingulum.alf.loading import LoadReason, explain_loading
from cingulum.alf.name_patterns import NamePattern
from cingulum.worker.pipelines import known_tasks
from libs.common.db import ReadSession
from libs.common.problem import NotFound
from libs.common.visibility import Visibility
from services.registry.domain.nwb import explain_nwb
from services.registry.domain.why_not import explain_deletions, explain_embargoes, explain_making
from services.registry.queries import why_not as queries
from services.registry.queries.nwb_facts import find_facts

_PUBLIC_ONLY: Final = LoadReason(
    "public-only",
    "Public readers see only files that a public tag covers, whether there are others or not.",
    "Sign in with an account of the lab, or ask its owner.",
    blocks=False,
)


async def explain(
    session: ReadSession,
    visibility: Visibility,
    session_id: UUID,
    pattern: NamePattern,
    *,
    revision: str | None = None,
    worst_qc: int | None = None,
) -> list[LoadReason]:
    """The reasons, in order. Raises NotFound for a session that the caller cannot see."""
    if not await queries.is_session_known(session, visibility, session_id):
        raise NotFound(f"There is no session {session_id}.")
    files = await queries.fetch_files_of_session(session, visibility, session_id)
    reasons = explain_loading(files, pattern, revision=revision, worst_qc=worst_qc)
    if reasons[0].slug != "not-registered":
        embargoed = await queries.list_embargoed_files(session, visibility, session_id)
        return reasons + explain_embargoes(pattern, embargoed)
    if visibility.public_only:
        return [*reasons, _PUBLIC_ONLY]
    jobs = await queries.list_jobs_of_session(session, visibility, session_id)
    names = [(file.collection, file.name) for file in files]
    deleted = await queries.list_deleted_files(session, visibility, session_id)
    reasons += explain_deletions(pattern, deleted, datetime.now(UTC))
    return reasons + explain_making(pattern, jobs, known_tasks(), names)


async def explain_export(session: ReadSession, visibility: Visibility, session_id: UUID) -> list[LoadReason]:
    """What is missing for an NWB file of a session. Raises NotFound for a session that the caller cannot see."""
    facts = await find_facts(session, visibility, session_id)
    if facts is None:
        raise NotFound(f"There is no session {session_id}.")
    return explain_nwb(facts, await queries.fetch_files_of_session(session, visibility, session_id))
