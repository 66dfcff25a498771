"""Fields of the free filters on sessions, subjects and what they name, over the views that metadata publishes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from libs.common.filters import Field, FieldMap, JsonField, Relation
from libs.common.filters.shared_maps import nickname_map, username_map
from libs.common.neighbour_maps import rules
from libs.common.neighbour_maps.fields import Fields, Target, clock, fields_of, to_linked, to_one, under
from libs.common.neighbour_maps.terms import LINE_MAP, LITTER_MAP, PROBE_MODEL_MAP, TERM_MAP, probe_model
from libs.common.published import (
    FIELDS_OF_VIEW,
    INSERTIONS,
    LAB_REPOSITORIES,
    LABS,
    LINES,
    LITTERS,
    LOCATIONS,
    MEMBERSHIPS,
    NOTES,
    PROJECT_MEMBERS,
    PROJECTS,
    SESSION_PROCEDURES,
    SESSION_PROJECTS,
    SESSION_USERS,
    SESSIONS,
    SUBJECT_AUDIENCE,
    SUBJECTS,
    TERMS,
    USERS,
    ZYGOSITIES,
    table,
)

_session, _subject, _lab, _user, _project = (
    table(view) for view in (SESSIONS, SUBJECTS, LABS, USERS, PROJECTS)
)
_location, _line, _litter, _term, _note = (table(view) for view in (LOCATIONS, LINES, LITTERS, TERMS, NOTES))
_insertion, _fov = table(INSERTIONS), table(FIELDS_OF_VIEW)
_parent = _session.alias("parent_session")
_in_lab, _member, _in_project = table(LAB_REPOSITORIES), table(MEMBERSHIPS), table(PROJECT_MEMBERS)
_session_user, _session_project, _procedure = (
    table(view) for view in (SESSION_USERS, SESSION_PROJECTS, SESSION_PROCEDURES)
)
_subject_project, _zygosity = table(SUBJECT_AUDIENCE), table(ZYGOSITIES)
NAMED_USERS = username_map(_user.alias("named_user"))
_NAMED_SUBJECTS = nickname_map(_subject.alias("named_subject"))
_is_current = sa.and_(
    _member.c.start_date <= sa.func.current_date(),
    sa.or_(_member.c.end_date.is_(None), _member.c.end_date >= sa.func.current_date()),
)
Relations = Callable[[Any], Fields]


class MetadataMaps:
    """The maps over metadata's views, with relations to rows of the service that declares them.

    repository     the source of the map `repositories`
    of_session     relations of a session to rows of other services, of its columns; likewise the others
    """

    def __init__(
        self,
        repositories: Target,
        repository: sa.FromClause,
        *,
        of_session: Relations,
        of_insertion: Relations,
        of_field_of_view: Relations,
    ) -> None:
        self.labs = self._labs(repositories, repository)
        self.users = self._users()
        self.projects = self._projects()
        self.locations = self._locations()
        self.notes = self._notes()
        self.subjects = self._subjects()
        self.insertions = self._insertions(of_insertion)
        self.fields_of_view = self._fields_of_view(of_field_of_view)
        self._parents = self._sessions(_parent, _session, lambda: self.sessions, of_session)
        self.sessions = self._sessions(_session, _parent, lambda: self._parents, of_session)

    def of_sessions(self, on: Any) -> Relation:
        """The sessions that fulfil a condition."""
        return Relation(lambda: self.sessions, on=on)

    def to_user(self, key: Any) -> Relation:
        """The user whose id a column holds, whose username every row shows."""
        return to_one(lambda: self.users, _user, key, NAMED_USERS)

    def to_session(self, key: Any) -> Relation:
        """The session whose id a column holds."""
        return to_one(lambda: self.sessions, _session, key)

    def notes_of(self, content_type: str, key: Any) -> Relation:
        """The notes on a session or subject."""
        return Relation(
            lambda: self.notes, on=sa.and_(_note.c.object_id == key, _note.c.content_type == content_type)
        )

    def _labs(self, repositories: Target, repository: sa.FromClause) -> FieldMap:
        return FieldMap("labs", _lab, {
            "id": Field(_lab.c.id, "uuid"),
            **fields_of(_lab.c, "text", "name", "institution", "address", "timezone"),
            **fields_of(_lab.c, "float", "reference_weight_pct", "zscore_weight_pct"),
            "json": JsonField(_lab.c.json),
            "repositories": to_linked(
                repositories, repository, _lab.c.id, _in_lab.c.lab_id, _in_lab.c.repository_id
            ),
            **under(Relation(lambda: self.subjects, on=_subject.c.lab_id == _lab.c.id), "subject", "subjects"),
            **under(self.of_sessions(_session.c.lab_id == _lab.c.id), "session", "sessions"),
            **under(Relation(lambda: self.locations, on=_location.c.lab_id == _lab.c.id), "lablocation", "locations"),
            "users": Relation(lambda: self.users, on=sa.and_(
                _member.c.lab_id == _lab.c.id, _member.c.user_id == _user.c.id, _is_current,
            )),
        }, visible=rules.is_lab_visible)  # fmt: skip

    def _users(self) -> FieldMap:
        return FieldMap("users", _user, {
            "id": Field(_user.c.id, "uuid"),
            "date_joined": Field(_user.c.created_at, "datetime"),
            "username": Field(_user.c.username, "text"),
            "email": Field(_user.c.email, "text", shown=rules.is_email_visible),
            **fields_of(
                _user.c, "bool", "is_active", "is_staff", "is_superuser", "is_stock_manager", "is_public_user"
            ),
            "lab": Relation(lambda: self.labs, on=sa.and_(
                _member.c.user_id == _user.c.id, _member.c.lab_id == _lab.c.id, _is_current,
            )),
            **under(
                Relation(lambda: self.subjects, on=_subject.c.responsible_user_id == _user.c.id),
                "subjects_responsible", "subject",
            ),
            **under(self.of_sessions(sa.and_(
                _session_user.c.user_id == _user.c.id, _session_user.c.session_id == _session.c.id,
            )), "actions_sessions", "session", "sessions"),
            **under(to_linked(
                lambda: self.projects, _project, _user.c.id, _in_project.c.user_id, _in_project.c.project_id
            ), "project", "projects"),
        }, visible=rules.is_user_visible)  # fmt: skip

    def _projects(self) -> FieldMap:
        return FieldMap("projects", _project, {
            "id": Field(_project.c.id, "uuid"),
            **fields_of(_project.c, "text", "name", "description"),
            "json": JsonField(_project.c.json),
            "users": to_linked(
                lambda: self.users, _user, _project.c.id, _in_project.c.project_id, _in_project.c.user_id
            ),
            **under(to_linked(
                lambda: self.subjects, _subject, _project.c.id, _subject_project.c.project_id,
                _subject_project.c.subject_id,
            ), "subject", "subjects"),
            **under(self.of_sessions(sa.and_(
                _session_project.c.project_id == _project.c.id, _session_project.c.session_id == _session.c.id,
            )), "session", "sessions"),
        }, visible=rules.is_project_visible)  # fmt: skip

    def _locations(self) -> FieldMap:
        return FieldMap("locations", _location, {
            "id": Field(_location.c.id, "uuid"),
            "name": Field(_location.c.name, "text"),
            "json": JsonField(_location.c.json),
            "lab": to_one(lambda: self.labs, _lab, _location.c.lab_id),
            **under(self.of_sessions(_session.c.location_id == _location.c.id), "session", "sessions"),
        }, visible=rules.is_of_visible_lab)  # fmt: skip

    def _notes(self) -> FieldMap:
        """Notes on sessions and subjects, which `notes_of` leads to: as visible as those."""
        return FieldMap("notes", _note, {
            "id": Field(_note.c.id, "uuid"),
            "user": self.to_user(_note.c.user_id),
            "date_time": clock(_note.c.date_time),
            "object_id": Field(_note.c.object_id, "uuid"),
            "text": Field(_note.c.text, "text"),
            "image": Field(_note.c.image_path, "text"),
            "json": JsonField(_note.c.json),
        }, visible=rules.is_note_visible)  # fmt: skip

    def _subjects(self) -> FieldMap:
        subject = _subject.c
        return FieldMap("subjects", _subject, {
            "id": Field(subject.id, "uuid"),
            **fields_of(subject, "text", "nickname", "sex", "description"),
            **fields_of(subject, "date", "birth_date", "death_date"),
            "json": JsonField(subject.json),
            "lab": to_one(lambda: self.labs, _lab, subject.lab_id),
            "responsible_user": self.to_user(subject.responsible_user_id),
            "species": to_one(lambda: TERM_MAP, _term, subject.species_id),
            "strain": to_one(lambda: TERM_MAP, _term, subject.strain_id),
            "source": to_one(lambda: TERM_MAP, _term, subject.source_id),
            "line": to_one(lambda: LINE_MAP, _line, subject.line_id),
            "litter": to_one(lambda: LITTER_MAP, _litter, subject.litter_id),
            "projects": to_linked(
                lambda: self.projects, _project, subject.id, _subject_project.c.subject_id,
                _subject_project.c.project_id,
            ),
            "genotype": to_linked(
                lambda: TERM_MAP, _term, subject.id, _zygosity.c.subject_id, _zygosity.c.allele_id
            ),
            "notes": self.notes_of("subject", subject.id),
            **under(
                self.of_sessions(_session.c.subject_id == subject.id), "actions_sessions", "session", "sessions"
            ),
        }, visible=rules.is_subject_visible)  # fmt: skip

    def _insertions(self, more: Relations) -> FieldMap:
        insertion = _insertion.c
        return FieldMap("insertions", _insertion, {
            "id": Field(insertion.id, "uuid"),
            **fields_of(insertion, "text", "name", "serial"),
            "model": Relation(lambda: PROBE_MODEL_MAP, on=probe_model == insertion.model),
            "auto_datetime": Field(insertion.auto_datetime, "datetime"),
            "json": JsonField(insertion.json),
            "session": self.to_session(insertion.session_id),
            **more(insertion),
        }, visible=rules.is_of_visible_session)  # fmt: skip

    def _fields_of_view(self, more: Relations) -> FieldMap:
        fov = _fov.c
        return FieldMap("fields of view", _fov, {
            "id": Field(fov.id, "uuid"),
            "name": Field(fov.name, "text"),
            "json": JsonField(fov.json),
            "imaging_type": to_one(lambda: TERM_MAP, _term, fov.imaging_type_id),
            "session": self.to_session(fov.session_id),
            **more(fov),
        }, visible=rules.is_of_visible_session)  # fmt: skip

    def _sessions(
        self, source: sa.FromClause, other: sa.FromClause, others: Target, more: Relations
    ) -> FieldMap:
        session = source.c
        noun = "sessions" if source is _session else "parent sessions"
        return FieldMap(noun, source, {
            **_fields_of_session(session),
            "subject": to_one(lambda: self.subjects, _subject, session.subject_id, _NAMED_SUBJECTS),
            "lab": to_one(lambda: self.labs, _lab, session.lab_id),
            "location": to_one(lambda: self.locations, _location, session.location_id),
            "projects": to_linked(
                lambda: self.projects, _project, session.id, _session_project.c.session_id,
                _session_project.c.project_id,
            ),
            "procedures": to_linked(
                lambda: TERM_MAP, _term, session.id, _procedure.c.session_id, _procedure.c.procedure_id
            ),
            "users": to_linked(
                lambda: self.users, _user, session.id, _session_user.c.session_id, _session_user.c.user_id,
                NAMED_USERS,
            ),
            "parent_session": to_one(others, other, session.parent_session_id),
            "session": Relation(others, on=other.c.parent_session_id == session.id),
            "probe_insertion": Relation(lambda: self.insertions, on=_insertion.c.session_id == session.id),
            "field_of_view": Relation(lambda: self.fields_of_view, on=_fov.c.session_id == session.id),
            "notes": self.notes_of("session", session.id),
            **more(session),
        }, visible=rules.is_session_visible)  # fmt: skip


def _fields_of_session(session: Any) -> Fields:
    return {
        "id": Field(session.id, "uuid"),
        **fields_of(session, "text", "narrative", "type", "task_protocol"),
        **fields_of(session, "int", "number", "n_trials", "n_correct_trials", "qc"),
        "start_time": clock(session.start_time),
        "end_time": clock(session.end_time),
        "auto_datetime": Field(session.auto_datetime, "datetime"),
        "json": JsonField(session.json),
        "extended_qc": JsonField(session.extended_qc),
    }
