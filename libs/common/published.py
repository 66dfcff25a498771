"""Published views: the contract between services.

A view is declared here (name, version, columns, readers) and filled by its owner (`PUBLISHED` in its `models.py`).
Columns are only ever added, at the end; a view goes to `RETIRED` one version after its last reader. Until the owner
has migrated, an empty stand-in with the same columns replaces it, and a view that an older owner filled has the newer
columns as nulls, so each service starts alone. Neighbours read `table(view)` in their `queries`, nowhere else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID
from sqlalchemy.dialects.postgresql.base import PGDialect

from libs.common.catalogue import STATEFUL, Service

_POSTGRESQL = PGDialect()  # type: ignore[no-untyped-call]
_UUID = UUID(as_uuid=True)
_TEXT = sa.Text()
_WHEN = sa.TIMESTAMP(timezone=True)
_BOOL = sa.Boolean()
_BIG = sa.BigInteger()
_INT = sa.Integer()
_UUIDS: ARRAY[Any] = ARRAY(UUID(as_uuid=True))
_TEXTS: ARRAY[Any] = ARRAY(sa.Text())


@dataclass(frozen=True, eq=False)
class View:
    """One published view, granted to its owner and to its readers.

    `former_readers` do not read it any more, but pods of their previous version do, which run during an upgrade.
    """

    owner: Service
    noun: str
    columns: Mapping[str, sa.types.TypeEngine[Any]]
    version: int = 1
    readers: frozenset[Service] = frozenset(STATEFUL)
    former_readers: frozenset[Service] = frozenset()

    @property
    def name(self) -> str:
        """Name in the owner's schema."""
        return f"published_{self.noun}_v{self.version}"

    @property
    def full_name(self) -> str:
        """Schema and name."""
        return f"{self.owner}.{self.name}"

    def stand_in(self) -> str:
        """SQL of the empty view that stands here until the owner has migrated."""
        return f"CREATE VIEW {self.full_name} AS SELECT {self._nulls(self.columns)} WHERE false"

    def widened(self, definition: str, missing: Collection[str]) -> str:
        """SQL of the view as it is there with the columns that are missing at its end, all null.

        >>> labs = View(Service.METADATA, "labs", {"id": sa.UUID(), "name": sa.Text()})
        >>> labs.widened("SELECT id FROM metadata.labs;", {"name"}).partition(" AS ")[2]
        'SELECT older.*, NULL::TEXT AS name FROM (SELECT id FROM metadata.labs) AS older'
        """
        older = definition.strip().removesuffix(";")
        nulls = self._nulls([column for column in self.columns if column in missing])
        return f"CREATE OR REPLACE VIEW {self.full_name} AS SELECT older.*, {nulls} FROM ({older}) AS older"  # noqa: S608

    def _nulls(self, columns: Iterable[str]) -> str:
        return ", ".join(f"NULL::{_sql(self.columns[column])} AS {column}" for column in columns)

    def definition(self, select: str) -> str:
        """SQL that fills the view; each column is cast, so that the contract's types hold."""
        columns = ", ".join(
            f"filled.{column}::{_sql(kind)} AS {column}" for column, kind in self.columns.items()
        )
        return f"CREATE OR REPLACE VIEW {self.full_name} AS SELECT {columns} FROM ({select}) AS filled"  # noqa: S608


def _sql(kind: sa.types.TypeEngine[Any]) -> str:
    return str(kind.compile(dialect=_POSTGRESQL))


_metadata = sa.MetaData()


@cache
def table(view: View) -> sa.Table:
    """The view as something to select from."""
    columns = (sa.Column(name, kind) for name, kind in view.columns.items())
    return sa.Table(view.name, _metadata, *columns, schema=view.owner)


@cache
def alias(view: View, role: str) -> sa.FromClause:  # noqa: ARG001 - one for each role
    """The view under another name in its SQL, always the same one for a role.

    Making an alias costs more than the condition that reads it. A statement may use a role many times side by side,
    but not one within the other.
    """
    return table(view).alias()


