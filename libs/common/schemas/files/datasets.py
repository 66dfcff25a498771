"""Datasets, as Alyx shows them."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.files.values import Md5, SizeBytes
from libs.common.schemas.qc import Qc
from libs.common.schemas.sessions import Number


class FileOfDataset(Record):
    """A copy of a dataset's current version, within the dataset."""

    id: UUID
    data_repository: str
    data_repository_path: str
    relative_path: str
    data_url: str | None = Field(description="null: the repository serves no files")
    exists: bool = Field(description="verified, or claimed where nothing can be verified")


class Dataset(Record):
    """A dataset; `hash` is the MD5 that clients compare."""

    id: UUID
    url: str
    name: str
    created_by: str | None
    created_datetime: str
    dataset_type: str
    data_format: str
    collection: str | None
    session: str | None
    file_size: int | None
    hash: str = Field(description="empty: unknown")
    version: str
    experiment_number: int | None
    file_records: list[FileOfDataset]
    subject: str | None
    date: str | None
    number: int | None
    auto_datetime: str
    revision: str = Field(description="empty: none")
    default_dataset: bool
    protected: bool
    public: bool
    tags: list[str]
    qc: str
    json_: Any | None = Field(alias="json")
    content_type: str | None = Field(description="of the object that a dataset without a session belongs to")
    object_id: UUID | None
    doubts: list[str] = Field(
        description="ours: claims of a companion (size, channels, duration, hashes) that the recording contradicts"
    )


class DatasetIn(BodyRecord):
    """Fields of a dataset to create or update, without any copy; absent fields keep their value."""

    needed_by_put: ClassVar[tuple[str, ...]] = ("name", "dataset_type")
    not_blank: ClassVar[tuple[str, ...]] = ("name", "dataset_type", "data_format", "qc")
    not_null: ClassVar[tuple[str, ...]] = ("tags", "default_dataset")
    name: str | None = None
    created_by: str | None = None
    created_datetime: str | None = Field(default=None, description="without an offset: UTC")
    dataset_type: str | None = None
    data_format: str | None = None
    collection: str | None = None
    session: str | None = Field(default=None, description="URL or id; or set subject, date and number")
    subject: str | None = None
    date: str | None = None
    number: Number | None = None
    content_type: str | None = Field(
        default=None, description="of a dataset without a session: subject, project, …"
    )
    object_id: UUID | None = None
    file_size: SizeBytes | None = None
    hash: Md5 | None = None
    version: str | None = None
    revision: str | None = None
    default_dataset: bool | None = None
    tags: list[str] | None = None
    qc: Qc | None = None
    json_: Any | None = Field(default=None, alias="json")
