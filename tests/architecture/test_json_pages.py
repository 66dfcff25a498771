"""Lists whose JSON the database builds show the fields of their schema, in its order."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel

from libs.common.schemas.files.datasets import Dataset
from libs.common.schemas.insertions import Insertion
from libs.common.schemas.sessions import Session
from libs.common.schemas.tasks import Task
from libs.common.visibility import system_visibility
from services.metadata.queries.insertions import select_listed
from services.metadata.queries.sessions import select_sessions
from services.registry.queries.dataset_pages import select_rows
from services.scheduler.queries.tasks import select_rows as select_tasks

IDS = sa.select(sa.column("id")).subquery()
LISTS = [
    (select_sessions, Session),
    (lambda visibility: select_listed(visibility, IDS), Insertion),
    (lambda _visibility: select_tasks(IDS), Task),
    (lambda _visibility: select_rows(), Dataset),
]


@pytest.mark.parametrize(("select", "schema"), LISTS, ids=[schema.__name__ for _, schema in LISTS])
def test_the_columns_of_a_json_page_are_the_fields_of_its_schema(
    select: Any, schema: type[BaseModel]
) -> None:
    statement: sa.Select[Any] = select(system_visibility())
    fields = [field.alias or name for name, field in schema.model_fields.items()]
    assert [column.name for column in statement.selected_columns] == fields
