"""Fields of bodies that are columns of rows."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import Field

from libs.common.schemas.base import BodyRecord
from services.metadata.models import SubjectRow
from services.metadata.models.stored_fields import StoredFields


class Body(BodyRecord):
    """A body with columns of subjects, and one reference."""

    nickname: str | None = None
    birth_date: str | None = None
    lab: str | None = None
    json_: Any | None = Field(default=None, alias="json")


STORED = StoredFields(Body, SubjectRow, handled={"lab"})


def test_fields_that_a_body_sets_become_columns() -> None:
    body = Body.model_validate({"nickname": "KS001", "lab": "hilllab", "json": {"a": 1}})
    assert STORED.values(body) == {"nickname": "KS001", "json": {"a": 1}}


def test_null_clears_a_column_that_can_be_null_and_is_ignored_elsewhere() -> None:
    body = Body.model_validate({"nickname": None, "birth_date": None, "json": None})
    assert STORED.values(body) == {"birth_date": None, "json": None}


def test_a_field_that_nothing_stores_fails_when_the_module_is_imported() -> None:
    with pytest.raises(TypeError, match="SubjectRow has no column for lab of Body"):
        StoredFields(Body, SubjectRow, handled=())


def test_a_handled_field_that_the_body_no_longer_has_fails_too() -> None:
    with pytest.raises(TypeError, match="Body has no field cage"):
        StoredFields(Body, SubjectRow, handled={"lab", "cage"})
