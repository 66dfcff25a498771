"""Views that metadata publishes; `PUBLISHED` in its models fills them."""

from __future__ import annotations

from libs.common.catalogue import Service
from libs.common.published.column_types import (
    BIGINT,
    BOOLEAN,
    DATE,
    FLOAT,
    INTEGER,
    JSON,
    TEXT,
    TEXTS,
    TIMESTAMP,
    UUID,
    UUIDS,
)
from libs.common.published.view import View

_OF_LINKS = frozenset({Service.REGISTRY, Service.SCHEDULER})
USERS = View(
    Service.METADATA,
    "users",
    {
        "id": UUID,
        "username": TEXT,
        "is_active": BOOLEAN,
        "is_superuser": BOOLEAN,
        "is_stock_manager": BOOLEAN,
        "is_public_user": BOOLEAN,
        "is_staff": BOOLEAN,
        "email": TEXT,
        "created_at": TIMESTAMP,
    },
    readers=frozenset({Service.REGISTRY, Service.SCHEDULER}),
)
# Deleted users included: records go on naming them.
USERNAMES = View(
    Service.METADATA, "usernames", {"id": UUID, "username": TEXT}, readers=frozenset({Service.REGISTRY})
)
MEMBERSHIPS = View(
    Service.METADATA,
    "memberships",
    {"id": UUID, "user_id": UUID, "lab_id": UUID, "role": TEXT, "start_date": DATE, "end_date": DATE},
    readers=frozenset({Service.REGISTRY, Service.SCHEDULER}),
)
TOKENS = View(
    Service.METADATA,
    "tokens",
    {
        "token_hash": TEXT,  # hex of HMAC-SHA256(secret key, token)
        "token_id": UUID,
        "user_id": UUID,
        "username": TEXT,
        "is_superuser": BOOLEAN,
        "is_stock_manager": BOOLEAN,
        "is_public_user": BOOLEAN,
        "scopes": TEXTS,  # null: all that the user may do
        "expires_at": TIMESTAMP,
        "lab_ids": UUIDS,
        "project_ids": UUIDS,
        "delegator_ids": UUIDS,
    },
    readers=frozenset({Service.GATEWAY}),
)
BROWSER_SESSIONS = View(
    Service.METADATA,
    "browser_sessions",
    {
        "token_hash": TEXT,  # hex of HMAC-SHA256(secret key, token)
        "token_id": UUID,
        "user_id": UUID,
        "username": TEXT,
        "is_superuser": BOOLEAN,
        "is_stock_manager": BOOLEAN,
        "is_public_user": BOOLEAN,
        "used_at": TIMESTAMP,
        "idle_until": TIMESTAMP,
        "expires_at": TIMESTAMP,
        "lab_ids": UUIDS,
        "project_ids": UUIDS,
        "delegator_ids": UUIDS,
    },
    readers=frozenset({Service.GATEWAY}),
)
LABS = View(
    Service.METADATA,
    "labs",
    {
        "id": UUID,
        "name": TEXT,
        "timezone": TEXT,
        "institution": TEXT,
        "address": TEXT,
        "reference_weight_pct": FLOAT,
        "zscore_weight_pct": FLOAT,
        "json": JSON,
    },
)
LOCATIONS = View(
    Service.METADATA,
    "locations",
    {"id": UUID, "name": TEXT, "lab_id": UUID, "json": JSON},
    readers=frozenset({Service.REGISTRY, Service.SCHEDULER}),
)
TERMS = View(
    Service.METADATA,
    "terms",
    {"id": UUID, "kind": TEXT, "name": TEXT, "nickname": TEXT, "description": TEXT, "json": JSON},
    readers=frozenset({Service.REGISTRY, Service.SCHEDULER}),
)
LINES = View(
    Service.METADATA,
    "lines",
    {"id": UUID, "name": TEXT, "nickname": TEXT, "strain_id": UUID, "lab_id": UUID},
    readers=frozenset({Service.REGISTRY, Service.SCHEDULER}),
)
LITTERS = View(
    Service.METADATA,
    "litters",
    {"id": UUID, "name": TEXT, "birth_date": DATE, "line_id": UUID, "json": JSON},
    readers=frozenset({Service.REGISTRY, Service.SCHEDULER}),
)
LAB_REPOSITORIES = View(
    Service.METADATA,
    "lab_repositories",
    {"lab_id": UUID, "repository_id": UUID},
    readers=frozenset({Service.REGISTRY, Service.SCHEDULER}),
)
PROJECTS = View(
    Service.METADATA,
    "projects",
    {"id": UUID, "name": TEXT, "is_private": BOOLEAN, "description": TEXT, "json": JSON},
    readers=frozenset({Service.COMPRESSOR, Service.REGISTRY, Service.SCHEDULER, Service.TRANSFER}),
)
PROJECT_MEMBERS = View(
    Service.METADATA,
    "project_members",
    {"project_id": UUID, "user_id": UUID},
    readers=frozenset({Service.REGISTRY, Service.SCHEDULER}),
)
# Deleted projects included: deleting a private project opens nothing. Read through libs/common/visible.py.
SESSION_AUDIENCE = View(
    Service.METADATA, "session_audience", {"session_id": UUID, "project_id": UUID, "is_private": BOOLEAN}
)
SUBJECT_AUDIENCE = View(
    Service.METADATA, "subject_audience", {"subject_id": UUID, "project_id": UUID, "is_private": BOOLEAN}
)
# Grows with what changes who sees what.
RIGHTS_CHANGES = View(
    Service.METADATA, "rights_changes", {"seq": BIGINT}, readers=frozenset({Service.REGISTRY})
)
SUBJECTS = View(
    Service.METADATA,
    "subjects",
    {
        "id": UUID,
        "nickname": TEXT,
        "lab_id": UUID,
        "lab": TEXT,
        "responsible_user_id": UUID,
        "sex": TEXT,
        "description": TEXT,
        "birth_date": DATE,
        "death_date": DATE,
        "species_id": UUID,
        "strain_id": UUID,
        "source_id": UUID,
        "line_id": UUID,
        "litter_id": UUID,
        "json": JSON,
    },
)
ZYGOSITIES = View(
    Service.METADATA,
    "zygosities",
    {"subject_id": UUID, "allele_id": UUID, "zygosity": INTEGER},
    readers=frozenset({Service.REGISTRY, Service.SCHEDULER}),
)
SESSIONS = View(
    Service.METADATA,
    "sessions",
    {
        "id": UUID,
        "subject_id": UUID,
        "subject": TEXT,
        "lab_id": UUID,
        "lab": TEXT,
        "start_time": TEXT,  # as Alyx shows it
        "start_at": TIMESTAMP,
        "date": DATE,
        "number": INTEGER,
        "task_protocol": TEXT,
        "type": TEXT,
        "projects": TEXTS,
        "responsible_user_id": UUID,
        "created_at": TIMESTAMP,
        "procedures": TEXTS,
        "folder": TEXT,  # lab/Subjects/subject/date/number, as it is named now; the subject's lab if it has none
        "narrative": TEXT,
        "end_time": TEXT,  # as Alyx shows it
        "qc": INTEGER,
        "extended_qc": JSON,
        "n_trials": INTEGER,
        "n_correct_trials": INTEGER,
        "parent_session_id": UUID,
        "location_id": UUID,
        "auto_datetime": TIMESTAMP,
        "json": JSON,
    },
)
# Of merges that are not undone.
SESSION_MERGES = View(
    Service.METADATA,
    "session_merges",
    {"merge_id": UUID, "session_id": UUID, "into_id": UUID},
    readers=frozenset({Service.REGISTRY, Service.SCHEDULER}),
)
SESSION_USERS = View(
    Service.METADATA, "session_users", {"session_id": UUID, "user_id": UUID}, readers=_OF_LINKS
)
SESSION_PROCEDURES = View(
    Service.METADATA, "session_procedures", {"session_id": UUID, "procedure_id": UUID}, readers=_OF_LINKS
)
NOTES = View(
    Service.METADATA,
    "notes",
    {
        "id": UUID,
        "content_type": TEXT,
        "object_id": UUID,
        "user_id": UUID,
        "date_time": TEXT,  # as Alyx shows it
        "text": TEXT,
        "image_path": TEXT,
        "json": JSON,
    },
    readers=frozenset({Service.REGISTRY, Service.SCHEDULER}),
)
SESSION_PROJECTS = View(
    Service.METADATA,
    "session_projects",
    {"session_id": UUID, "project_id": UUID},
    readers=frozenset({Service.REGISTRY, Service.SCHEDULER}),
    former_readers=frozenset({Service.COMPRESSOR}),
)
INSERTIONS = View(
    Service.METADATA,
    "insertions",
    {
        "id": UUID,
        "session_id": UUID,
        "name": TEXT,
        "model": TEXT,  # part number
        "serial": TEXT,
        "auto_datetime": TIMESTAMP,
        "json": JSON,
    },
)
FIELDS_OF_VIEW = View(
    Service.METADATA,
    "fields_of_view",
    {
        "id": UUID,
        "session_id": UUID,
        "name": TEXT,
        "imaging_type": TEXT,
        "dataset_ids": UUIDS,  # null: the datasets in a collection whose second folder is its name
        "imaging_type_id": UUID,
        "json": JSON,
    },
    readers=frozenset({Service.REGISTRY, Service.SCHEDULER}),
)
BRAIN_REGIONS = View(
    Service.METADATA,
    "brain_regions",
    {
        "id": INTEGER,
        "acronym": TEXT,
        "name": TEXT,
        "position": INTEGER,  # in the order of the tree, a region before its parts
        "last": INTEGER,  # position of its last part
    },
    readers=frozenset({Service.REGISTRY}),
)
# Of channels of aligned trajectories, and of default locations of fields of view.
RECORDED_REGIONS = View(
    Service.METADATA,
    "recorded_regions",
    {
        "session_id": UUID,
        "name": TEXT,  # of the probe or the field of view
        "dataset_ids": UUIDS,  # null: the datasets in a collection whose second folder is that name
        "region_id": INTEGER,
    },
    readers=frozenset({Service.REGISTRY}),
)