USERS = View(
    Service.METADATA,
    "users",
    {
        "id": _UUID,
        "username": _TEXT,
        "is_active": _BOOL,
        "is_superuser": _BOOL,
        "is_stock_manager": _BOOL,
        "is_public_user": _BOOL,
    },
    readers=frozenset({Service.REGISTRY}),
)
TOKENS = View(
    Service.METADATA,
    "tokens",
    {
        "token_hash": _TEXT,  # hex of HMAC-SHA256(secret key, token)
        "token_id": _UUID,
        "user_id": _UUID,
        "username": _TEXT,
        "is_superuser": _BOOL,
        "is_stock_manager": _BOOL,
        "is_public_user": _BOOL,
        "scopes": _TEXTS,  # null: all that the user may do
        "expires_at": _WHEN,
        "lab_ids": _UUIDS,
        "project_ids": _UUIDS,
        "delegator_ids": _UUIDS,
    },
    readers=frozenset({Service.GATEWAY}),
)
BROWSER_SESSIONS = View(
    Service.METADATA,
    "browser_sessions",
    {
        "token_hash": _TEXT,  # hex of HMAC-SHA256(secret key, token)
        "token_id": _UUID,
        "user_id": _UUID,
        "username": _TEXT,
        "is_superuser": _BOOL,
        "is_stock_manager": _BOOL,
        "is_public_user": _BOOL,
        "used_at": _WHEN,
        "idle_until": _WHEN,
        "expires_at": _WHEN,
        "lab_ids": _UUIDS,
        "project_ids": _UUIDS,
        "delegator_ids": _UUIDS,
    },
    readers=frozenset({Service.GATEWAY}),
)
LABS = View(Service.METADATA, "labs", {"id": _UUID, "name": _TEXT, "timezone": _TEXT})
LAB_REPOSITORIES = View(
    Service.METADATA,
    "lab_repositories",
    {"lab_id": _UUID, "repository_id": _UUID},
    readers=frozenset({Service.REGISTRY, Service.SCHEDULER}),
)
PROJECTS = View(
    Service.METADATA,
    "projects",
    {"id": _UUID, "name": _TEXT, "is_private": _BOOL},
    readers=frozenset({Service.COMPRESSOR, Service.REGISTRY, Service.TRANSFER}),
    former_readers=frozenset({Service.SCHEDULER}),
)
# Deleted projects included: deleting a private project opens nothing. Read through libs/common/visible.py.
SESSION_AUDIENCE = View(
    Service.METADATA, "session_audience", {"session_id": _UUID, "project_id": _UUID, "is_private": _BOOL}
)
SUBJECT_AUDIENCE = View(
    Service.METADATA, "subject_audience", {"subject_id": _UUID, "project_id": _UUID, "is_private": _BOOL}
)
# Grows with what changes who sees what.
RIGHTS_CHANGES = View(
    Service.METADATA, "rights_changes", {"seq": _BIG}, readers=frozenset({Service.REGISTRY})
)
SUBJECTS = View(
    Service.METADATA,
    "subjects",
    {"id": _UUID, "nickname": _TEXT, "lab_id": _UUID, "lab": _TEXT, "responsible_user_id": _UUID},
)
SESSIONS = View(
    Service.METADATA,
    "sessions",
    {
        "id": _UUID,
        "subject_id": _UUID,
        "subject": _TEXT,
        "lab_id": _UUID,
        "lab": _TEXT,
        "start_time": _TEXT,  # as Alyx shows it
        "start_at": _WHEN,
        "date": sa.Date(),
        "number": _INT,
        "task_protocol": _TEXT,
        "type": _TEXT,
        "projects": _TEXTS,
        "responsible_user_id": _UUID,
        "created_at": _WHEN,
        "procedures": _TEXTS,
        "folder": _TEXT,  # lab/Subjects/subject/date/number, as it is named now; the subject's lab if it has none
    },
)
SESSION_USERS = View(
    Service.METADATA,
    "session_users",
    {"session_id": _UUID, "user_id": _UUID},
    readers=frozenset({Service.REGISTRY}),
)
SESSION_PROJECTS = View(
    Service.METADATA,
    "session_projects",
    {"session_id": _UUID, "project_id": _UUID},
    readers=frozenset({Service.REGISTRY}),
    former_readers=frozenset({Service.COMPRESSOR, Service.SCHEDULER}),
)
INSERTIONS = View(
    Service.METADATA,
    "insertions",
    {"id": _UUID, "session_id": _UUID, "name": _TEXT, "model": _TEXT, "serial": _TEXT},
)

