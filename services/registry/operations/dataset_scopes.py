"""What a dataset that is created one by one belongs to: a session, another object, or the user who creates it."""

from __future__ import annotations

from uuid import UUID

from cingulum.alf.spelling import name_key
from libs.common.db import ReadSession
from libs.common.permissions import Principal
from libs.common.problem import REQUIRED, BadRequest, UnknownReference
from libs.common.schemas.files.datasets import DatasetIn
from libs.common.schemas.ids import parse_field_id
from libs.common.schemas.states import ContentType
from libs.common.visibility import Visibility
from services.registry.domain.sessions import SessionName, name_in_folder
from services.registry.operations.dataset_moves import day_of_body, parse_names
from services.registry.queries import registration
from services.registry.queries.aggregates import fetch_aggregate_scope
from services.registry.queries.registration import RegistrationScope


async def fetch_dataset_scope(
    session: ReadSession, by: Principal, visibility: Visibility, new: DatasetIn
) -> RegistrationScope:
    """The scope that a body names; the caller's own if it names none.

    Raises BadRequest, also where two of its fields name different ones, and AmbiguousName.
    """
    scope = await _named_scope(session, by, visibility, new)
    differing = _differing(new, scope)
    if differing:
        text = ["It contradicts the other fields: leave one of them out."]
        raise BadRequest(fields=dict.fromkeys(differing, text))
    return scope


async def _named_scope(
    session: ReadSession, by: Principal, visibility: Visibility, new: DatasetIn
) -> RegistrationScope:
    if new.session:
        return await _of_session(session, visibility, parse_field_id("session", new.session))
    if new.subject or new.date or new.number is not None:
        return await _of_subject(session, visibility, new)
    model = ContentType.name_in(new.content_type or "")
    if model == ContentType.SESSION:
        return await _of_session(session, visibility, _object_id(new), "object_id")
    if model:
        return await fetch_aggregate_scope(session, visibility, model, _object_id(new))
    if new.object_id is not None:
        raise BadRequest(fields={"content_type": REQUIRED})
    return _own_scope(by.user_id)


def _differing(new: DatasetIn, scope: RegistrationScope) -> list[str]:
    """The fields of a body that name another session or object than its scope."""
    known: dict[str, object] = {"content_type": scope.content_type, "object_id": scope.owner_id}
    sent: dict[str, object] = {
        "content_type": ContentType.name_in(new.content_type or ""),
        "object_id": new.object_id,
        "number": new.number,
    }
    if scope.session_id is not None:
        name = name_in_folder(scope.folder)
        known |= {
            "content_type": ContentType.SESSION,
            "subject": name_key(name.subject),
            "date": name.day,
            "number": name.number,
        }
        sent |= {"subject": name_key(new.subject or ""), "date": day_of_body(new.date) if new.date else None}
    return [field for field, value in sent.items() if value not in {None, ""} and value != known.get(field)]


def _object_id(new: DatasetIn) -> UUID:
    if new.object_id is None:
        raise BadRequest(fields={"object_id": REQUIRED})
    return new.object_id


def _own_scope(user_id: UUID) -> RegistrationScope:
    """Of a dataset that belongs to no session and no object: every user sees it, its creator changes it."""
    return RegistrationScope(
        session_id=None,
        content_type=ContentType.LABMEMBER,
        object_id=user_id,
        folder=f"aggregates/Labmembers/{user_id}",
        lab_id=None,
        subject_lab_id=None,
    )


async def _of_session(
    session: ReadSession, visibility: Visibility, session_id: UUID, field: str = "session"
) -> RegistrationScope:
    scope = await registration.find_session_by_id(session, visibility, session_id)
    if scope is None:
        raise UnknownReference(field, session_id, key="id")
    return scope


async def _of_subject(session: ReadSession, visibility: Visibility, new: DatasetIn) -> RegistrationScope:
    if not new.subject or not new.date:
        raise BadRequest(fields={"date" if new.subject else "subject": REQUIRED})
    day = day_of_body(new.date)
    number = 1 if new.number is None else new.number
    name = SessionName(new.subject, day, number)
    key = parse_names(new, f"lab/Subjects/{name}")  # whatever the lab: its folder comes with the session
    scope = await registration.find_session_by_path(session, visibility, name, files=[key], field="subject")
    if scope is None:
        raise UnknownReference("session", f"{new.subject}/{new.date}/{number}", key="id")
    return scope
