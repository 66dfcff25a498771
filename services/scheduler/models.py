"""The tables of scheduler, and what neighbours may see of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from libs.common import db

_WHEN = sa.TIMESTAMP(timezone=True)


class Base(DeclarativeBase):
    """Base of all tables in the schema `scheduler`."""

    metadata = db.metadata_of("scheduler")


TOKENS = sa.Sequence("tokens", metadata=Base.metadata, schema="scheduler")  # no token was ever another's


class JobRow(Base):
    """One task on one scope: a slot. `key` names the work now wanted of it; Alyx shows the row as a task."""

    __tablename__ = "jobs"
    __table_args__ = (
        sa.UniqueConstraint(
            "session_id", "task", "probe", "arguments", "owner_id", postgresql_nulls_not_distinct=True
        ),
        sa.CheckConstraint(
            "(token IS NOT NULL) = (state IN ('Started', 'Publishing'))", name="token_while_running"
        ),
        # Jobs that wait: few, however many are done.
        sa.Index("ix_jobs_waiting", "id", postgresql_where=sa.text("state = 'Waiting' AND is_derived")),
        sa.Index("ix_jobs_deadline", "deadline", postgresql_where=sa.text("deadline IS NOT NULL")),  # sweeps
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    task: Mapped[str]
    session_id: Mapped[UUID | None]  # metadata owns it
    owner_id: Mapped[UUID | None]  # of a task without a session: who made it; null: it has one, or is of old
    probe: Mapped[str] = mapped_column(server_default="")
    is_derived: Mapped[bool] = mapped_column(
        server_default=sa.false()
    )  # from a declared task; else by POST /tasks
    state: Mapped[str]
    key: Mapped[str | None]
    token: Mapped[int | None] = mapped_column(sa.BigInteger)
    worker: Mapped[str | None]
    runner: Mapped[str | None]  # token and client address that started it through /tasks
    deadline: Mapped[datetime | None] = mapped_column(_WHEN)
    not_before: Mapped[datetime | None] = mapped_column(_WHEN)
    attempts: Mapped[int] = mapped_column(server_default="0")
    reason: Mapped[str] = mapped_column(server_default="")
    by_person: Mapped[bool] = mapped_column(server_default=sa.false())
    finishing: Mapped[str | None]
    outputs: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]")  # [{name, upload_id, sha256}]
    inputs: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]")  # [{path, dataset_id, sha256}]
    outside_pool: Mapped[list[UUID]] = mapped_column(
        ARRAY(sa.UUID), server_default="{}"
    )  # repositories of inputs that the central store has not
    are_coming: Mapped[bool] = mapped_column(server_default=sa.false())  # all of those are expected there
    created_at: Mapped[datetime] = mapped_column(_WHEN, server_default=sa.func.now())
    updated_at: Mapped[datetime] = mapped_column(_WHEN, server_default=sa.func.now())
    # what Alyx shows of a task
    arguments: Mapped[str] = mapped_column(server_default="")
    executable: Mapped[str] = mapped_column(server_default="")
    graph: Mapped[str] = mapped_column(server_default="")
    level: Mapped[int] = mapped_column(server_default="0")
    priority: Mapped[int] = mapped_column(server_default="50")
    io_charge: Mapped[int] = mapped_column(server_default="1")
    cpu: Mapped[int] = mapped_column(server_default="1")
    gpu: Mapped[int] = mapped_column(server_default="0")
    ram: Mapped[int] = mapped_column(server_default="1")
    time_out_secs: Mapped[int | None]
    time_elapsed_secs: Mapped[float | None]
    version: Mapped[str | None]
    log: Mapped[str | None]  # as a legacy runner wrote it
    data_repository_id: Mapped[UUID | None]
    parents: Mapped[list[UUID]] = mapped_column(ARRAY(sa.UUID), server_default="{}")


class ReadyRow(Base):
    """A Waiting job and a site where all its inputs can be read: what a claim looks through, and nothing else.

    Of a Started job only those rows stay that rest (`not_before`), so that another site's try does not end the rest.
    `site` is '' for the pool (the central store) or the id of an agent repository (`domain.sites`). The columns that a
    claim chooses and sorts by are the job's, written with it.
    """

    __tablename__ = "ready"
    __table_args__ = (
        # One worker knows few sites and tasks: where none of them is ready, a look touches this index alone.
        sa.Index("ix_ready_site", "site", "task", sa.text("priority DESC"), "level", "created_at", "job_id"),
        # Where many are, it reads the first of them in their order.
        sa.Index("ix_ready_order", sa.text("priority DESC"), "level", "created_at", "job_id"),
    )
    job_id: Mapped[UUID] = mapped_column(sa.ForeignKey(JobRow.id, ondelete="CASCADE"), primary_key=True)
    site: Mapped[str] = mapped_column(primary_key=True)
    task: Mapped[str]
    priority: Mapped[int]
    level: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(_WHEN)
    not_before: Mapped[datetime | None] = mapped_column(_WHEN)  # a worker there could not read an input


class AttemptRow(Base):
    """One claim of a job, known by its token. It ends once, and stays as its audit."""

    __tablename__ = "attempts"
    __table_args__ = (sa.UniqueConstraint("claim_id"),)
    token: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    job_id: Mapped[UUID] = mapped_column(sa.ForeignKey(JobRow.id, ondelete="CASCADE"), index=True)
    state: Mapped[str]
    outputs: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]")
    worker: Mapped[str] = mapped_column(server_default="")
    site: Mapped[str] = mapped_column(server_default="")  # where the worker was to read the inputs
    claim_id: Mapped[UUID | None]  # chosen by the worker, so that a lost answer can be asked for again
    started_at: Mapped[datetime] = mapped_column(_WHEN, server_default=sa.func.now())
    ended_at: Mapped[datetime | None] = mapped_column(_WHEN)


class LogRow(Base):
    """A piece of an attempt's log."""

    __tablename__ = "logs"
    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    job_id: Mapped[UUID] = mapped_column(sa.ForeignKey(JobRow.id, ondelete="CASCADE"))
    token: Mapped[int] = mapped_column(sa.BigInteger)
    n: Mapped[int]  # chosen by the worker: a piece sent twice is kept once
    text: Mapped[str]
    at: Mapped[datetime] = mapped_column(_WHEN, server_default=sa.func.now())
    __table_args__ = (sa.UniqueConstraint("token", "n"), sa.Index("ix_logs_job_id", "job_id", "id"))


class WorkerRow(Base):
    """A worker as it was last heard of."""

    __tablename__ = "workers"
    name: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    site: Mapped[str] = mapped_column(server_default="")
    labs: Mapped[list[str]] = mapped_column(ARRAY(sa.Text), server_default="{}")
    tasks: Mapped[list[str]] = mapped_column(ARRAY(sa.Text), server_default="{}")
    version: Mapped[str] = mapped_column(server_default="")
    seen_at: Mapped[datetime] = mapped_column(_WHEN, server_default=sa.func.now())


PUBLISHED: Final[dict[str, str]] = {
    "jobs": """
        SELECT j.id, j.session_id, j.task, j.state, j.token, j.outputs, s.lab AS session_lab, j.inputs
        FROM scheduler.jobs j LEFT JOIN metadata.published_sessions_v1 s ON s.id = j.session_id""",
    "attempts": "SELECT token, job_id, state, outputs FROM scheduler.attempts",
}
