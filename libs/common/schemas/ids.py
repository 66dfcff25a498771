"""Typed ids. All are UUID version 4, since the ONE client refuses others."""

from __future__ import annotations

from typing import NewType
from uuid import UUID

UserId = NewType("UserId", UUID)
LabId = NewType("LabId", UUID)
ProjectId = NewType("ProjectId", UUID)
SubjectId = NewType("SubjectId", UUID)
SessionId = NewType("SessionId", UUID)
TokenId = NewType("TokenId", UUID)
RepositoryId = NewType("RepositoryId", UUID)
DatasetId = NewType("DatasetId", UUID)
VersionId = NewType("VersionId", UUID)
CopyId = NewType("CopyId", UUID)
UploadId = NewType("UploadId", UUID)
JobId = NewType("JobId", UUID)
WorkerId = NewType("WorkerId", UUID)
EventId = NewType("EventId", UUID)
