"""Roles for people who read `datajoint_v1` with DataJoint; executed as the database's owner.

grant PERSON          create or renew the person's role, and print its password once
revoke PERSON         end it; with --drop also delete the person's own schema
list                  all roles
rebuild               compare all tables with their sources again, and read all results again
"""

from __future__ import annotations

import re
import secrets
import sys
from collections.abc import Sequence
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg

from libs.common.catalogue import DATAJOINT, STATEFUL
from libs.common.migrate import owner_role

CONNECTIONS = 8
LIMITS = {
    "statement_timeout": "120s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",  # a transaction that created a foreign key blocks updates
}
# Large objects belong to no schema: only these functions create them. A managed server may not let its owner do this.
_LARGE_OBJECTS = ("lo_creat(integer)", "lo_create(oid)", "lo_from_bytea(oid, bytea)")


class NotPossible(Exception):
    """The command cannot be executed; the text says why."""


async def run(words: Sequence[str], owner_url: str) -> int:
    """Execute a command; its exit code."""
    connection = await asyncpg.connect(owner_url)
    try:
        async with connection.transaction():
            match words:
                case ["grant", person]:
                    lines = await grant(connection, person, owner_url)
                case ["revoke", person, *options] if options in ([], ["--drop"]):
                    lines = await revoke(connection, person, drop=bool(options))
                case ["list"]:
                    lines = await list_roles(connection)
                case ["rebuild"]:
                    lines = await rebuild(connection)
                case _:
                    sys.stderr.write(f"{__doc__}\n")
                    return 2
    except NotPossible as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    finally:
        await connection.close()
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 0


async def grant(connection: asyncpg.Connection, person: str, owner_url: str) -> list[str]:
    """Create the role and the schema of a person, or give the role a new password; the settings of the client."""
    user_id = await _user_id(connection, person)
    role = await _role_of(connection, user_id) or await _new_role(connection, person, user_id)
    password = secrets.token_urlsafe(24)
    await _close_database(connection)
    rights = "LOGIN INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
    await connection.execute(
        f"ALTER ROLE {role} WITH {rights} CONNECTION LIMIT {CONNECTIONS} PASSWORD '{password}'"
    )
    for name, value in {**LIMITS, "search_path": role}.items():
        await connection.execute(f"ALTER ROLE {role} SET {name} = '{value}'")
    # A managed server's owner is no superuser: it must be a member to create a schema for the role.
    await connection.execute(f"GRANT {role} TO CURRENT_USER")
    await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {role} AUTHORIZATION {role}")
    await connection.execute(f"GRANT {DATAJOINT.reader_role} TO {role}")
    await connection.execute(
        "INSERT INTO registry.datajoint_grants (role_name, user_id) VALUES ($1, $2) "
        "ON CONFLICT (role_name) DO UPDATE SET granted_at = now(), revoked_at = NULL",
        role,
        user_id,
    )
    address = urlsplit(owner_url)
    notes = [] if await _is_closed(connection) else [f"Note: {role} can create large objects on this server."]
    return [
        f"{person} can sign in with DataJoint. This password is not shown again:",
        "",
        "    import datajoint as dj",
        '    dj.config["database.backend"] = "postgresql"',
        f'    dj.config["database.host"] = "{address.hostname}"',
        f'    dj.config["database.port"] = {address.port or 5432}',
        f'    dj.config["database.name"] = "{address.path.strip("/")}"',
        f'    dj.config["database.user"] = "{role}"',
        f'    dj.config["database.password"] = "{password}"',
        "",
        f'Tables to read: dj.VirtualModule("cingulum", "{DATAJOINT.name}"). Tables of {person}: dj.Schema("{role}").',
        *notes,
    ]


