"""Labs, as in Alyx."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.names import NormalName
from libs.common.schemas.times import TimeZoneName


def _word(text: str) -> str:
    # A lab's name is a folder's name: clients find it by \w+ before the folder Subjects.
    if not text or not all(c.isalnum() or c == "_" for c in text):
        raise ValueError("only letters, digits and underscores: it is the name of a folder")
    return text


Word = Annotated[NormalName, AfterValidator(_word), Field(max_length=255)]


class Lab(Record):
    """A lab."""

    name: str
    institution: str
    address: str
    timezone: str
    repositories: list[str]
    reference_weight_pct: float
    zscore_weight_pct: float
    json_: Any | None = Field(alias="json")


class LabIn(BodyRecord):
    """A lab to create or update."""

    needed_by_put: ClassVar[tuple[str, ...]] = ("name",)
    not_blank: ClassVar[tuple[str, ...]] = ("name", "timezone")
    not_null: ClassVar[tuple[str, ...]] = (
        "institution",
        "address",
        "repositories",
        "reference_weight_pct",
        "zscore_weight_pct",
    )
    name: Word | None = None
    institution: str | None = None
    address: str | None = None
    timezone: TimeZoneName | None = None
    repositories: list[str] | None = None
    reference_weight_pct: float | None = Field(default=None, ge=0, le=1)
    zscore_weight_pct: float | None = Field(default=None, ge=0, le=1)
    json_: Any | None = Field(default=None, alias="json")
