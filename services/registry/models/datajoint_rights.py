"""Who sees which rows of `datajoint_v1`: the rule of `libs/common/visible.py` as functions of the database.

A policy on each table reads them. They take the person from the role that has logged in (`session_user`), whatever
role or view a statement runs under, and the person's projects from what metadata publishes now.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from libs.common.catalogue import DATAJOINT
from libs.common.db.conditions import Condition
from libs.common.permissions import Principal
from libs.common.published import DATASETS, PROJECT_MEMBERS, SESSIONS, SUBJECTS, USERS, table
from libs.common.visibility import Visibility, visibility
from libs.common.visible import is_dataset_row_visible, is_session_row_visible, is_subject_row_visible
from services.registry.models.datajoint import DATASET, RELEASE_DATASET, SCHEMA, SUBJECT, TABLES, key_of
from services.registry.models.expressions import is_open, sql_of
from services.registry.models.releases import ReleaseRow

# Those who a statement runs for: the role that logged in, whatever role or view is between.
_PERSON: Final = f"""SELECT person.id FROM registry.datajoint_grants g
    JOIN {USERS.full_name} person ON person.id = g.user_id
    WHERE g.role_name = session_user AND g.revoked_at IS NULL AND person.is_active"""  # noqa: S608 - of constants
# Stands for the person's projects in a Visibility; the functions look them up.
_PROJECTS: Final = UUID(int=(1 << 128) - 1)
_THEIRS: Final = f"SELECT project_id FROM {PROJECT_MEMBERS.full_name} WHERE user_id IN ({_PERSON})"  # noqa: S608


def _visibility_of(**role: bool) -> Visibility:
    return visibility(Principal(UUID(int=0), "", projects=frozenset({_PROJECTS}), **role))  # type: ignore[arg-type]


_AUDIENCES: Final = {
    "person.is_superuser": _visibility_of(is_superuser=True),
    "NOT person.is_superuser AND NOT person.is_public_user": _visibility_of(),
    "NOT person.is_superuser AND person.is_public_user": _visibility_of(is_public=True),
}


def _keys(key: sa.ColumnElement[str], rule: Callable[[Visibility], Condition], *kinds: str) -> str:
    """The keys that each kind of person sees: of these statements, only the person's own is executed."""
    statements = []
    for kind in kinds or _AUDIENCES:
        is_kind = sa.text(f"EXISTS ({_PERSON} AND {kind})")
        statement = sa.select(key).where(is_kind, rule(_AUDIENCES[kind]))
        statements.append(re.sub(rf"'{_PROJECTS}'(::UUID)?", _THEIRS, sql_of(statement)))
    return " UNION ALL ".join(statements)


def _function(name: str, returns: str, body: str) -> Iterator[str]:
    yield (
        f"CREATE OR REPLACE FUNCTION registry.{name}() RETURNS {returns} LANGUAGE sql STABLE SECURITY DEFINER "
        f"SET search_path = pg_catalog, pg_temp AS $function$ {body} $function$"
    )
    yield f"REVOKE ALL ON FUNCTION registry.{name}() FROM PUBLIC"
    yield f"GRANT EXECUTE ON FUNCTION registry.{name}() TO {DATAJOINT.reader_role}"


def _functions() -> Iterator[str]:
    subjects, sessions = table(SUBJECTS), table(SESSIONS)
    subject_key, session_key = key_of("subject", subjects.c.id), key_of("session", sessions.c.id)
    datasets = table(DATASETS)
    public_reader = [*_AUDIENCES][-1]
    yield from _function(
        "datajoint_subjects",
        "SETOF text",
        _keys(subject_key, lambda viewer: is_subject_row_visible(viewer, subjects.c.id, subjects.c.lab_id)),
    )
    yield from _function(
        "datajoint_sessions",
        "SETOF text",
        _keys(session_key, lambda viewer: is_session_row_visible(viewer, sessions.c.id, sessions.c.lab_id)),
    )
    releases = sa.select(key_of("release", ReleaseRow.id)).where(sa.text(f"EXISTS ({_PERSON})"), is_open())
    yield from _function("datajoint_releases", "SETOF text", sql_of(releases))
    # Others see each dataset of the sessions that they see: it would take long to list them all.
    yield from _function("datajoint_is_public", "boolean", f"SELECT EXISTS ({_PERSON} AND {public_reader})")
    yield from _function(
        "datajoint_datasets",
        "SETOF text",
        _keys(
            key_of("dataset", datasets.c.id),
            lambda viewer: is_dataset_row_visible(viewer, datasets.c, datasets.c.public),
            public_reader,
        ),
    )


def _policy(rows: sa.Table) -> str:
    """Who sees a row of a table: those who see all that it belongs to."""
    conditions = ["_withdrawn_at IS NULL"]
    for column in (each.name for each in rows.columns):
        if column == "subject_key" and rows is SUBJECT:
            conditions.append(f"{column} IN (SELECT registry.datajoint_subjects())")
        elif column in {"session_key", "release_key"}:
            conditions.append(f"{column} IN (SELECT registry.datajoint_{column.removesuffix('_key')}s())")
        elif (
            rows is RELEASE_DATASET
        ):  # a released dataset may be in a private project now: for all kinds of people
            visible = f"SELECT FROM {SCHEMA}.{DATASET.name} d WHERE d.dataset_key = {rows.name}.dataset_key"
            conditions.append(f"EXISTS ({visible})")
        elif column.endswith("dataset_key"):
            of_readers = f"{column} IN (SELECT registry.datajoint_datasets())"
            conditions.append(f"(NOT (SELECT registry.datajoint_is_public()) OR {of_readers})")
    return " AND ".join(conditions)


def _policies() -> Iterator[str]:
    """One for each table; registry's own is made with the tables."""
    for each in TABLES:
        name = f'{SCHEMA}."{each.name}"'
        yield f"DROP POLICY IF EXISTS readers ON {name}"
        yield f"CREATE POLICY readers ON {name} FOR SELECT TO {DATAJOINT.reader_role} USING ({_policy(each)})"


def after_views() -> Iterator[str]:
    """What an upgrade executes once the published views are there."""
    yield from _functions()
    yield from _policies()
