"""Sessions, surgeries, restrictions and insertions, as Alyx's contract shapes them."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.bounded import Prose

QC_NAMES = {0: "NOT_SET", 10: "PASS", 30: "WARNING", 40: "FAIL", 50: "CRITICAL"}
QC_CODES = {name: code for code, name in QC_NAMES.items()}


def qc_code(value: object) -> object:
    """QC as a number, from its number or its name in any case; the rest is left for the validator to refuse.

    >>> qc_code("warning"), qc_code("30"), qc_code(30)
    (30, 30, 30)
    """
    if isinstance(value, str):
        number = value.isascii() and value.isdigit() and len(value) < 4
        return int(value) if number else QC_CODES.get(value.upper(), value)
    return value


def _known(code: int) -> int:
    if code not in QC_NAMES:
        raise ValueError(f"QC is one of {', '.join(QC_CODES)}")
    return code


Qc = Annotated[int, BeforeValidator(qc_code), AfterValidator(_known)]


def _whole_number(value: object) -> object:
    # Clients send a session's number as its folder writes it: "001".
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


Number = Annotated[int, BeforeValidator(_whole_number), Field(ge=0, le=999)]


class Session(Record):
    """A session, as in a list."""

    id: UUID
    subject: str
    start_time: str
    number: int | None
    lab: str | None
    projects: list[str]
    url: str
    task_protocol: str


class SessionDataset(Record):
    """A dataset within a session; `hash` is the MD5 that clients compare."""

    id: UUID
    name: str
    dataset_type: str
    data_url: str
    url: str
    file_size: int | None
    hash: str | None
    version: str | None
    collection: str
    revision: str
    default_revision: str = Field(description="the text True or False, as in Alyx")
    qc: str


class SessionWater(Record):
    """Water given in a session."""

    id: UUID
    name: str
    water_type: str | None
    water_administered: float | None


class Insertion(Record):
    """A probe in a session."""

    id: UUID
    session: UUID
    model: str | None
    session_info: Session
    name: str
    json_: Any | None = Field(alias="json")
    serial: str
    auto_datetime: str
    chronic_insertion: UUID | None = None
    datasets: list[Any]


class InsertionIn(BodyRecord):
    """A probe to create or update."""

    session: UUID | None = None
    model: str | None = None
    name: str | None = Field(default=None, min_length=1, max_length=255)
    serial: str | None = None
    json_: Any | None = Field(default=None, alias="json")


class SessionDetail(Record):
    """A session with all that hangs on it. Datasets without a copy on a server are left out."""

    subject: str
    users: list[str]
    location: str | None
    procedures: list[str]
    lab: str | None
    projects: list[str]
    type: str | None
    task_protocol: str
    number: int | None
    start_time: str
    end_time: str | None
    narrative: str
    parent_session: str | None
    n_correct_trials: int | None
    n_trials: int | None
    url: str
    extended_qc: Any | None
    qc: str
    wateradmin_session_related: list[SessionWater]
    data_dataset_session_related: list[SessionDataset]
    auto_datetime: str
    id: UUID
    json_: Any | None = Field(alias="json")
    probe_insertion: list[Insertion]
    field_of_view: list[Any]
    notes: list[Any]


class SessionIn(BodyRecord):
    """A session to create or update; absent fields keep their value."""

    subject: str | None = None
    users: list[str] | None = None
    location: str | None = None
    procedures: list[str] | None = None
    lab: str | None = None
    projects: list[str] | None = None
    type: str | None = None
    task_protocol: str | None = None
    number: Number | None = None
    start_time: str | None = None
    end_time: str | None = None
    narrative: Prose | None = None
    parent_session: str | None = None
    n_correct_trials: int | None = Field(default=None, ge=0)
    n_trials: int | None = Field(default=None, ge=0)
    extended_qc: Any | None = None
    qc: Qc | None = None
    json_: Any | None = Field(default=None, alias="json")


class WaterRestriction(Record):
    """A time in which an animal's water is limited."""

    id: UUID
    subject: str
    start_time: str
    end_time: str | None
    water_type: str | None
    reference_weight: float | None = Field(description="grams, implant included; null: not known")


class WaterRestrictionIn(BodyRecord):
    """A restriction to create or update (to end it: `end_time`)."""

    subject: str | None = None
    lab: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    reference_weight: float | None = Field(default=None, gt=0, allow_inf_nan=False, description="grams")
    water_type: str | None = None
    users: list[str] | None = None
    narrative: Prose | None = None


class Surgery(Record):
    """A surgery; relations as primary keys, as in Alyx."""

    id: UUID
    subject: str
    name: str
    json_: Any | None = Field(alias="json")
    narrative: str
    start_time: str | None
    end_time: str | None
    outcome_type: str | None
    implant_weight: float | None = Field(description="grams; null: not known")
    lab: UUID | None
    location: UUID | None
    users: list[UUID]
    procedures: list[UUID]


class SurgeryIn(BodyRecord):
    """A surgery to create or update; relations by name."""

    subject: str | None = None
    lab: str | None = None
    location: str | None = None
    users: list[str] | None = None
    procedures: list[str] | None = None
    narrative: Prose | None = None
    start_time: str | None = None
    end_time: str | None = None
    outcome_type: str | None = Field(
        default=None, pattern="^[arn]$", description="acute, recovery, non-recovery"
    )
    implant_weight: float | None = Field(default=None, ge=0, allow_inf_nan=False, description="grams")
    json_: Any | None = Field(default=None, alias="json")