async def revoke(connection: asyncpg.Connection, person: str, *, drop: bool) -> list[str]:
    """End a person's role and its connections."""
    user_id = await connection.fetchval(
        "SELECT id FROM metadata.published_usernames_v1 WHERE username = $1", person
    )
    role = await _role_of(connection, user_id)
    if role is None:
        raise NotPossible(f"{person} has no role for DataJoint.")
    await connection.execute(f"ALTER ROLE {role} WITH NOLOGIN PASSWORD NULL")
    await connection.execute(f"REVOKE {DATAJOINT.reader_role} FROM {role}")
    await connection.execute(
        "UPDATE registry.datajoint_grants SET revoked_at = now() WHERE role_name = $1", role
    )
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", role
    )
    if not drop:
        return [f"{role} is revoked; the schema {role} stays (--drop deletes it)."]
    await connection.execute(f"DROP OWNED BY {role} CASCADE")
    await connection.execute(f"DROP ROLE {role}")
    await connection.execute("DELETE FROM registry.datajoint_grants WHERE role_name = $1", role)
    return [f"{role} and its schema are deleted."]


async def list_roles(connection: asyncpg.Connection) -> list[str]:
    """A line per role."""
    rows = await connection.fetch(
        "SELECT g.role_name, coalesce(u.username, g.user_id::text) AS person, g.granted_at, g.revoked_at "
        "FROM registry.datajoint_grants g LEFT JOIN metadata.published_usernames_v1 u ON u.id = g.user_id "
        "ORDER BY g.role_name"
    )
    return [
        f"{row['role_name']}  {row['person']}  granted {row['granted_at']:%Y-%m-%d %H:%M}"
        + (f"  revoked {row['revoked_at']:%Y-%m-%d %H:%M}" if row["revoked_at"] else "")
        for row in rows
    ] or ["No role for DataJoint is granted."]


async def rebuild(connection: asyncpg.Connection) -> list[str]:
    """Let registry compare everything with its next update."""
    await connection.execute("DELETE FROM registry.datajoint_values")
    await connection.execute("UPDATE registry.datajoint_state SET compared_at = NULL")
    return ["Registry compares all tables with its next update."]


async def _user_id(connection: asyncpg.Connection, person: str) -> UUID:
    user = await connection.fetchrow(
        "SELECT id, is_active FROM metadata.published_users_v1 WHERE username = $1", person
    )
    if user is None or not user["is_active"]:
        raise NotPossible(f"There is no active user '{person}'.")
    return UUID(str(user["id"]))


async def _role_of(connection: asyncpg.Connection, user_id: UUID | None) -> str | None:
    role = await connection.fetchval(
        "SELECT role_name FROM registry.datajoint_grants WHERE user_id = $1", user_id
    )
    return None if role is None else str(role)


async def _new_role(connection: asyncpg.Connection, person: str, user_id: UUID) -> str:
    """A role that is this person's only: with a part of the id where another one has the plain name."""
    plain = f"dj_{re.sub(r'[^a-z0-9_]', '_', person.lower())[:40]}"
    for role in (plain, f"{plain}_{user_id.hex[:12]}"):
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", role):
            await connection.execute(f"CREATE ROLE {role}")
            return role
    raise NotPossible(f"The role {role} exists, and belongs to someone else: drop it first.")


async def _close_database(connection: asyncpg.Connection) -> None:
    """Withdraw what PostgreSQL allows every role: temporary tables and large objects."""
    database = await connection.fetchval("SELECT quote_ident(current_database())")
    owners = ", ".join(owner_role(service) for service in STATEFUL)
    await connection.execute(f"REVOKE TEMPORARY, CREATE ON DATABASE {database} FROM PUBLIC")
    await connection.execute(f"GRANT TEMPORARY ON DATABASE {database} TO {owners}")
    await connection.execute(f"GRANT CONNECT ON DATABASE {database} TO {DATAJOINT.reader_role}")
    if await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        for function in _LARGE_OBJECTS:
            await connection.execute(f"REVOKE EXECUTE ON FUNCTION pg_catalog.{function} FROM PUBLIC")


async def _is_closed(connection: asyncpg.Connection) -> bool:
    allowed = [
        await connection.fetchval(
            "SELECT has_function_privilege($1, $2, 'EXECUTE')", DATAJOINT.reader_role, function
        )
        for function in _LARGE_OBJECTS
    ]
    return not any(allowed)
