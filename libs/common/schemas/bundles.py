"""Bundles: many small files in one request."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodySchema, Schema
from libs.common.schemas.uploads import Sha256

LARGEST_BUNDLED = 8 * 2**20


class BundledIn(BodySchema):
    """One file of a bundle; the bytes follow in the order of the list."""

    size_bytes: int = Field(ge=0, le=LARGEST_BUNDLED, description="larger files are sent by parts")
    sha256: Sha256
    copy_id: UUID | None = None
    job_id: UUID | None = None
    token: int | None = Field(default=None, ge=0, lt=2**63)
    name: str = Field(default="", max_length=1_000)


class BundleIn(BodySchema):
    """The first line of a bundle's body: the files whose bytes follow."""

    files: list[BundledIn] = Field(max_length=10_000, description="at most 5,000")


class Bundled(Schema):
    """A file of a bundle that has landed."""

    id: UUID
    sha256: str
    size_bytes: int


class Bundle(Schema):
    """The stored files of a bundle, in its order."""

    uploads: list[Bundled]
