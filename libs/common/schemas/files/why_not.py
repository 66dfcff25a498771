"""Why a dataset of a session cannot be loaded, or a session not be written as NWB. Ours, not Alyx's."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import Schema


class WhyNotReason(Schema):
    """One reason, and what to do about it."""

    slug: str = Field(description="documented and stable", examples=["not-arrived"])
    sentence: str
    next_step: str = Field(description="empty where nothing is to be done")
    path: str = Field(
        description="of the file, below the session; empty where it is about no registered file"
    )
    blocks: bool = Field(description="false: worth knowing, but the dataset loads all the same")
    facts: dict[str, Any]


class WhyNot(Schema):
    """Whether a dataset loads for the caller, or an NWB file can be written, and why; reasons that block come first."""

    session: UUID
    dataset: str | None = Field(description="null with `as=nwb`")
    loads: bool = Field(description="with `as=nwb`: whether a file can be written")
    reasons: list[WhyNotReason]
