"""Repositories and their types."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import AfterValidator, Field

from cingulum.stores import StoreKind
from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.files.values import check_host_name
from libs.common.schemas.names import FolderName, NormalName
from libs.common.schemas.times import TimeZoneName


class RepositoryType(Record):
    """A type of repository."""

    url: str
    name: str
    json_: Any | None = Field(alias="json")


class Repository(Record):
    """A location of files."""

    name: str
    timezone: str
    globus_path: str
    hostname: str
    data_url: str | None = Field(description="URL below which it serves files; null: it serves none")
    repository_type: str | None
    globus_endpoint_id: UUID | None
    globus_is_personal: bool | None
    json_: Any | None = Field(alias="json")
    store: StoreKind | None = Field(
        description="local, s3: the central store; agent: a lab folder that an agent reads; null: unmanaged"
    )


class RepositoryIn(BodyRecord):
    """Fields of a repository to create or update; absent fields keep their value."""

    needed_by_put: ClassVar[tuple[str, ...]] = ("name",)
    not_blank: ClassVar[tuple[str, ...]] = ("name", "timezone")
    not_null: ClassVar[tuple[str, ...]] = ("globus_path", "hostname")
    name: FolderName | None = Field(default=None, max_length=255)
    timezone: TimeZoneName | None = None
    globus_path: str | None = Field(default=None, max_length=1000)
    hostname: Annotated[str, AfterValidator(check_host_name)] | None = Field(default=None, max_length=200)
    data_url: str | None = Field(default=None, max_length=200)
    repository_type: str | None = None
    globus_endpoint_id: UUID | None = None
    globus_is_personal: bool | None = None
    json_: Any | None = Field(default=None, alias="json")
    store: StoreKind | None = None


class RepositoryTypeIn(BodyRecord):
    """Fields of a type of repository to create or update."""

    needed_by_put: ClassVar[tuple[str, ...]] = ("name",)
    not_blank: ClassVar[tuple[str, ...]] = ("name",)
    name: NormalName | None = Field(default=None, min_length=1, max_length=255)
    json_: Any | None = Field(default=None, alias="json")
