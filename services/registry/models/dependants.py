"""What is deleted with what, and what refuses or stays: docs/decisions/0010-deletes-and-undo.md.

Only datasets are deleted softly. Rows of vocabularies are moved away with their links, and moved back by an undo.
"""

from __future__ import annotations

from typing import Final

from libs.common.db.dependants import Dependants, cascades, keeps, refuses
from services.registry.models.copies import CopyRow
from services.registry.models.data_notices import DataNoticeRow
from services.registry.models.datasets import DatasetRow, DatasetTagRow
from services.registry.models.repositories import RepositoryRow, RepositoryTypeRow
from services.registry.models.vocabularies import DatasetTypeRow, FormatRow, RevisionRow, TagRow

DEPENDANTS: Final = Dependants(
    {
        FormatRow: "data-format",
        DatasetTypeRow: "dataset-type",
        RevisionRow: "revision",
        TagRow: "tag",
        RepositoryTypeRow: "repository-type",
        RepositoryRow: "data-repository",
        DatasetRow: "dataset",
        DatasetTagRow: "tag-of-a-dataset",
        DataNoticeRow: "data-notice",
    },
    cascades(DatasetTagRow.tag_id),
    keeps(DatasetTagRow.dataset_id, reason="a dataset that is restored has its tags again"),
    refuses(DatasetRow.dataset_type_id, "It is in use: datasets are of this type, also deleted ones."),
    refuses(DatasetRow.format_id, "It is in use: datasets have this format, also deleted ones."),
    refuses(CopyRow.repository_id, "It is in use: it has, or had, copies of datasets."),
    refuses(RepositoryRow.repository_type_id, "It is in use: repositories are of this type."),
)
