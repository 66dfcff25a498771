"""What the database itself refuses, and what it proves."""

from __future__ import annotations

from uuid import UUID, uuid4

import asyncpg
import pytest
import sqlalchemy as sa

from deploy.local.migrate import built, migrate, missing_migration
from deploy.local.servers import Postgres
from libs.common.catalogue import Service
from libs.common.db.audit import BATCH, find_first_broken
from libs.common.events import UploadCompleted
from libs.common.migrate import Addresses, owner_role, runtime_role, step_zero, upgrade
from libs.common.published import BRAIN_REGIONS, RECORDINGS, VIEWS
from libs.common.testing import Running
from libs.common.testing.harness import SECRET
from tests.support.system import Cingulum
from tests.support.waiting import attempts


async def refused(addresses: Addresses, service: Service, statement: str) -> None:
    """The statement fails for the service's runtime role, for lack of rights."""
    connection = await asyncpg.connect(addresses.url(runtime_role(service)))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM metadata.users",  # a neighbour's table
        "SELECT * FROM metadata.published_tokens_v1",  # a view that is for the gateway alone
        "INSERT INTO metadata.labs (id, name) VALUES (gen_random_uuid(), 'x')",
        "DELETE FROM metadata.events",
        "CREATE TABLE registry.more (id int)",
        "ALTER TABLE registry.datasets ADD COLUMN x int",
        "DROP TABLE registry.datasets",
        "UPDATE registry.audit SET action = 'x'",
        "DELETE FROM registry.audit",
        "TRUNCATE registry.audit_seals",
        "CREATE TABLE public.x (id int)",
    ],
)
async def test_registry_may_not(database: str, statement: str) -> None:
    await refused(Addresses(database, SECRET), Service.REGISTRY, statement)


async def test_the_gateway_reads_tokens_and_nothing_of_colony(database: str) -> None:
    addresses = Addresses(database, SECRET)
    connection = await asyncpg.connect(addresses.url(runtime_role(Service.GATEWAY)))
    assert await connection.fetch("SELECT * FROM metadata.published_tokens_v1") == []
    await connection.close()
    await refused(addresses, Service.GATEWAY, "SELECT * FROM metadata.subjects")


@pytest.mark.parametrize("service", built())
async def test_models_and_migrations_say_the_same(database: str, service: Service) -> None:
    assert await missing_migration(service, Addresses(database, SECRET)) is None


async def test_a_check_that_the_migrations_forgot_is_noticed(database: str) -> None:
    name = "ck_repositories_store_known"
    connection = await asyncpg.connect(database)
    await connection.execute(
        f"ALTER TABLE registry.repositories DROP CONSTRAINT {name}, ADD CONSTRAINT {name} CHECK (store IN ('local'))"
    )
    await connection.close()
    missing = await missing_migration(Service.REGISTRY, Addresses(database, SECRET))
    assert missing == f"CHECK constraints differ: repositories.{name}"


@pytest.mark.parametrize("service", built())
async def test_each_service_migrates_and_starts_alone(
    postgres: Postgres, database: str, cingulum: Cingulum, service: Service
) -> None:
    name = f"alone_{service}"
    admin = await asyncpg.connect(database)
    await admin.execute(f"CREATE DATABASE {name}")
    await admin.close()
    url = database.rpartition("/")[0] + f"/{name}"
    addresses = Addresses(url, SECRET)
    await migrate(addresses, [service])
    await migrate(addresses, [service])  # again changes nothing
    cingulum.environment = {**cingulum.environment, **addresses.environment()}
    async with cingulum.run(service) as running:
        assert (await running.get("/health/ready")).status_code == 200
    admin = await asyncpg.connect(database)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def test_services_migrate_in_any_order(database: str) -> None:
    admin = await asyncpg.connect(database)
    await admin.execute("CREATE DATABASE backwards")
    await admin.close()
    addresses = Addresses(database.rpartition("/")[0] + "/backwards", SECRET)
    await step_zero(addresses)
    for service in reversed(built()):
        await upgrade(service, addresses)
    connection = await asyncpg.connect(addresses.admin_url)
    for view in VIEWS:
        rows = await connection.fetch(f"SELECT * FROM {view.full_name} LIMIT 1")
        assert bool(rows) == (view is BRAIN_REGIONS), view.full_name  # a migration brings the atlas
    await connection.close()
    admin = await asyncpg.connect(database)
    await admin.execute("DROP DATABASE backwards WITH (FORCE)")
    await admin.close()


async def test_a_view_of_an_older_release_gets_its_newer_columns_before_its_owner_migrates(
    database: str,
) -> None:
    admin = await asyncpg.connect(database)
    await admin.execute("CREATE DATABASE older")
    addresses = Addresses(database.rpartition("/")[0] + "/older", SECRET)
    await migrate(addresses, [Service.COMPRESSOR])
    view, row = RECORDINGS.full_name, UUID(int=7)
    owner = await asyncpg.connect(addresses.url(owner_role(Service.COMPRESSOR)))
    await owner.execute(f"DROP VIEW {view}")
    await owner.execute(f"CREATE VIEW {view} AS SELECT dataset_id, session_id FROM compressor.recordings")
    await owner.execute(
        f"INSERT INTO compressor.recordings (dataset_id, state, sha256) VALUES ('{row}', 'wanted', 'aa')"
    )
    for _ in range(2):
        await step_zero(addresses)
    registry = await asyncpg.connect(addresses.url(runtime_role(Service.REGISTRY)))
    (row_shown,) = await registry.fetch(f"SELECT * FROM {view}")
    assert list(row_shown.keys()) == list(RECORDINGS.columns)
    assert (row_shown["dataset_id"], row_shown["ch_sha256"]) == (row, None)
    await upgrade(Service.COMPRESSOR, addresses)
    assert (
        await registry.fetch(f"SELECT ch_sha256 FROM {view}") == []
    )  # it shows what is indexed, and this is not
    for connection in (owner, registry):
        await connection.close()
    await admin.execute("DROP DATABASE older WITH (FORCE)")
    await admin.close()


