"""Tables of registry, and the definitions of its published views."""

from typing import Final

from services.registry.models.base import Base
from services.registry.models.copies import CopyRow
from services.registry.models.data_notices import DataNoticeDatasetRow, DataNoticeRow
from services.registry.models.datajoint import DatajointGrantRow, DatajointStateRow, DatajointValueRow
from services.registry.models.datajoint_rights import after_views
from services.registry.models.datasets import DatasetRow, DatasetTagRow, VersionRow
from services.registry.models.downloads import DownloadProjectRow, DownloadRow
from services.registry.models.exports import ChecksumRow, ExportDocumentRow, ExportFileRow, ExportRow
from services.registry.models.publications import PublicationRow
from services.registry.models.published import PUBLISHED
from services.registry.models.release_reads import ReleaseReadRow
from services.registry.models.releases import (
    ReleaseConsentRow,
    ReleaseDatasetRow,
    ReleaseKeyRow,
    ReleaseLinkRow,
    ReleaseRow,
)
from services.registry.models.repositories import RepositoryRow, RepositoryTypeRow
from services.registry.models.vocabularies import (
    DatasetTypeRow,
    FormatRow,
    RevisionRow,
    ShippedTermRow,
    TagRow,
)

# No longer used. They stay in the database, since pods of the version before read and write them during an upgrade.
RETIRED: Final = frozenset({"notices", "datasets.doubts"})

__all__ = [
    "PUBLISHED",
    "RETIRED",
    "Base",
    "ChecksumRow",
    "CopyRow",
    "DataNoticeDatasetRow",
    "DataNoticeRow",
    "DatajointGrantRow",
    "DatajointStateRow",
    "DatajointValueRow",
    "DatasetRow",
    "DatasetTagRow",
    "DatasetTypeRow",
    "DownloadProjectRow",
    "DownloadRow",
    "ExportDocumentRow",
    "ExportFileRow",
    "ExportRow",
    "FormatRow",
    "PublicationRow",
    "ReleaseConsentRow",
    "ReleaseDatasetRow",
    "ReleaseKeyRow",
    "ReleaseLinkRow",
    "ReleaseReadRow",
    "ReleaseRow",
    "RepositoryRow",
    "RepositoryTypeRow",
    "RevisionRow",
    "ShippedTermRow",
    "TagRow",
    "VersionRow",
    "after_views",
]
