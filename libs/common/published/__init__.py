"""Published views: the contract between services.

A view is declared in the module of its owner (name, version, columns, readers), listed here, and filled by its owner
(`PUBLISHED` in its models). Columns are only ever added, at the end; a view goes to `RETIRED` one version after its
last reader. Until the owner has migrated, an empty stand-in with the same columns replaces it, and a view that an
older owner filled has the newer columns as nulls, or renamed ones with their values, so each service starts alone.
Neighbours read `table(view)` in their `queries`, nowhere else.
"""

from collections.abc import Mapping
from typing import Final

from libs.common.catalogue import Service
from libs.common.published import compressor, metadata, registry, scheduler, transfer
from libs.common.published.compressor import RECORDINGS
from libs.common.published.events import EVENTS
from libs.common.published.metadata import (
    BRAIN_REGIONS,
    BROWSER_SESSIONS,
    FIELDS_OF_VIEW,
    INSERTIONS,
    LAB_REPOSITORIES,
    LABS,
    LINES,
    LITTERS,
    LOCATIONS,
    MEMBERSHIPS,
    NOTES,
    PROJECT_MEMBERS,
    PROJECTS,
    RECORDED_REGIONS,
    RIGHTS_CHANGES,
    SESSION_AUDIENCE,
    SESSION_MERGES,
    SESSION_PROCEDURES,
    SESSION_PROJECTS,
    SESSION_USERS,
    SESSIONS,
    SUBJECT_AUDIENCE,
    SUBJECTS,
    TERMS,
    TOKENS,
    USERNAMES,
    USERS,
    ZYGOSITIES,
)
from libs.common.published.registry import (
    COPIES,
    DATA_FORMATS,
    DATA_NOTICE_DATASETS,
    DATA_NOTICE_READERS,
    DATA_NOTICES,
    DATASET_TAGS,
    DATASET_TYPES,
    DATASETS,
    DOWNLOADS,
    REPOSITORIES,
    REPOSITORY_TYPES,
    REVISIONS,
    SERVED_DATASETS,
    SESSION_DATASET_TYPES,
    TAGS,
)
from libs.common.published.scheduler import ATTEMPTS, JOBS
from libs.common.published.transfer import UPLOADS
from libs.common.published.view import View, alias, table

__all__ = [
    "ATTEMPTS",
    "BRAIN_REGIONS",
    "BROWSER_SESSIONS",
    "COPIES",
    "DATASETS",
    "DATASET_TAGS",
    "DATASET_TYPES",
    "DATA_FORMATS",
    "DATA_NOTICES",
    "DATA_NOTICE_DATASETS",
    "DATA_NOTICE_READERS",
    "DOWNLOADS",
    "EVENTS",
    "FIELDS_OF_VIEW",
    "INSERTIONS",
    "JOBS",
    "LABS",
    "LAB_REPOSITORIES",
    "LINES",
    "LITTERS",
    "LOCATIONS",
    "MEMBERSHIPS",
    "NOTES",
    "PROJECTS",
    "PROJECT_MEMBERS",
    "RECORDED_REGIONS",
    "RECORDINGS",
    "REPOSITORIES",
    "REPOSITORY_TYPES",
    "RETIRED",
    "REVISIONS",
    "RIGHTS_CHANGES",
    "SERVED_DATASETS",
    "SESSIONS",
    "SESSION_AUDIENCE",
    "SESSION_DATASET_TYPES",
    "SESSION_MERGES",
    "SESSION_PROCEDURES",
    "SESSION_PROJECTS",
    "SESSION_USERS",
    "SUBJECTS",
    "SUBJECT_AUDIENCE",
    "TAGS",
    "TERMS",
    "TOKENS",
    "UPLOADS",
    "USERNAMES",
    "USERS",
    "VIEWS",
    "ZYGOSITIES",
    "View",
    "alias",
    "table",
]

VIEWS: Final[tuple[View, ...]] = (
    *(
        view
        for owner in (metadata, registry, transfer, scheduler, compressor)
        for view in vars(owner).values()
        if isinstance(view, View)
    ),
    *EVENTS.values(),
)
RETIRED: Final[Mapping[Service, tuple[str, ...]]] = {
    Service.METADATA: ("published_project_users_v1", "published_procedures_v1"),
}
"""Views of earlier versions that no version still in use reads: their owner's upgrade drops them."""
