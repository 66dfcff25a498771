"""The tables of scheduler, and the views that other services read."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Generic, TypeVar
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from libs.common import db
from libs.common.db.dependants import Dependants, cascades
from libs.common.schemas.base import Schema
from libs.common.schemas.job_files import JobInput, JobOutput

S = TypeVar("S", bound=Schema)
_WHEN = sa.TIMESTAMP(timezone=True)


class Base(DeclarativeBase):
    """Base of all tables in the schema `scheduler`."""

    metadata = db.metadata_of("scheduler")


# Keys of `relative_path` in stored outputs and inputs, in rows and published views: services of the previous version,
# which run during an upgrade, know no other. `JobOutput` and `JobInput` read both.
STORED_OUTPUT_PATH: Final = "name"
STORED_INPUT_PATH: Final = "path"


class _JsonList(sa.types.TypeDecorator[list[S]], Generic[S]):
    """A JSON array whose items have one schema, with the key `path` for their `relative_path`."""

    impl = JSONB
    cache_ok = True

    def __init__(self, item: type[S], path: str) -> None:
        super().__init__()
        self.item = item
        self.path = path

    def process_bind_param(self, value: list[S] | None, _dialect: sa.Dialect) -> list[dict[str, Any]]:
        return [self._stored(item) for item in value or ()]

    def process_result_value(self, value: list[Any] | None, _dialect: sa.Dialect) -> list[S]:
        return [self.item.model_validate(item) for item in value or ()]

    def _stored(self, item: S) -> dict[str, Any]:
        values = item.model_dump(mode="json", include=set(self.item.model_fields))
        return {self.path if name == "relative_path" else name: value for name, value in values.items()}


TOKENS = sa.Sequence("tokens", metadata=Base.metadata, schema="scheduler")  # each token is given once


class JobRow(Base):
    """One task on one scope: a slot. `key` identifies the work that is due; Alyx shows the row as a task."""

    __tablename__ = "jobs"
    __table_args__ = (
        sa.UniqueConstraint(
            "session_id", "task", "probe", "arguments", "owner_id", postgresql_nulls_not_distinct=True
        ),
        sa.CheckConstraint(
            "(token IS NOT NULL) = (state IN ('Started', 'Publishing'))", name="token_while_running"
        ),
        sa.Index("ix_jobs_state", "state"),  # lists of those that wait or failed: few, compared with all
        # Jobs that wait: few, compared with those that are done.
        sa.Index("ix_jobs_waiting", "id", postgresql_where=sa.text("state = 'Waiting' AND is_derived")),
        sa.Index("ix_jobs_deadline", "deadline", postgresql_where=sa.text("deadline IS NOT NULL")),  # sweeps
    )
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    task: Mapped[str]
    session_id: Mapped[UUID | None]  # metadata owns it
    owner_id: Mapped[UUID | None]  # creator of a task without a session; null: it has one, or is from before
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
    outputs: Mapped[list[JobOutput]] = mapped_column(
        _JsonList(JobOutput, STORED_OUTPUT_PATH), server_default="[]"
    )
    inputs: Mapped[list[JobInput]] = mapped_column(
        _JsonList(JobInput, STORED_INPUT_PATH), server_default="[]"
    )
    outside_pool: Mapped[list[UUID]] = mapped_column(
        ARRAY(sa.UUID), server_default="{}"
    )  # repositories of inputs that the central store lacks
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
    log: Mapped[
        str | None
    ]  # as a legacy runner wrote it; empty: cleared, and the reason is not shown instead
    data_repository_id: Mapped[UUID | None]
    parents: Mapped[list[UUID]] = mapped_column(ARRAY(sa.UUID), server_default="{}")


class ReadyRow(Base):
    """A Waiting job and a site where all its inputs can be read: the rows that a claim selects from.

    Of a Started job only rows with a pause (`not_before`) stay, so that another site's attempt does not end the pause.
    `site` is '' for the pool (the central store) or the id of an agent repository (`domain.sites`). The columns that
    claims filter and sort by are copies of the job's, written with it.
    """

    __tablename__ = "ready"
    __table_args__ = (
        # One worker has few sites and tasks: where none of them is ready, a claim reads this index alone.
        sa.Index("ix_ready_site", "site", "task", sa.text("priority DESC"), "level", "created_at", "job_id"),
        # Where many are, it reads the first of them in order.
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
    """One claim of a job, identified by its token. It ends once, and is kept as a record."""

    __tablename__ = "attempts"
    __table_args__ = (sa.UniqueConstraint("claim_id"),)
    token: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    job_id: Mapped[UUID] = mapped_column(sa.ForeignKey(JobRow.id, ondelete="CASCADE"), index=True)
    state: Mapped[str]
    outputs: Mapped[list[JobOutput]] = mapped_column(
        _JsonList(JobOutput, STORED_OUTPUT_PATH), server_default="[]"
    )
    worker: Mapped[str] = mapped_column(server_default="")
    site: Mapped[str] = mapped_column(server_default="")  # where the worker reads the inputs
    claim_id: Mapped[
        UUID | None
    ]  # chosen by the worker, so that a claim whose response was lost can be repeated
    started_at: Mapped[datetime] = mapped_column(_WHEN, server_default=sa.func.now())
    ended_at: Mapped[datetime | None] = mapped_column(_WHEN)


class LogRow(Base):
    """A piece of an attempt's log."""

    __tablename__ = "logs"
    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    job_id: Mapped[UUID] = mapped_column(sa.ForeignKey(JobRow.id, ondelete="CASCADE"))
    token: Mapped[int] = mapped_column(sa.BigInteger)
    n: Mapped[int]  # chosen by the worker: a piece sent twice is stored once
    text: Mapped[str]
    at: Mapped[datetime] = mapped_column(_WHEN, server_default=sa.func.now())
    __table_args__ = (sa.UniqueConstraint("token", "n"), sa.Index("ix_logs_job_id", "job_id", "id"))


class WorkerRow(Base):
    """A worker, as of its last request."""

    __tablename__ = "workers"
    name: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID]
    site: Mapped[str] = mapped_column(server_default="")
    labs: Mapped[list[str]] = mapped_column(ARRAY(sa.Text), server_default="{}")
    tasks: Mapped[list[str]] = mapped_column(ARRAY(sa.Text), server_default="{}")
    version: Mapped[str] = mapped_column(server_default="")
    seen_at: Mapped[datetime] = mapped_column(_WHEN, server_default=sa.func.now())


# A task is not deleted softly: its row is moved away with its attempts and their logs, and moved back by an undo.
DEPENDANTS: Final = Dependants(
    {JobRow: "task", ReadyRow: "", AttemptRow: "attempt", LogRow: ""},
    cascades(ReadyRow.job_id, AttemptRow.job_id, LogRow.job_id),
)

PUBLISHED: Final[dict[str, str]] = {
    "jobs": """
        SELECT j.id, j.session_id, j.task, j.state, j.token, j.outputs, s.lab AS session_lab, j.inputs,
               j.probe, j.arguments, j.owner_id, j.data_repository_id, j.parents, j.executable, j.graph, j.version,
               j.log, j.reason, j.level, j.priority, j.io_charge, j.cpu, j.gpu, j.ram, j.time_out_secs,
               j.time_elapsed_secs, j.created_at, j.updated_at
        FROM scheduler.jobs j LEFT JOIN metadata.published_sessions_v1 s ON s.id = j.session_id""",
    "attempts": "SELECT token, job_id, state, outputs FROM scheduler.attempts",
}
