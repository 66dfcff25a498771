"""Exports: datasets in one zip that opens without a server. Ours, not Alyx's."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from libs.common.schemas.base import BodySchema, Schema
from libs.common.schemas.releases import ReleaseName

ExportName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$")]


class ExportIn(BodySchema):
    """What to export: the datasets of these sessions, of those the ones that match the search; or a release."""

    name: ExportName | None = Field(
        default=None,
        description="name of the zip; default: `export-` with the date",
        examples=["my-figure-2"],
    )
    sessions: list[UUID] | None = Field(
        default=None, max_length=5_000, description="ids of sessions; without them, the search alone decides"
    )
    search: dict[str, str] | None = Field(
        default=None,
        description="parameters of `GET /datasets`, by name",
        examples=[{"subject": "KS022", "collection": "alf"}],
    )

    release: ReleaseName | None = Field(
        default=None, description="name of a release; then the others must be absent", examples=["paper-2026"]
    )


class LeftOutDataset(Schema):
    """A dataset that matches and is not in the zip."""

    dataset: UUID
    path: str
    reason: str


class Export(Schema):
    """A zip of exact versions of datasets."""

    id: UUID
    name: str
    url: str = Field(description="address of the zip, which can be downloaded in ranges")
    size_bytes: int = Field(description="of the zip")
    n_files: int
    n_sessions: int
    created_at: datetime
    expires_at: datetime | None = Field(description="null for that of a release, which does not expire")
    n_left_out: int = Field(description="datasets that match and are not in the zip")
    left_out: list[LeftOutDataset] = Field(
        description="the first thousand of them; README.txt in the zip lists all"
    )
