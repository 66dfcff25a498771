"""Fields of bodies that are columns of rows."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from pydantic import Field
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from libs.common.db.stored_fields import StoredFields
from libs.common.schemas.base import BodyRecord


class Base(DeclarativeBase):
    """Base of the table of this test."""


class SubjectRow(Base):
    """A row with columns that can and cannot be null."""

    __tablename__ = "subjects"
    nickname: Mapped[str] = mapped_column(primary_key=True)
    birth_date: Mapped[str | None]
    software_version: Mapped[str | None]
    n_pups: Mapped[int] = mapped_column(server_default="7")
    json: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class Body(BodyRecord):
    """A body with columns of the row, one of another name, and one reference."""

    not_null: ClassVar[tuple[str, ...]] = ("nickname",)
    nickname: str | None = None
    birth_date: str | None = None
    lab: str | None = None
    version: str | None = None
    n_pups: int | None = None
    json_: Any | None = Field(default=None, alias="json")


RENAMED = {"version": "software_version"}
STORED = StoredFields(Body, SubjectRow, handled={"lab"}, renamed=RENAMED)


def test_fields_that_a_body_sets_become_columns() -> None:
    body = Body.model_validate({"nickname": "KS001", "lab": "hilllab", "json": {"a": 1}})
    assert STORED.values(body) == {"nickname": "KS001", "json": {"a": 1}}


def test_a_renamed_field_is_stored_in_its_column() -> None:
    assert STORED.values(Body(version="1.2")) == {"software_version": "1.2"}


def test_null_clears_a_column_and_another_gets_its_default() -> None:
    body = Body.model_validate({"birth_date": None, "json": None, "n_pups": None})
    assert STORED.values(body) == {"birth_date": None, "json": None, "n_pups": 7}


def test_null_is_refused_where_a_body_declares_it() -> None:
    with pytest.raises(ValueError, match="This field may not be null"):
        Body.model_validate({"nickname": None})


def test_null_of_a_column_without_a_default_fails_when_the_module_is_imported() -> None:
    class Other(Body):
        not_null = ()

    with pytest.raises(TypeError, match="null clears nothing: nickname"):
        StoredFields(Other, SubjectRow, handled={"lab"}, renamed=RENAMED)


def test_a_field_that_nothing_stores_fails_when_the_module_is_imported() -> None:
    with pytest.raises(TypeError, match="SubjectRow has no column for lab of Body"):
        StoredFields(Body, SubjectRow, handled=(), renamed=RENAMED)


def test_a_handled_field_that_the_body_no_longer_has_fails_too() -> None:
    with pytest.raises(TypeError, match="Body has no field cage"):
        StoredFields(Body, SubjectRow, handled={"lab", "cage"}, renamed=RENAMED)


def test_a_renamed_field_that_the_body_no_longer_has_fails_too() -> None:
    with pytest.raises(TypeError, match="Body has no field release"):
        StoredFields(Body, SubjectRow, handled={"lab", "version"}, renamed={"release": "software_version"})