async def test_a_new_reader_of_a_view_may_read_it_before_its_owner_migrates(database: str) -> None:
    addresses, reader = Addresses(database, SECRET), runtime_role(Service.REGISTRY)
    owner = await asyncpg.connect(addresses.url(owner_role(Service.COMPRESSOR)))
    await owner.execute(f"REVOKE ALL ON {RECORDINGS.full_name} FROM {reader}")
    await owner.close()
    await refused(addresses, Service.REGISTRY, f"SELECT * FROM {RECORDINGS.full_name}")
    await step_zero(addresses)
    registry = await asyncpg.connect(addresses.url(reader))
    assert await registry.fetch(f"SELECT * FROM {RECORDINGS.full_name}") == []
    await registry.close()


async def test_a_changed_audit_row_breaks_the_chain(cingulum: Cingulum) -> None:
    metadata = await cingulum.start(Service.METADATA)
    writer = metadata.app.state.writer
    for n in range(3):
        async with writer.begin() as tx:
            tx.audit("thing.done", "thing", str(n), after={"n": n})
    await chained(metadata, 3)
    async with writer.database.read() as session:
        assert await find_first_broken(session, writer.tables) is None
        second = await session.scalar(sa.text("SELECT id FROM metadata.audit WHERE object_id = '1'"))
    owner = await asyncpg.connect(Addresses(cingulum.admin_url, SECRET).url(owner_role(Service.METADATA)))
    await owner.execute("UPDATE metadata.audit SET after = '{\"n\": 7}' WHERE object_id = '1'")
    await owner.close()
    async with writer.database.read() as session:
        assert await find_first_broken(session, writer.tables) == second


async def test_an_event_is_published_once_however_often_its_transaction_is_flushed(
    cingulum: Cingulum,
) -> None:
    metadata = await cingulum.start(Service.METADATA)
    event = UploadCompleted(upload_id=uuid4(), sha256="0" * 64, md5="0" * 32, size_bytes=1)
    async with metadata.app.state.writer.begin() as tx:
        async with tx.part() as part:
            part.publish(event)
            await part.flush()
        assert tx.has_published
        await tx.flush()
    assert await metadata.published(UploadCompleted) == [event]


async def chained(metadata: Running, n: int) -> None:
    """Wait until so many audit rows are chained, and none is not."""
    query = sa.text(
        "SELECT (SELECT count(*) FROM metadata.audit), (SELECT count(*) FROM metadata.audit_seals)"
    )
    async for _ in attempts():
        async with metadata.app.state.database.read() as session:
            rows, seals = (await session.execute(query)).one()
        if rows == seals >= n:
            return
    raise AssertionError(f"{seals} of {rows} rows are chained")


async def test_every_writer_of_a_service_has_its_audit_rows_chained_soon(cingulum: Cingulum) -> None:
    cingulum.environment = {**cingulum.environment, "CINGULUM_SEAL_EVERY_S": "0.1"}
    metadata = await cingulum.start(Service.METADATA)
    for n, name in enumerate(
        ("eve", "mallory"), start=1
    ):  # by a writer of its own, and after all was chained
        refused = await metadata.post("/auth-token", {"username": name, "password": "a guess"})
        assert refused.status_code == 400
        await chained(metadata, n)


async def test_more_audit_rows_than_one_round_takes_are_chained_without_another_write(
    cingulum: Cingulum,
) -> None:
    cingulum.environment = {**cingulum.environment, "CINGULUM_SEAL_EVERY_S": "0.1"}
    metadata = await cingulum.start(Service.METADATA)
    async with metadata.app.state.writer.begin() as tx:
        for n in range(2 * BATCH + 1):
            tx.audit("thing.done", "thing", str(n))
    await chained(metadata, 2 * BATCH + 1)


async def test_recordings_that_no_hash_of_a_ch_proved_are_looked_into_again(database: str) -> None:
    addresses = Addresses(database, SECRET)
    owner = await asyncpg.connect(addresses.url(owner_role(Service.COMPRESSOR)))
    for n, (meta, problem) in enumerate((("ab", ""), (None, ""), (None, OLD_PROBLEM)), start=1):
        await owner.execute(
            "INSERT INTO compressor.recordings (dataset_id, state, sha256, meta_sha256, proof_problem, n_samples) "
            "VALUES ($1, 'indexed', 'aa', $2, $3, 1)",
            UUID(int=n),
            meta,
            problem,
        )
    await owner.execute(
        "DROP TABLE compressor.removed_rows, compressor.moved_rows"
    )  # of the migrations after it
    await owner.execute("ALTER TABLE compressor.idempotency DROP COLUMN headers")
    await owner.execute("UPDATE compressor.migrations SET version_num = 'c41d7e9b2f06'")
    await upgrade(Service.COMPRESSOR, addresses)
    rows = await owner.fetch("SELECT state, proof_problem FROM compressor.recordings ORDER BY dataset_id")
    await owner.close()
    assert [tuple(row) for row in rows] == [("wanted", ""), ("indexed", ""), ("indexed", "")]


OLD_PROBLEM = "it decodes to other bytes than were compressed"
