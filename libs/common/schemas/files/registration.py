"""Registration of files."""

from __future__ import annotations

from typing import Annotated, TypeVar
from uuid import UUID

from pydantic import UUID4, BeforeValidator, Field

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.files.values import Md5, Names, SizeBytes, one_or_many
from libs.common.schemas.qc import Qc

T = TypeVar("T")
MOST_FILES = 5_000
OfEachFile = Annotated[
    Annotated[list[T | None], Field(max_length=MOST_FILES)] | None, BeforeValidator(one_or_many)
]


class RegisterFiles(BodyRecord):
    """Files of one session (or of another object) that exist or are expected.

    path       subject/date/number[/collection[/#revision#]]; file names may contain folders too
    hashes     MD5 of each file, in order; null: unknown, so the bytes count as new
    filesizes  bytes of each file, in order
    versions   of each file, in order, or one for all; the same for `qc`
    name       the repository that has the files; with `server_only` all servers have them
    default    these revisions become the default ones
    """

    path: str
    filenames: Names = Field(max_length=MOST_FILES)
    created_by: str | None = None
    name: str | None = None
    hostname: str | None = None
    hashes: OfEachFile[Md5] = None
    filesizes: OfEachFile[SizeBytes] = None
    versions: OfEachFile[str] = None
    qc: OfEachFile[Qc] = None
    labs: Names | None = None
    projects: Names | None = Field(default=None, description="old name of `labs`")
    exists: bool = True
    server_only: bool = False
    default: bool = True
    check_protected: bool = False
    content_type: str | None = None
    object_id: UUID | None = None
    import_ids: OfEachFile[UUID4] = Field(
        default=None,
        description="ours: the ids of new datasets, which they have on the server that they come from",
    )


class RegisteredFileRecord(Record):
    """A copy in the response to a registration."""

    id: UUID
    data_repository: str
    relative_path: str
    exists: bool


class RegisteredDataset(Record):
    """A dataset as registered; `qc` is a number here, as in Alyx. It has fields of its session, or of its object."""

    id: UUID
    name: str
    file_size: int | None
    created_by: str | None
    created_datetime: str
    dataset_type: str
    data_format: str
    collection: str
    revision: str = Field(description="empty: none")
    default: bool
    qc: int
    subject: str | None = None
    session: UUID | None = None
    session_number: int | None = None
    session_users: str = ""
    session_start_time: str | None = None
    content_type: str | None = None
    object_id: UUID | None = None
    file_records: list[RegisteredFileRecord]


class ProtectedFiles(Record):
    """Whether files are protected: `details` has {file: [{revision: protected}, … newest first]}."""

    status_code: int
    error: str | None = None
    details: list[dict[str, list[dict[str, bool]]]]
