"""Releases: exact versions of datasets, published together. Ours, not Alyx's."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from libs.common.schemas.base import BodySchema, Schema
from libs.common.schemas.bounded import Prose
from libs.common.schemas.release_keys import Reason

ReleaseName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*([._-][a-z0-9]+)*$", max_length=100)]
Doi = Annotated[str, StringConstraints(pattern=r"^10\.\d{4,9}/\S+$", max_length=200)]


class ReleaseState(StrEnum):
    """Where a release stands."""

    DRAFT = "draft"  # its datasets change with new versions
    CHECKED = "checked"  # its versions are fixed, protected, and listed in the manifest
    EMBARGOED = "embargoed"  # signed; public from a time on
    PUBLIC = "public"
    WITHDRAWN = "withdrawn"  # only its record and the reason remain


class MissingKind(StrEnum):
    """What a session lacks before it can be released."""

    DELETED = "deleted"  # a dataset was deleted
    UNREAD = "unread"  # the SHA-256 of a version is not known
    COPIES = "copies"  # fewer verified copies than required
    PRIVATE = "private-project"  # public readers would not see it
    CONSENT = "consent"  # of a user of the session
    CONSENT_LEFT = "consent-left"  # of one without an account now; can be accepted
    HIDDEN = "hidden"  # from the creator of the draft, since it was made
    QC = "qc"  # not set, or not good enough; can be accepted


class Author(BodySchema):
    """An author as repositories list them."""

    name: str = Field(min_length=1, max_length=200, description="Family, Given", examples=["Hubel, David"])
    orcid: Annotated[str, StringConstraints(pattern=r"^(\d{4}-){3}\d{3}[\dX]$")] | None = None
    affiliation: str | None = Field(default=None, max_length=300)


class ReleaseChange(BodySchema):
    """What can change of a release in any state; absent fields keep their value."""

    title: str | None = Field(default=None, min_length=1, max_length=500)
    description: Prose | None = None
    authors: list[Author] | None = None
    license: str | None = Field(
        default=None, max_length=100, description="SPDX identifier", examples=["CC-BY-4.0"]
    )
    doi: Doi | None = Field(
        default=None, description="as registered by the repository", examples=["10.5281/zenodo.1"]
    )


class DatasetChoice(BodySchema):
    """Datasets, the default revisions of sessions, all that has a tag, and what a search finds; they add up."""

    datasets: list[UUID] = Field(default=[], max_length=5_000)
    sessions: list[UUID] = Field(default=[], max_length=5_000)
    tag: str | None = None
    search: dict[str, str] | None = Field(
        default=None,
        description="parameters of `GET /datasets`, by name",
        examples=[{"project": "maze", "collection": "alf", "default": "true"}],
    )


class RemovedDatasets(BodySchema):
    """Datasets, and all those of sessions."""

    datasets: list[UUID] = Field(default=[], max_length=5_000)
    sessions: list[UUID] = Field(default=[], max_length=5_000)


class DraftDatasetsIn(BodySchema):
    """What a draft gets, and what is taken out of it."""

    add: DatasetChoice = DatasetChoice()
    remove: RemovedDatasets = RemovedDatasets()


class ReleaseIn(DatasetChoice):
    """A draft, and what is in it."""

    name: ReleaseName = Field(description="part of its addresses", examples=["paper-2026"])
    title: str = Field(min_length=1, max_length=500)
    description: Prose = ""
    authors: list[Author] = Field(default=[])
    license: str = Field(default="", max_length=100, description="SPDX identifier", examples=["CC-BY-4.0"])


class CheckIn(BodySchema):
    """The request to check a draft."""

    accept: list[MissingKind] = Field(default=[], description="what may be missing: `qc`, `consent-left`")


class PublishIn(BodySchema):
    """The request to publish a checked release."""

    signature: str = Field(max_length=10_000, description="text of `manifest.json.minisig`")
    embargo_until: AwareDatetime | None = Field(
        default=None, description="public from then on; now if absent"
    )


class WithdrawIn(BodySchema):
    """The request to withdraw a release."""

    reason: Reason = Field(description="public if the release was")


class Release(Schema):
    """A release without its datasets."""

    name: str
    title: str
    description: str
    authors: list[dict[str, Any]]
    license: str
    doi: str | None
    state: ReleaseState
    created_by: str | None
    created_at: datetime
    checked_at: datetime | None
    public_from: datetime | None = Field(description="end of the embargo")
    withdrawn_at: datetime | None
    withdrawn_reason: str | None
    root: str | None = Field(description="Merkle root of the manifest")
    datasets: int
    sessions: int
    size_bytes: int | None = Field(description="of all datasets; null while the size of one is not known")
    key_id: str | None = Field(description="of the key that signed it")


class Missing(Schema):
    """What is missing, with the next step."""

    kind: MissingKind
    text: str
    is_accepted: bool


class SessionReadiness(Schema):
    """What one session of a release lacks; null: datasets without a session."""

    session: UUID | None
    folder: str
    datasets: int
    missing: list[Missing]


class Readiness(Schema):
    """Whether a release can be checked, and what each session lacks."""

    is_ready: bool
    copies: int = Field(description="verified copies that each dataset needs")
    sessions: list[SessionReadiness]
