"""The filters of the lists of jobs and tasks."""

from __future__ import annotations

from typing import Annotated

import sqlalchemy as sa

from libs.common.filters.list_filters import FreeFilter, ListFilters, Where, parameter
from libs.common.filters.parameters import Parsed, Text, UuidText, WholeNumber
from libs.common.published import REPOSITORIES, SESSIONS, table
from libs.common.schemas.states import JobState
from services.scheduler.domain.steering import parse_status
from services.scheduler.models import JobRow
from services.scheduler.queries.django_filters import tasks

SESSION, REPOSITORY = table(SESSIONS), table(REPOSITORIES)


def parse_state(text: str) -> JobState:
    """A state by its name. Raises ValueError."""
    try:
        return JobState(text)
    except ValueError:
        raise ValueError(f"'{text}' is not one of {', '.join(JobState)}.") from None


def _has_status(status: JobState) -> sa.ColumnElement[bool]:
    """The states that Alyx shows under the same name."""
    return JobRow.state.in_([state.value for state in JobState if state.alyx_name == status.alyx_name])


class JobFilters(ListFilters):
    """Filters of the list of jobs."""

    state: Annotated[JobState, Parsed(parse_state), Where(lambda state: JobRow.state == state)] = parameter(
        f"One of {', '.join(JobState)}."
    )
    session: Annotated[UuidText, Where(lambda session_id: JobRow.session_id == session_id)] = parameter(
        "Id or URL of a session."
    )
    task: Annotated[Text, Where(lambda name: JobRow.task == name)] = parameter("Name of a task.")
    lab: Annotated[Text, Where(lambda name: SESSION.c.lab == name)] = parameter("Name of the session's lab.")


class TaskFilters(ListFilters):
    """Filters of the list of tasks."""

    status: Annotated[JobState, Parsed(parse_status), Where(_has_status)] = parameter(
        "Name or number of a status."
    )
    session: Annotated[UuidText, Where(lambda session_id: JobRow.session_id == session_id)] = parameter(
        "Id or URL of a session."
    )
    name: Annotated[Text, Where(lambda name: JobRow.task == name)] = parameter("Name.")
    lab: Annotated[Text, Where(lambda name: SESSION.c.lab == name)] = parameter("Name of the session's lab.")
    graph: Annotated[Text, Where(lambda graph: JobRow.graph == graph)] = parameter("Name of the graph.")
    level: Annotated[WholeNumber, Where(lambda level: JobRow.level == level)] = parameter(
        "Number of tasks that come before it in its graph."
    )
    priority: Annotated[WholeNumber, Where(lambda n: JobRow.priority == n)] = parameter("Priority.")
    gpu: Annotated[WholeNumber, Where(lambda n: JobRow.gpu == n)] = parameter("GPUs it needs.")
    cpu: Annotated[WholeNumber, Where(lambda n: JobRow.cpu == n)] = parameter("Processor cores it needs.")
    ram: Annotated[WholeNumber, Where(lambda n: JobRow.ram == n)] = parameter("Memory it needs, in GiB.")
    data_repository: Annotated[Text, Where(lambda name: REPOSITORY.c.name == name)] = parameter(
        "Name of its data repository."
    )
    parents: Annotated[UuidText, Where(lambda task_id: JobRow.parents.contains([task_id]))] = parameter(
        "Id or URL of one of its parents."
    )
    version: Annotated[Text, Where(lambda version: JobRow.version == version)] = parameter("Version.")
    executable: Annotated[Text, Where(lambda name: JobRow.executable == name)] = parameter(
        "Module or class that runs it."
    )
    id: Annotated[UuidText, Where(lambda task_id: JobRow.id == task_id)] = parameter("Id or URL.")
    django: Annotated[Text, FreeFilter(tasks())] = parameter("Alyx's free filter: `field,value,…`.")
