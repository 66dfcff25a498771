"""The tables of registry, and what neighbours may see of them."""

from services.registry.models.base import Base
from services.registry.models.datasets import (
    CopyRow,
    DatasetRow,
    DatasetTagRow,
    DownloadRow,
    NoticeRow,
    PublicationRow,
    RevisionRow,
    TagRow,
    VersionRow,
)
from services.registry.models.published import PUBLISHED
from services.registry.models.repositories import DatasetTypeRow, FormatRow, RepositoryRow, RepositoryTypeRow

__all__ = [
    "PUBLISHED",
    "Base",
    "CopyRow",
    "DatasetRow",
    "DatasetTagRow",
    "DatasetTypeRow",
    "DownloadRow",
    "FormatRow",
    "NoticeRow",
    "PublicationRow",
    "RepositoryRow",
    "RepositoryTypeRow",
    "RevisionRow",
    "TagRow",
    "VersionRow",
]
