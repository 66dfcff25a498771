"""Vocabularies of files: formats, dataset types, revisions and tags."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.names import FolderName, NormalName


class DataFormat(Record):
    """A file format, identified by its extension."""

    id: UUID
    json_: Any | None = Field(alias="json")
    name: str
    description: str
    file_extension: str
    matlab_loader_function: str
    python_loader_function: str


class DataFormatIn(BodyRecord):
    """Fields of a file format to create or update."""

    needed_by_put: ClassVar[tuple[str, ...]] = ("name", "file_extension")
    not_blank: ClassVar[tuple[str, ...]] = ("name", "file_extension")
    not_null: ClassVar[tuple[str, ...]] = ("description", "matlab_loader_function", "python_loader_function")
    name: NormalName | None = Field(default=None, min_length=1, max_length=255)
    description: str | None = Field(default=None, max_length=255)
    file_extension: str | None = Field(default=None, pattern=r"^\.[^.]+$", max_length=255)
    matlab_loader_function: str | None = Field(default=None, max_length=255)
    python_loader_function: str | None = Field(default=None, max_length=255)
    json_: Any | None = Field(default=None, alias="json")


class DatasetType(Record):
    """What a file contains, matched by a pattern of its name."""

    id: UUID
    name: str
    created_by: str | None
    description: str
    filename_pattern: str = Field(description="empty: the name must be object.attribute; never null")
    needs_review: bool = Field(description="a registration created it, and no administrator has confirmed it")


class DatasetTypeIn(BodyRecord):
    """Fields of a dataset type to create or update."""

    not_blank: ClassVar[tuple[str, ...]] = ("name",)
    not_null: ClassVar[tuple[str, ...]] = ("description", "needs_review")
    name: NormalName | None = Field(default=None, min_length=1, max_length=255)
    description: str | None = Field(default=None, max_length=1023)
    filename_pattern: str | None = Field(default=None, max_length=255)
    created_by: str | None = None
    needs_review: bool | None = Field(default=None, description="false confirms a type")


class Revision(Record):
    """A named revision."""

    id: UUID
    json_: Any | None = Field(alias="json")
    name: str
    description: str
    created_datetime: str


class RevisionIn(BodyRecord):
    """Fields of a revision to create or update."""

    not_blank: ClassVar[tuple[str, ...]] = ("name",)
    not_null: ClassVar[tuple[str, ...]] = ("description",)
    name: FolderName | None = Field(default=None, max_length=255)
    description: str | None = Field(default=None, max_length=1023)
    created_datetime: str | None = Field(default=None, description="without an offset: UTC")
    json_: Any | None = Field(default=None, alias="json")


class Tag(Record):
    """A tag on datasets."""

    id: UUID
    json_: Any | None = Field(alias="json")
    name: str
    description: str
    protected: bool = Field(description="its datasets can be neither overwritten nor deleted")
    public: bool = Field(description="public readers see its datasets")
    hash: str | None = Field(
        description="of the ids of its datasets that the caller may see; null if there are none"
    )


class TagIn(BodyRecord):
    """Fields of a tag to create or update."""

    not_blank: ClassVar[tuple[str, ...]] = ("name",)
    not_null: ClassVar[tuple[str, ...]] = ("description", "protected", "public")
    name: NormalName | None = Field(default=None, min_length=1, max_length=255)
    description: str | None = Field(default=None, max_length=1023)
    protected: bool | None = None
    public: bool | None = None
    hash: str | None = Field(default=None, description="as shown: it follows from the datasets of the tag")
    json_: Any | None = Field(default=None, alias="json")
