"""The tables of the schema `datajoint_v1`, as stock DataJoint clients read them, and what registry stores for them.

Users' tables refer to these rows by foreign keys: no row is deleted and no key changes. All other columns may be null,
since a withdrawn row has nothing but its key. Keys are made from ids by `key_of` and cannot be computed without the
secret: PostgreSQL checks foreign keys past the row security, so a key that is known from elsewhere would reveal that a
hidden row exists. Apart from keys no two tables have a column of one name, as the client refuses to join such tables.
It hides columns that begin with an underscore.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from services.registry.models.base import Base
from services.registry.models.datasets import VersionRow

SCHEMA: Final = "datajoint_v1"
_metadata = sa.MetaData(schema=SCHEMA)
_KEY, _ID = sa.CHAR(32), sa.CHAR(36)  # the client cannot write keys of PostgreSQL's type uuid
_NUMBER: Final[sa.Double[float]] = sa.Double()
_INSTANT: Final = sa.TIMESTAMP()


def _table(name: str, keys: dict[str, Any], columns: dict[str, Any]) -> sa.Table:
    return sa.Table(
        name,
        _metadata,
        *(sa.Column(column, kind, primary_key=True) for column, kind in keys.items()),
        *(sa.Column(column, kind) for column, kind in columns.items()),
        sa.Column("_withdrawn_at", _INSTANT),
    )


SUBJECT: Final = _table(
    "subject",
    {"subject_key": _KEY},
    {
        "subject_uuid": _ID,
        "nickname": sa.String(255),
        "subject_lab": sa.String(255),
        "sex": sa.String(1),
        "birth_date": sa.Date(),
        "death_date": sa.Date(),
        "species": sa.String(255),
        "strain": sa.String(255),
        "line": sa.String(255),
    },
)
SESSION: Final = _table(
    "session",
    {"session_key": _KEY},
    {
        "subject_key": _KEY,
        "eid": _ID,
        "subject_nickname": sa.String(255),
        "lab": sa.String(255),
        "session_date": sa.Date(),
        "session_number": sa.Integer(),
        "start_time": _INSTANT,
        "task_protocol": sa.String(1023),
        "projects": sa.String(1023),
        "session_path": sa.String(1023),
        "session_n_trials": sa.Integer(),
        "session_n_correct": sa.Integer(),
        "session_qc": sa.Integer(),
        "narrative": sa.Text(),
    },
)
INSERTION: Final = _table(
    "insertion",
    {"insertion_key": _KEY},
    {
        "session_key": _KEY,
        "pid": _ID,
        "probe_name": sa.String(255),
        "model": sa.String(255),
        "serial": sa.String(255),
    },
)
DATASET: Final = _table(
    "dataset",
    {"dataset_key": _KEY},
    {
        "session_key": _KEY,
        "dataset_uuid": _ID,
        "dataset_name": sa.String(255),
        "collection": sa.String(1023),
        "revision": sa.String(255),
        "dataset_type": sa.String(255),
        "data_format": sa.String(255),
        "relative_path": sa.String(2047),
        "size_bytes": sa.BigInteger(),
        "sha256": sa.CHAR(64),
        "dataset_qc": sa.Integer(),
        "is_default_revision": sa.Integer(),
        "registered_at": _INSTANT,
    },
)
TRIALS_SUMMARY: Final = _table(
    "_trials_summary",
    {"session_key": _KEY},
    {
        "summary_dataset_key": _KEY,
        "n_trials": sa.Integer(),
        "n_correct": sa.Integer(),
        "n_no_answer": sa.Integer(),
        "performance": _NUMBER,
        "n_easy": sa.Integer(),
        "easy_performance": _NUMBER,
        "n_zero_contrast": sa.Integer(),
        "median_reaction_time_s": _NUMBER,
        "zero_contrast_reaction_time_s": _NUMBER,
        "duration_s": _NUMBER,
        "reward_total_ml": _NUMBER,
    },
)
PSYCHOMETRIC_FIT: Final = _table(
    "_psychometric_fit",
    {"session_key": _KEY, "block": sa.String(8)},
    {
        "fit_dataset_key": _KEY,
        "fit_n_trials": sa.Integer(),
        "bias_percent": _NUMBER,
        "threshold_percent": _NUMBER,
        "lapse_low": _NUMBER,
        "lapse_high": _NUMBER,
        "log_likelihood": _NUMBER,
    },
)
RELEASE: Final = _table(
    "release",
    {"release_key": _KEY},
    {
        "release_name": sa.String(255),
        "title": sa.String(1023),
        "doi": sa.String(255),
        "license": sa.String(255),
        "public_from": _INSTANT,
        "manifest_root": sa.String(255),
        "withdrawn_at": _INSTANT,
        "withdrawn_reason": sa.String(1023),
    },
)
RELEASE_DATASET: Final = _table("release__dataset", {"release_key": _KEY, "dataset_key": _KEY}, {})
TABLES: Final = (
    SUBJECT,
    SESSION,
    INSERTION,
    DATASET,
    TRIALS_SUMMARY,
    PSYCHOMETRIC_FIT,
    RELEASE,
    RELEASE_DATASET,
)


class DatajointStateRow(Base):
    """One row: the secret that keys are made with, and when all rows were last compared with their sources."""

    __tablename__ = "datajoint_state"
    __table_args__ = (sa.CheckConstraint("id = 1", name="one_row"),)
    id: Mapped[int] = mapped_column(sa.SmallInteger, primary_key=True, autoincrement=False)
    secret: Mapped[str]
    compared_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))


class DatajointGrantRow(Base):
    """A person's database role; written as the database's owner. A revoked one is no other person's afterwards."""

    __tablename__ = "datajoint_grants"
    role_name: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(unique=True)  # metadata owns it
    granted_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())
    revoked_at: Mapped[datetime | None] = mapped_column(sa.TIMESTAMP(timezone=True))


class DatajointValueRow(Base):
    """What the JSON file of an analysis holds; `problem` says why it could not be read."""

    __tablename__ = "datajoint_values"
    version_id: Mapped[UUID] = mapped_column(sa.ForeignKey(VersionRow.id), primary_key=True)
    content: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    problem: Mapped[str | None]
    read_at: Mapped[datetime] = mapped_column(sa.TIMESTAMP(timezone=True), server_default=sa.func.now())


def key_of(kind: str, object_id: Any) -> sa.ColumnElement[str]:
    """The key of an object's row: a hash of its id under the secret."""
    secret = sa.select(DatajointStateRow.secret).scalar_subquery()
    text = sa.func.concat(secret, kind, sa.cast(object_id, sa.Text))
    digest = sa.func.sha256(sa.func.convert_to(text, "UTF8"))
    return sa.func.left(sa.func.encode(digest, "hex"), 32)