REPOSITORIES = View(
    Service.REGISTRY,
    "repositories",
    {
        "id": _UUID,
        "name": _TEXT,
        "data_url": _TEXT,
        "hostname": _TEXT,
        "globus_is_personal": _BOOL,
        "store": _TEXT,  # local | s3 | agent; null: unmanaged
        "globus_endpoint_id": _UUID,
        "globus_path": _TEXT,
    },
    readers=frozenset({Service.METADATA, Service.SCHEDULER}),
)
DATASET_TYPES = View(
    Service.REGISTRY,
    "dataset_types",
    {"id": _UUID, "name": _TEXT, "filename_pattern": _TEXT},
    readers=frozenset({Service.METADATA}),
)
DATASETS = View(
    Service.REGISTRY,
    "datasets",
    {
        "id": _UUID,
        "session_id": _UUID,
        "name": _TEXT,
        "collection": _TEXT,  # '' for none
        "revision": _TEXT,  # '' for none
        "rel_path": _TEXT,
        "dataset_type": _TEXT,
        "data_format": _TEXT,
        "default_revision": _BOOL,
        "qc": _INT,
        "version_id": _UUID,
        "generation": _INT,
        "file_size": _BIG,
        "md5": _TEXT,
        "sha256": _TEXT,  # null until we have read every byte
        "on_server": _BOOL,  # an existing copy on a repository that is not personal
        "protected": _BOOL,
        "public": _BOOL,
        "created_at": _WHEN,
        "data_url": _TEXT,  # base address of a server that holds it ("/data/" for ours); null: no server does
        "version": _TEXT,  # as its registrar called the software
        "content_type": _TEXT,  # of an aggregate, which has no session: subject, project, …
        "object_id": _UUID,
    },
)
TAGS = View(
    Service.REGISTRY,
    "tags",
    {"id": _UUID, "name": _TEXT, "protected": _BOOL, "public": _BOOL},
    readers=frozenset({Service.COMPRESSOR, Service.METADATA, Service.TRANSFER}),
)
DATASET_TAGS = View(
    Service.REGISTRY,
    "dataset_tags",
    {"dataset_id": _UUID, "tag": _TEXT},
    readers=frozenset({Service.METADATA}),
)
COPIES = View(
    Service.REGISTRY,
    "copies",
    {
        "id": _UUID,
        "dataset_id": _UUID,
        "version_id": _UUID,
        "generation": _INT,
        "session_id": _UUID,
        "lab": _TEXT,
        "repository_id": _UUID,
        "repository": _TEXT,
        "store": _TEXT,
        "state": _TEXT,
        "relative_path": _TEXT,  # lab/Subjects/… without UUID
        "file_size": _BIG,
        "md5": _TEXT,
        "sha256": _TEXT,
        "proved_at": _WHEN,
        "order_proof": _BOOL,  # the file is reported to be there, and must be read
        "exists": _BOOL,  # as Alyx shows it: verified, or claimed by a client where nothing can be verified
    },
)
UPLOADS = View(
    Service.TRANSFER,
    "uploads",
    {
        "id": _UUID,
        "state": _TEXT,
        "size_bytes": _BIG,
        "sha256": _TEXT,
        "md5": _TEXT,
        "store": _TEXT,
        "copy_id": _UUID,
        "job_id": _UUID,
        "name": _TEXT,
        "completed_at": _WHEN,
        "token": _BIG,  # of the attempt whose output it is
    },
    readers=frozenset({Service.REGISTRY, Service.SCHEDULER}),
)
JOBS = View(
    Service.SCHEDULER,
    "jobs",
    {
        "id": _UUID,
        "session_id": _UUID,
        "task": _TEXT,
        "state": _TEXT,
        "token": _BIG,
        "outputs": JSONB(),  # of a Publishing job: [{name, upload_id, sha256}]
        "session_lab": _TEXT,
        "inputs": JSONB(),  # [{path, dataset_id, sha256}]; empty: a legacy job, which does not say
    },
    readers=frozenset({Service.REGISTRY, Service.TRANSFER}),
)
ATTEMPTS = View(
    Service.SCHEDULER,
    "attempts",
    {
        "token": _BIG,
        "job_id": _UUID,
        "state": _TEXT,  # AttemptState; written once when it ends, so a sweep may trust an old look
        "outputs": JSONB(),  # of the accepted completion: [{name, upload_id, sha256}]
    },
    readers=frozenset({Service.REGISTRY, Service.TRANSFER}),
)
RECORDINGS = View(
    Service.COMPRESSOR,
    "recordings",
    {
        "dataset_id": _UUID,
        "session_id": _UUID,
        "sha256": _TEXT,  # of the compressed file that this is about
        "raw_sha256": _TEXT,  # of the file it decodes to: any dataset of these bytes is held by it
        "raw_bytes": _BIG,
        "compressed_bytes": _BIG,
        "ratio": sa.Float(),
        "proved_at": _WHEN,  # all of it was decoded and gave raw_sha256; null: not yet
        "ch_sha256": _TEXT,  # of the .ch that a .cbin was decoded with; null: a .cgl needs none
        "doubts": _TEXTS,  # what its companions claim and its bytes contradict
        "meta_sha256": _TEXT,  # of the .meta that it was compared with; null: none
    },
    readers=frozenset({Service.REGISTRY}),
)
EVENTS: Final[Mapping[Service, View]] = {
    service: View(
        service,
        "events",
        {
            "id": _UUID,
            "seq": _BIG,
            "subject": _TEXT,
            "payload": JSONB(),
            "request_id": _TEXT,
            "created_at": _WHEN,
        },
    )
    for service in STATEFUL
}

VIEWS: Final[tuple[View, ...]] = (
    *(view for view in list(globals().values()) if isinstance(view, View)),
    *EVENTS.values(),
)
RETIRED: Final[Mapping[Service, tuple[str, ...]]] = {
    Service.METADATA: ("published_project_users_v1", "published_procedures_v1"),
}
"""Views of earlier versions that no version still in use reads: their owner's upgrade drops them."""
