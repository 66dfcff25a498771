"""Migrations: step 0 by the database's owner, then each service by its own owner role, in any order.

Step 0 creates schemas, roles and an empty stand-in for each published view that is not there yet; a view that lacks
newer columns gets them, null until its owner fills them; each view is granted to its readers. It is idempotent. Then
`upgrade` brings one service's tables to the newest version (Alembic, forward only, its own version table), drops its
retired views, fills the published ones, and grants.
"""

from __future__ import annotations

import hashlib
import hmac
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from urllib.parse import quote, urlsplit, urlunsplit

import sqlalchemy as sa
from alembic.command import upgrade as alembic_upgrade
from alembic.config import Config
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from libs.common.catalogue import DATAJOINT, STATEFUL, Service
from libs.common.db.engine import async_url
from libs.common.published import RETIRED, VIEWS, View

READERS = (*STATEFUL, Service.GATEWAY)
APPEND_ONLY = ("audit", "audit_seals")
LOCK = 0x43494E47  # one migration at a time on a database
_VIEWS_THERE = """
    SELECT schemaname || '.' || viewname AS name, definition,
           ARRAY(SELECT attname::text FROM pg_attribute
                 WHERE attrelid = format('%I.%I', schemaname, viewname)::regclass AND attnum > 0) AS columns
    FROM pg_views WHERE viewname LIKE 'published%'"""


def owner_role(service: Service) -> str:
    """The role that owns a service's schema and migrates it."""
    return f"cingulum_{service}_owner"


def runtime_role(service: Service) -> str:
    """The role a service runs as: it reads and writes rows, and cannot change tables or touch audit rows."""
    return f"cingulum_{service}"


@dataclass(frozen=True)
class Addresses:
    """Where each role finds the database. Passwords are derived, so that none has to be stored or distributed."""

    admin_url: str
    secret: str

    def password(self, role: str) -> str:
        """The password of a role: HMAC of its name under the secret."""
        return hmac.new(self.secret.encode(), f"role:{role}".encode(), hashlib.sha256).hexdigest()[:40]

    def url(self, role: str) -> str:
        """The address of the database for a role."""
        parts = urlsplit(self.admin_url)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{quote(role)}:{self.password(role)}@{host}"))

    def async_url(self, role: str) -> str:
        """The same for SQLAlchemy."""
        return async_url(self.url(role))

    def environment(self) -> dict[str, str]:
        """The settings of all services that follow from here."""
        return {
            f"CINGULUM_{service.upper()}_DATABASE_URL": self.url(runtime_role(service)) for service in READERS
        }


async def _execute(connection: AsyncConnection, statements: Iterator[str]) -> None:
    for statement in statements:
        await connection.exec_driver_sql(statement)


