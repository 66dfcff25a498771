"""Views that registry publishes; `PUBLISHED` in its models fills them."""

from __future__ import annotations

from libs.common.catalogue import Service
from libs.common.published.column_types import (
    BIGINT,
    BOOLEAN,
    DATE,
    INTEGER,
    JSON,
    TEXT,
    TEXTS,
    TIMESTAMP,
    UUID,
)
from libs.common.published.view import View

REPOSITORIES = View(
    Service.REGISTRY,
    "repositories",
    {
        "id": UUID,
        "name": TEXT,
        "data_url": TEXT,
        "hostname": TEXT,
        "globus_is_personal": BOOLEAN,
        "store": TEXT,  # local | s3 | agent; null: unmanaged
        "globus_endpoint_id": UUID,
        "globus_path": TEXT,
    },
    readers=frozenset({Service.METADATA, Service.SCHEDULER}),
)
DATASET_TYPES = View(
    Service.REGISTRY,
    "dataset_types",
    {"id": UUID, "name": TEXT, "filename_pattern": TEXT},
    readers=frozenset({Service.METADATA}),
)
DATASETS = View(
    Service.REGISTRY,
    "datasets",
    {
        "id": UUID,
        "session_id": UUID,
        "name": TEXT,
        "collection": TEXT,  # '' for none
        "revision": TEXT,  # '' for none
        "rel_path": TEXT,  # services of the previous version read it: now `relative_path`
        "dataset_type": TEXT,
        "data_format": TEXT,
        "default_revision": BOOLEAN,
        "qc": INTEGER,
        "version_id": UUID,
        "generation": INTEGER,
        "file_size": BIGINT,  # likewise: now `size_bytes`
        "md5": TEXT,
        "sha256": TEXT,  # null until every byte has been read
        "on_server": BOOLEAN,  # an existing copy on a repository that is not personal
        "protected": BOOLEAN,
        "public": BOOLEAN,
        "created_at": TIMESTAMP,
        "data_url": TEXT,  # base address of a server that holds it ("/data/" for ours); null: no server does
        "version": TEXT,  # as its registrar called the software
        "content_type": TEXT,  # of an aggregate, which has no session: subject, project, …
        "object_id": UUID,
        "relative_path": TEXT,  # below the session's folder
        "size_bytes": BIGINT,
        "data_store": TEXT,  # store of the repository of `data_url`
        "data_path": TEXT,  # of its file there, below the folder of subjects; null: `relative_path` in the session's
        "dataset_type_id": UUID,
        "data_server": TEXTS,  # `data_url`, `data_store` and `data_path` in one, which is looked for once
    },
    renamed={"relative_path": "rel_path", "size_bytes": "file_size"},
)
DATA_FORMATS = View(
    Service.REGISTRY,
    "data_formats",
    {"id": UUID, "name": TEXT, "description": TEXT, "file_extension": TEXT},
    readers=frozenset({Service.METADATA}),
)
REPOSITORY_TYPES = View(
    Service.REGISTRY,
    "repository_types",
    {"id": UUID, "name": TEXT},
    readers=frozenset({Service.METADATA}),
)
REVISIONS = View(
    Service.REGISTRY,
    "revisions",
    {"id": UUID, "name": TEXT, "description": TEXT, "created_at": TIMESTAMP},
    readers=frozenset({Service.METADATA}),
)
DATA_NOTICES = View(
    Service.REGISTRY,
    "data_notices",
    {
        "id": UUID,
        "user_id": UUID,
        "name": TEXT,
        "description": TEXT,
        "importance": INTEGER,
        "version_affected": TEXT,
        "affected_date_start": DATE,
        "affected_date_end": DATE,
        "created_at": TIMESTAMP,
        "json": JSON,
    },
    readers=frozenset({Service.METADATA}),
)
DATA_NOTICE_DATASETS = View(
    Service.REGISTRY,
    "data_notice_datasets",
    {"data_notice_id": UUID, "dataset_id": UUID},
    readers=frozenset({Service.METADATA}),
)
# Users who read a dataset of a release from which it was pulled later.
DATA_NOTICE_READERS = View(
    Service.REGISTRY,
    "data_notice_readers",
    {"data_notice_id": UUID, "dataset_id": UUID, "user_id": UUID},
    readers=frozenset({Service.METADATA}),
)
TAGS = View(
    Service.REGISTRY,
    "tags",
    {"id": UUID, "name": TEXT, "protected": BOOLEAN, "public": BOOLEAN},
    readers=frozenset({Service.COMPRESSOR, Service.METADATA, Service.SCHEDULER, Service.TRANSFER}),
)
DATASET_TAGS = View(
    Service.REGISTRY,
    "dataset_tags",
    {"dataset_id": UUID, "tag": TEXT},
    readers=frozenset({Service.METADATA}),
)
# Types of the datasets of sessions: to find sessions by them, without the rest of a dataset.
SESSION_DATASET_TYPES = View(
    Service.REGISTRY,
    "session_dataset_types",
    {"session_id": UUID, "dataset_type_id": UUID},
    readers=frozenset({Service.METADATA}),
)
# Datasets that a server holds: to find sessions by them. By a column of a dataset the server would be looked for after
# each dataset, which costs the planner more than it is, so that it would plan every request.
SERVED_DATASETS = View(
    Service.REGISTRY,
    "served_datasets",
    {"id": UUID, "session_id": UUID, "collection": TEXT, "name": TEXT, "qc": INTEGER},
    readers=frozenset({Service.METADATA}),
)
COPIES = View(
    Service.REGISTRY,
    "copies",
    {
        "id": UUID,
        "dataset_id": UUID,
        "version_id": UUID,
        "generation": INTEGER,
        "session_id": UUID,
        "lab": TEXT,
        "repository_id": UUID,
        "repository": TEXT,
        "store": TEXT,
        "state": TEXT,
        "relative_path": TEXT,  # lab/Subjects/… without UUID
        "file_size": BIGINT,  # services of the previous version read it: now `size_bytes`
        "md5": TEXT,
        "sha256": TEXT,
        "proved_at": TIMESTAMP,
        "order_proof": BOOLEAN,  # the file is reported to be there, and must be read
        "exists": BOOLEAN,  # as Alyx shows it: verified, or claimed by a client where nothing can be verified
        "size_bytes": BIGINT,
        "file_id": UUID,  # of Alyx's file record: one of a dataset in a repository, whatever the version
        "own_path": TEXT,  # below the folder of subjects; null: as the dataset's
    },
    renamed={"size_bytes": "file_size"},
)
DOWNLOADS = View(
    Service.REGISTRY,
    "downloads",
    {"id": UUID, "dataset_id": UUID, "user_id": UUID, "count": INTEGER, "json": JSON},
    readers=frozenset({Service.METADATA}),
)
