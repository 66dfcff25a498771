"""The subject that a path or a body names, by nickname or id."""

from __future__ import annotations

from uuid import UUID

from cingulum.alf.spelling import normal
from libs.common.db import ReadSession, Transaction
from libs.common.permissions import Principal
from libs.common.problem import NotFound, UnknownReference
from libs.common.targets import fetch_object_target
from libs.common.visibility import Visibility
from services.metadata.domain.bodies import required
from services.metadata.domain.rights import check_may_edit_subject
from services.metadata.domain.subject_names import NamedSubject, choose_subject
from services.metadata.queries import subjects as queries
from services.metadata.queries.lock_order import lock_against_deletion
from services.metadata.queries.subjects import SubjectBrief


async def fetch_named(session: ReadSession, visibility: Visibility, name: str) -> NamedSubject:
    """The subject whose nickname or id a path has. Raises NotFound and AmbiguousName."""
    named = choose_subject(name, await queries.fetch_named_subjects(session, visibility, name))
    if named is None:
        raise NotFound(f"There is no subject '{name}'.")
    return named


async def subject_of_body(
    tx: Transaction, by: Principal, visibility: Visibility, name: str | None, lab: str | None = None
) -> SubjectBrief:
    """The subject that a body names by nickname or id, whose records the caller may change.

    lab   of the same body: of several subjects of one nickname, that of the lab is meant
    Raises BadRequest, AmbiguousName and Forbidden.
    """
    subjects = await queries.fetch_named_subjects(tx.session, visibility, required(name, "subject"))
    named = choose_subject(name or "", subjects, lab=lab, field="subject")
    subject = await queries.find_brief_by_id(tx.session, visibility, named.id) if named else None
    if subject is None or not await lock_against_deletion(tx.session, subject.id):
        raise UnknownReference("subject", name, key="nickname")
    check_may_edit_subject(by, await fetch_object_target(tx.session, "subject", subject.id), subject.nickname)
    return subject


def names_other(name: str | None, subject: SubjectBrief) -> bool:
    """Whether a body names another subject than the one that its row belongs to."""
    return bool(name) and normal(name or "") not in {subject.nickname, str(subject.id)}


async def subject_of_record(
    tx: Transaction, by: Principal, visibility: Visibility, subject_id: UUID, missing: str
) -> SubjectBrief:
    """The subject of a record that the caller may change. Raises NotFound with the text `missing`, and Forbidden."""
    subject = await queries.find_brief_by_id(tx.session, visibility, subject_id)
    if subject is None:
        raise NotFound(missing)
    check_may_edit_subject(by, await fetch_object_target(tx.session, "subject", subject.id), subject.nickname)
    return subject