async def step_zero(addresses: Addresses) -> None:
    """Schemas, roles, stand-ins. Runs as the database's owner; may be repeated."""
    engine = create_async_engine(async_url(addresses.admin_url), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            await _execute(connection, _roles(addresses))
            await _execute(connection, _schemas())
            there = {row.name: row for row in await connection.execute(sa.text(_VIEWS_THERE))}
            for view in VIEWS:
                view_there = there.get(view.full_name)
                if view_there is None:
                    await _execute(connection, _as_owner(view, view.placeholder()))
                elif missing := set(view.columns) - set(view_there.columns):
                    await _execute(connection, _as_owner(view, view.widened(view_there.definition, missing)))
                else:  # a reader that is new may start before the owner has migrated
                    await _execute(connection, _as_owner(view))
    finally:
        await engine.dispose()


def _roles(addresses: Addresses) -> Iterator[str]:
    names = [owner_role(s) for s in STATEFUL] + [runtime_role(s) for s in READERS]
    for name in names:
        yield f"""DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN CREATE ROLE {name} LOGIN; END IF;
            END $$"""
        yield f"ALTER ROLE {name} WITH LOGIN PASSWORD '{addresses.password(name)}'"
    for name in (DATAJOINT.owner_role, DATAJOINT.reader_role):
        yield f"""DO $$ BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{name}') THEN CREATE ROLE {name} NOLOGIN; END IF;
            END $$"""
    yield f"GRANT {DATAJOINT.owner_role} TO CURRENT_USER, {owner_role(DATAJOINT.service)}"
    for service in STATEFUL:
        # A managed server's owner is not a superuser: it must be a member to hand objects over.
        yield f"GRANT {owner_role(service)} TO CURRENT_USER"


def _schemas() -> Iterator[str]:
    yield "REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    for service in STATEFUL:
        owner, runtime = owner_role(service), runtime_role(service)
        yield f"CREATE SCHEMA IF NOT EXISTS {service} AUTHORIZATION {owner}"
        everybody = [runtime_role(s) for s in READERS] + [owner_role(s) for s in STATEFUL]
        yield f"GRANT USAGE ON SCHEMA {service} TO {', '.join(everybody)}"
        mine = f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {service} GRANT"
        yield f"{mine} SELECT, INSERT, UPDATE, DELETE ON TABLES TO {runtime}"
        yield f"{mine} USAGE, SELECT ON SEQUENCES TO {runtime}"
    readers = f"{DATAJOINT.reader_role}, {runtime_role(DATAJOINT.service)}"
    yield f"CREATE SCHEMA IF NOT EXISTS {DATAJOINT.name} AUTHORIZATION {DATAJOINT.owner_role}"
    yield f"GRANT USAGE ON SCHEMA {DATAJOINT.name} TO {readers}"


def _as_owner(view: View, *statements: str) -> Iterator[str]:
    yield f"SET LOCAL ROLE {owner_role(view.owner)}"
    yield from statements
    yield from _grants(view)
    yield "RESET ROLE"


def _grants(view: View) -> Iterator[str]:
    yield f"REVOKE ALL ON {view.full_name} FROM {', '.join(runtime_role(s) for s in READERS)}"
    for reader in sorted({view.owner} | view.readers | view.former_readers):
        yield f"GRANT SELECT ON {view.full_name} TO {runtime_role(reader)}"
        if reader in STATEFUL:  # its own views may be joined with this one
            yield f"GRANT SELECT ON {view.full_name} TO {owner_role(reader)}"


def models_of(service: Service) -> ModuleType:
    """The models of a service, found by name, as this library imports no service."""
    return importlib.import_module(f"services.{service}.models")


def folder_of(service: Service) -> Path:
    """The folder of a service's code."""
    return Path(str(importlib.import_module(f"services.{service}").__file__)).parent


def published_by(service: Service, selects: Mapping[str, str]) -> dict[View, str]:
    """The service's SELECT for each of its views; raises if a view is missing or unknown."""
    declared = {view.noun: view for view in VIEWS if view.owner is service}
    if "events" not in selects:
        events = f"SELECT id, seq, subject, payload, request_id, created_at FROM {service}.events"  # noqa: S608
        selects = {**selects, "events": events}
    if set(selects) != set(declared):
        raise LookupError(
            f"{service} must fill {sorted(declared)} and fills {sorted(selects)}: see libs/common/published"
        )
    return {declared[noun]: select for noun, select in selects.items()}


async def upgrade(service: Service, addresses: Addresses, *, views: bool = True) -> None:
    """Bring one service's tables and views to the newest version. Runs as the service's owner role."""
    models = models_of(service)
    engine = create_async_engine(addresses.async_url(owner_role(service)), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
            for name in RETIRED.get(service, ()) if views else ():
                await connection.exec_driver_sql(f"DROP VIEW IF EXISTS {service}.{name}")
            await connection.run_sync(
                lambda sync: alembic_upgrade(alembic_config(service, models, sync), "head")
            )
            for view, select in published_by(service, models.PUBLISHED).items() if views else ():
                await connection.exec_driver_sql(view.definition(select))
                await _execute(connection, _grants(view))
            # Functions and policies that read the views: SQL of what is declared now, as the views are.
            if views and hasattr(models, "after_views"):
                await _execute(connection, models.after_views())
            for table in APPEND_ONLY if views else ():
                await connection.exec_driver_sql(
                    f"REVOKE UPDATE, DELETE, TRUNCATE ON {service}.{table} FROM {runtime_role(service)}"
                )
    finally:
        await engine.dispose()


def alembic_config(service: Service, models: ModuleType, connection: sa.Connection) -> Config:
    """Alembic's configuration for one service, on a connection that is open."""
    config = Config()
    migrations = folder_of(service) / "migrations"
    config.set_main_option("script_location", str(migrations))
    number = len(list((migrations / "versions").glob("[0-9]*.py"))) + 1
    config.set_main_option("file_template", f"{number:04d}_%%(slug)s")
    config.set_main_option("path_separator", "os")
    config.attributes.update(
        connection=connection,
        metadata=models.Base.metadata,
        schema=str(service),
        retired=getattr(models, "RETIRED", frozenset()),
    )
    return config


def run_environment() -> None:
    """The body of each service's `migrations/env.py`."""
    from alembic import context

    options = context.config.attributes
    context.configure(
        connection=options["connection"],
        target_metadata=options["metadata"],
        version_table="migrations",
        version_table_schema=options["schema"],
        include_schemas=True,
        include_name=lambda name, kind, _parents: name == options["schema"] if kind == "schema" else True,
        include_object=lambda item, name, kind, _reflected, _to: (
            not (
                (kind == "table" and (name == "migrations" or name in options["retired"]))
                or (isinstance(item, sa.Column) and f"{item.table.name}.{name}" in options["retired"])
            )
        ),
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()
