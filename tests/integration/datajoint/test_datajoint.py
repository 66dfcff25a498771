"""What people see in `datajoint_v1` with the role that is granted to them."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa

from cingulum.digests import Digests
from deploy.image import datajoint
from libs.common.db.engine import DATABASE_ERRORS
from libs.common.testing import Running
from services.registry.operations.datajoint import update_tables
from tests.support.datajoint_roles import address_of, signed_in
from tests.support.lab import DAY, SUBJECT, Laboratory, a_session, laboratory, made
from tests.support.makers.registry import make_published_release
from tests.support.system import Cingulum
from tests.support.waiting import attempts

RESULT = {
    "n_trials": 400,
    "n_correct": 300,
    "n_no_answer": 4,
    "performance": 0.75,
    "n_easy": 100,
    "easy_performance": 0.9,
    "n_zero_contrast": 40,
    "median_reaction_time_s": 0.31,
    "zero_contrast_reaction_time_s": None,
    "duration_s": 3600.0,
    "reward_total_ml": 0.9,
    "contrasts_percent": [0.0, 100.0],
}
FIT = {
    "n_trials": 400,
    "bias_percent": -3.5,
    "threshold_percent": 15.0,
    "lapse_low": 0.05,
    "lapse_high": 0.1,
    "log_likelihood": -170.0,
}
CURVES = {
    "all": {"block": None, "fit": FIT},
    "by_block": [{"block": 0.2, "fit": FIT}, {"block": 0.8, "fit": None}],
}
SUMMARY_FILE, FIT_FILE = "alf/_cingulum_behaviour.summary.json", "alf/_cingulum_psychometric.fit.json"
TABLES = (
    "subject",
    "session",
    "insertion",
    "dataset",
    "_trials_summary",
    "_psychometric_fit",
    "release",
    "release__dataset",
)


async def update(registry: Running) -> None:
    """Bring the tables to what is now, without waiting for it."""
    await update_tables(registry.app.state.writer, registry.app.state.central)


async def rows(connection: asyncpg.Connection, table: str) -> list[dict[str, Any]]:
    return [dict(row) for row in await connection.fetch(f'SELECT * FROM datajoint_v1."{table}"')]


async def store_results(lab: Laboratory, **contents: Any) -> None:
    """Register JSON files whose bytes are in the central store, verified."""
    names = {"summary": SUMMARY_FILE, "fit": FIT_FILE}
    for kind, content in contents.items():
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        digests: Digests = await lab.registry.app.state.central.store.put(data)
        hashes = [hashlib.md5(data, usedforsecurity=False).hexdigest()]
        (dataset,) = await lab.register(names[kind], hashes=hashes, filesizes=[len(data)], name="central")
        async with lab.registry.app.state.database.begin() as session:
            for statement in (
                f"UPDATE registry.versions SET sha256 = '{digests.sha256}' WHERE dataset_id = '{dataset['id']}'",
                "UPDATE registry.copies SET state = 'verified', proved_at = now() "
                f"WHERE dataset_id = '{dataset['id']}' "
                "AND repository_id = (SELECT id FROM registry.repositories WHERE name = 'central')",
            ):
                await session.execute(sa.text(statement))


@pytest.fixture
async def lab(cingulum: Cingulum) -> Laboratory:
    """A lab with a session that has a probe and a file."""
    lab = await laboratory(cingulum)
    await made(lab.metadata, "/insertions", {"session": lab.session_id, "name": "probe00"})
    await lab.register("alf/spikes.times.npy", filesizes=[8])
    return lab


async def test_only_a_granted_role_reads_the_tables_until_it_is_revoked(
    lab: Laboratory, cingulum: Cingulum
) -> None:
    await update(lab.registry)
    owner = await asyncpg.connect(cingulum.admin_url)
    with pytest.raises(datajoint.NotPossible):
        await datajoint.grant(owner, "nobody", cingulum.admin_url)
    address = await address_of(cingulum.admin_url, "eve")
    eve = await asyncpg.connect(address)
    assert [row["eid"] for row in await rows(eve, "session")] == [lab.session_id]
    await datajoint.revoke(owner, "eve", drop=False)
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await asyncpg.connect(address)
    async for _ in attempts():
        if not await owner.fetchval("SELECT count(*) FROM pg_stat_activity WHERE usename = 'dj_eve'"):
            break
    eve.terminate()
    assert "revoked" in "".join(await datajoint.list_roles(owner))
    await datajoint.revoke(owner, "eve", drop=True)
    assert await owner.fetchval("SELECT count(*) FROM pg_roles WHERE rolname = 'dj_eve'") == 0
    await owner.close()


async def test_rows_are_what_the_lab_has_and_the_results_of_its_analyses(
    lab: Laboratory, cingulum: Cingulum
) -> None:
    await store_results(lab, summary=RESULT, fit=CURVES)
    await update(lab.registry)
    async with signed_in(cingulum.admin_url, "ada") as ada:
        (subject,), (session,), (insertion,) = [await rows(ada, name) for name in TABLES[:3]]
        assert (subject["nickname"], session["subject_key"]) == (SUBJECT, subject["subject_key"])
        assert (session["eid"], str(session["session_date"]), session["session_number"]) == (
            lab.session_id,
            DAY,
            1,
        )
        assert (insertion["probe_name"], insertion["session_key"]) == ("probe00", session["session_key"])
        datasets = {row["relative_path"]: row for row in await rows(ada, "dataset")}
        assert datasets.keys() == {"alf/spikes.times.npy", SUMMARY_FILE, FIT_FILE}
        (summary,) = await rows(ada, "_trials_summary")
        assert (summary["n_trials"], summary["performance"]) == (400, 0.75)
        assert summary["summary_dataset_key"] == datasets[SUMMARY_FILE]["dataset_key"]
        fits = {row["block"]: row["bias_percent"] for row in await rows(ada, "_psychometric_fit")}
        assert fits == {"all": -3.5, "0.2": -3.5}


async def test_a_result_that_is_not_one_is_left_out_and_a_rebuild_reads_it_again(
    lab: Laboratory, cingulum: Cingulum
) -> None:
    await store_results(lab, summary=b"[1]", fit=CURVES)
    await update(lab.registry)
    owner = await asyncpg.connect(cingulum.admin_url)
    async with signed_in(cingulum.admin_url, "ada") as ada:
        assert await rows(ada, "_trials_summary") == []
        before = [await rows(ada, name) for name in TABLES]
        await owner.execute("UPDATE datajoint_v1.session SET lab = 'changed by mistake'")
        await owner.execute("UPDATE datajoint_v1.dataset SET sha256 = NULL, dataset_qc = 7")
        await datajoint.rebuild(owner)
        await update(lab.registry)
        assert [await rows(ada, name) for name in TABLES] == before
    await owner.close()


async def test_deleted_rows_are_withdrawn_and_blank_and_foreign_keys_to_them_stay_valid(
    lab: Laboratory, cingulum: Cingulum
) -> None:
    await store_results(lab, summary=RESULT, fit=CURVES)
    await update(lab.registry)
    owner = await asyncpg.connect(cingulum.admin_url)
    async with signed_in(cingulum.admin_url, "ada") as ada:
        before = [await rows(ada, name) for name in TABLES]
        await ada.execute(
            "CREATE TABLE result (session_key char(32) PRIMARY KEY REFERENCES datajoint_v1.session, value int)"
        )
        await ada.execute("INSERT INTO result SELECT session_key, 1 FROM datajoint_v1.session")
        deleted = await lab.metadata.delete(f"/sessions/{lab.session_id}")
        assert deleted.status_code == 204, deleted.text
        await update(lab.registry)
        assert [await rows(ada, name) for name in TABLES[1:]] == [[]] * 7
        assert await ada.fetchval("SELECT count(*) FROM result") == 1
        for name in TABLES[1:]:
            for row in await rows(owner, name):
                filled = {column for column, value in row.items() if value is not None} - {
                    "_withdrawn_at",
                    "block",
                }
                assert filled == {"session_key" if name.startswith("_") else f"{name}_key"}
        undone = await lab.metadata.post(deleted.headers["Location"])
        assert undone.status_code < 300, (undone.text, dict(deleted.headers))
        await update(lab.registry)
        assert [await rows(ada, name) for name in TABLES] == before
    await owner.close()


async def test_a_changed_session_and_a_new_file_are_followed(lab: Laboratory, cingulum: Cingulum) -> None:
    await update(lab.registry)
    await lab.metadata.patch(f"/sessions/{lab.session_id}", {"narrative": "a good day"})
    await lab.register("alf/spikes.clusters.npy")
    await made(lab.metadata, "/sessions", a_session(number=2))
    await update(lab.registry)
    async with signed_in(cingulum.admin_url, "ada") as ada:
        sessions = {row["session_number"]: row["narrative"] for row in await rows(ada, "session")}
        assert sessions == {1: "a good day", 2: ""}
        assert len(await rows(ada, "dataset")) == 2


REFUSED = (
    *(
        f"SELECT * FROM {name} LIMIT 1"
        for name in (
            "metadata.sessions",
            "metadata.published_sessions_v1",
            "registry.datasets",
            "registry.datajoint_state",
            "registry.datajoint_grants",
            "scheduler.jobs",
            "transfer.uploads",
            "pg_authid",
            "pg_largeobject",
        )
    ),
    "SELECT registry.datajoint_sessions()",
    "INSERT INTO datajoint_v1.subject (subject_key) VALUES ('x')",
    "UPDATE datajoint_v1.session SET lab = 'x'",
    "DELETE FROM datajoint_v1.session",
    "TRUNCATE datajoint_v1.dataset CASCADE",
    "DROP TABLE datajoint_v1.dataset CASCADE",
    "DROP SCHEMA datajoint_v1 CASCADE",
    "ALTER TABLE datajoint_v1.session DISABLE ROW LEVEL SECURITY",
    "CREATE POLICY mine ON datajoint_v1.session USING (true)",
    "CREATE TRIGGER t BEFORE UPDATE ON datajoint_v1.session FOR EACH ROW "
    "EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "SELECT * FROM datajoint_v1.session FOR UPDATE",
    "CREATE TABLE datajoint_v1.mine (x int)",
    "CREATE TABLE public.mine (x int)",
    "CREATE TEMP TABLE mine (x int)",
    "CREATE SCHEMA more",
    "SELECT lo_create(0)",
    "SELECT lo_from_bytea(0, '')",
    "SET ROLE cingulum_registry",
    "SET ROLE cingulum_datajoint_owner",
    "SET SESSION AUTHORIZATION dj_ada",
    "COPY (SELECT 1) TO PROGRAM 'true'",
    "SELECT pg_read_file('PG_VERSION')",
    "CREATE ROLE mine",
)


async def test_a_role_has_its_own_schema_and_reads_the_tables_and_nothing_else(
    lab: Laboratory, cingulum: Cingulum
) -> None:
    await update(lab.registry)
    await address_of(cingulum.admin_url, "ada")
    async with signed_in(cingulum.admin_url, "eve") as eve:
        for statement in REFUSED:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await eve.execute(statement)
        readable = await eve.fetch(
            "SELECT nspname || '.' || relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
            "WHERE nspname NOT IN ('pg_catalog', 'information_schema') AND has_schema_privilege(n.oid, 'USAGE') "
            "AND relkind IN ('r', 'v', 'm', 'p', 'f') AND has_table_privilege(c.oid, 'SELECT')"
        )
        assert {row["name"] for row in readable} == {f"datajoint_v1.{name}" for name in (*TABLES, "~lineage")}


async def test_keys_and_estimates_reveal_no_hidden_rows(lab: Laboratory, cingulum: Cingulum) -> None:
    await made(lab.metadata, "/projects", {"name": "secret", "is_private": True, "users": ["ada"]})
    hidden = await made(lab.metadata, "/sessions", a_session(number=2, projects=["secret"]))
    await update(lab.registry)
    owner = await asyncpg.connect(cingulum.admin_url)
    await owner.execute("ANALYZE datajoint_v1.session")
    async with signed_in(cingulum.admin_url, "ada") as ada, signed_in(cingulum.admin_url, "eve") as eve:
        assert {row["eid"] for row in await rows(ada, "session")} == {lab.session_id, hidden["id"]}
        assert {row["eid"] for row in await rows(eve, "session")} == {lab.session_id}
        # A foreign key is checked past the row security, and holds for no value that is known from elsewhere.
        await eve.execute("CREATE TABLE probe (session_key char(32) REFERENCES datajoint_v1.session)")
        for guess in (hidden["id"], hidden["id"].replace("-", ""), "0" * 32):
            with pytest.raises((asyncpg.ForeignKeyViolationError, asyncpg.StringDataRightTruncationError)):
                await eve.execute("INSERT INTO probe VALUES ($1)", guess)
        for column in ("eid", "session_number", "projects"):
            with pytest.raises(asyncpg.InvalidForeignKeyError):
                await eve.execute(
                    f"CREATE TABLE other (x varchar REFERENCES datajoint_v1.session ({column}))"
                )
        plans = [
            await eve.fetch(f"EXPLAIN SELECT * FROM datajoint_v1.session WHERE eid = '{eid}'")
            for eid in (hidden["id"], lab.session_id.replace(lab.session_id[:4], "0000"))
        ]
        estimates = [re.findall(r"rows=\d+", str(plan)) for plan in plans]
        assert estimates[0] == estimates[1]
        assert await eve.fetchval("SELECT count(*) FROM pg_stats WHERE schemaname = 'datajoint_v1'") == 0
        # A view of somebody else shows her what she sees herself.
        await ada.execute("CREATE VIEW mine AS SELECT eid FROM datajoint_v1.session")
        schema = await ada.fetchval("SELECT current_user")
        await ada.execute(f"GRANT USAGE ON SCHEMA {schema} TO PUBLIC; GRANT SELECT ON mine TO PUBLIC")
        assert len(await ada.fetch("SELECT * FROM mine")) == 2
        assert len(await eve.fetch(f"SELECT * FROM {schema}.mine")) == 1
        closed = await lab.metadata.patch(f"/sessions/{lab.session_id}", {"projects": ["secret"]})
        assert closed.status_code == 200, closed.text
        assert await rows(eve, "session") == []  # at once, before any update
    await owner.close()


async def test_a_release_is_shown_when_its_embargo_ends_and_a_withdrawn_one_with_the_reason(
    lab: Laboratory, cingulum: Cingulum
) -> None:
    owner = await asyncpg.connect(cingulum.admin_url)
    await make_published_release(cingulum, "paper", "A paper", embargo=timedelta(hours=1))
    await update(lab.registry)
    async with signed_in(cingulum.admin_url, "eve") as eve:
        assert [await rows(eve, name) for name in ("release", "release__dataset")] == [[], []]
        await owner.execute("UPDATE registry.releases SET public_from = now() - interval '1 h'")
        (release,), (dataset,) = await rows(eve, "release"), await rows(eve, "dataset")
        assert (release["release_name"], release["withdrawn_at"]) == ("paper", None)
        (part,) = await rows(eve, "release__dataset")
        assert part["dataset_key"] == dataset["dataset_key"]
        await owner.execute(
            "UPDATE registry.releases SET state = 'withdrawn', withdrawn_at = now(), withdrawn_reason = 'wrong clock'"
        )
        await update(lab.registry)
        (release,) = await rows(eve, "release")
        assert release["withdrawn_reason"] == "wrong clock"
        assert release["withdrawn_at"] is not None
    await owner.close()


async def test_an_open_transaction_of_a_person_delays_the_tables_and_nothing_else(
    lab: Laboratory, cingulum: Cingulum
) -> None:
    await update(lab.registry)
    async with signed_in(cingulum.admin_url, "eve") as eve:
        transaction = eve.transaction()
        await transaction.start()
        await eve.execute("CREATE TABLE probe (session_key char(32) REFERENCES datajoint_v1.session)")
        await lab.metadata.patch(f"/sessions/{lab.session_id}", {"narrative": "a good day"})
        await lab.register("alf/spikes.clusters.npy")
        with pytest.raises(DATABASE_ERRORS):
            await update(lab.registry)
        await transaction.rollback()
        await update(lab.registry)
        (session,) = await rows(eve, "session")
        assert session["narrative"] == "a good day"
        assert len(await rows(eve, "dataset")) == 2


async def test_rights_that_end_hide_rows_from_the_next_statement(lab: Laboratory, cingulum: Cingulum) -> None:
    await made(lab.metadata, "/projects", {"name": "secret", "is_private": True, "users": ["ada", "eve"]})
    await made(lab.metadata, "/sessions", a_session(number=2, projects=["secret"]))
    await update(lab.registry)
    async with signed_in(cingulum.admin_url, "eve") as eve:
        assert len(await rows(eve, "session")) == 2
        left = await lab.metadata.patch("/projects/secret", {"users": ["ada"]})
        assert left.status_code == 200, left.text
        assert [row["eid"] for row in await rows(eve, "session")] == [lab.session_id]
        ended = await lab.metadata.patch("/users/eve", {"is_active": False})
        assert ended.status_code == 200, ended.text
        assert [await rows(eve, name) for name in TABLES] == [[] for _ in TABLES]


async def test_a_running_registry_fills_the_tables(cingulum: Cingulum) -> None:
    environment = {**cingulum.environment, "CINGULUM_DATAJOINT_EVERY_S": "0.2"}
    lab = await laboratory(Cingulum(environment, cingulum.admin_url, cingulum.stack))
    await lab.register("alf/spikes.times.npy")
    async with signed_in(cingulum.admin_url, "ada") as ada:
        async for _ in attempts():
            if await rows(ada, "dataset"):
                break
        assert [row["eid"] for row in await rows(ada, "session")] == [lab.session_id]
