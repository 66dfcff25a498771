"""Rules of tasks: jobs as Alyx's clients change them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from libs.common.problem import BadRequest
from libs.common.schemas.tasks import Task, TaskIn

COMPARED = frozenset(
    {"session", "name", "arguments", "parents"}
)  # fields of a body that the task is compared with
FIXED = ["It cannot be changed: create another task."]
DERIVED = ["It cannot be changed: the task is derived from the files of its session."]


def check_fixed_fields(task: Task, body: TaskIn, *, is_derived: bool) -> None:
    """Raises BadRequest for a change of what a task is for; sending back what it shows is no change.

    task   as it is shown before the change
    """
    texts = {"session": FIXED} | (dict.fromkeys(("name", "arguments"), DERIVED) if is_derived else {})
    changed = {
        name: text
        for name, text in texts.items()
        if name in body.model_fields_set and getattr(body, name) != getattr(task, name)
    }
    if task.id in (body.parents or []):
        changed["parents"] = ["A task cannot be its own parent."]
    if changed:
        raise BadRequest(fields=changed)


def arguments_text(arguments: Mapping[str, Any] | None) -> str:
    """A legacy task's arguments as the unique key compares them.

    >>> arguments_text({"b": 1, "a": 2}), arguments_text(None)
    ('{"a": 2, "b": 1}', '')
    """
    return json.dumps(arguments, sort_keys=True) if arguments else ""
