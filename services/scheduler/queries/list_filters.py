"""The filters of the lists of jobs and tasks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import sqlalchemy as sa

from libs.common.filters.list_filters import FreeFilter, ListFilters, Where, is_at, is_named, parameter
from libs.common.filters.parameters import (
    Choices,
    Moment,
    Number,
    Parsed,
    Text,
    UuidList,
    UuidText,
    WholeNumber,
)
from libs.common.filters.texts import parse_literal
from libs.common.neighbour_maps.tasks import shown_log
from libs.common.published import REPOSITORIES, SESSIONS, table
from libs.common.schemas.states import JobState
from services.scheduler.domain.steering import parse_status
from services.scheduler.domain.tasks import arguments_text
from services.scheduler.models import JobRow
from services.scheduler.queries.django_filters import TASKS

SESSION, REPOSITORY = table(SESSIONS), table(REPOSITORIES)


def parse_state(text: str) -> JobState:
    """A state by its name. Raises ValueError."""
    try:
        return JobState(text)
    except ValueError:
        raise ValueError(f"'{text}' is not one of {', '.join(JobState)}.") from None


def _has_status(status: JobState) -> sa.ColumnElement[bool]:
    """The states that Alyx shows under the same name."""
    states = [state.value for state in JobState if state.alyx_name == status.alyx_name]
    if len(states) == 1:
        return JobRow.state == states[0]
    return JobRow.state == sa.any_(sa.literal(states, sa.ARRAY(sa.Text)))


@dataclass(frozen=True)
class Arguments:
    """All arguments of a task: as text, and the name of the probe where that is the only one."""

    text: str
    probe: str | None

    def are_those(self) -> sa.ColumnElement[bool]:
        """The condition on tasks; the arguments of a derived job are the name of its probe."""
        written = sa.and_(JobRow.probe == "", JobRow.arguments == self.text)
        return sa.or_(written, JobRow.probe == self.probe) if self.probe else written


def parse_arguments(text: str) -> Arguments:
    """The arguments of a task as an object, in JSON or as Python writes it. Raises ValueError.

    >>> parse_arguments("{'pname': 'probe00'}")
    Arguments(text='{"pname": "probe00"}', probe='probe00')
    """
    arguments = parse_literal(text)
    if not isinstance(arguments, dict):
        raise ValueError("An object is required.")  # noqa: TRY004 - a wrong text, not a wrong type
    probe = arguments.get("pname") if len(arguments) == 1 else None
    return Arguments(arguments_text(arguments), probe if isinstance(probe, str) else None)


class JobFilters(ListFilters):
    """Filters of the list of jobs."""

    state: Annotated[JobState, Parsed(parse_state), Where(lambda state: JobRow.state == state)] = parameter(
        f"One of {', '.join(JobState)}."
    )
    session: Annotated[UuidText, Where(lambda session_id: JobRow.session_id == session_id)] = parameter(
        "Id or URL of a session."
    )
    task: Annotated[Text, Where(lambda name: JobRow.task == name)] = parameter("Name of a task.")
    lab: Annotated[Choices, Where(SESSION.c.lab.in_)] = parameter(
        "Name of the session's lab, or several with commas between."
    )


class TaskFilters(ListFilters):
    """Filters of the list of tasks."""

    arguments: Annotated[Arguments, Parsed(parse_arguments), Where(Arguments.are_those)] = parameter(
        "All arguments, as an object."
    )
    datetime: Annotated[Moment, Where(lambda when: is_at(JobRow.updated_at, when))] = parameter(
        "Time of the last change, as in the response."
    )
    io_charge: Annotated[WholeNumber, Where(lambda n: JobRow.io_charge == n)] = parameter("I/O it needs.")
    log: Annotated[Text, Where(lambda text: shown_log(JobRow) == text)] = parameter(
        "Whole log, as in the response."
    )
    time_elapsed_secs: Annotated[Number, Where(lambda n: JobRow.time_elapsed_secs == n)] = parameter(
        "Duration of the last run, s."
    )
    time_out_secs: Annotated[WholeNumber, Where(lambda n: JobRow.time_out_secs == n)] = parameter(
        "Longest duration, s."
    )
    status: Annotated[JobState, Parsed(parse_status), Where(_has_status)] = parameter(
        "Name or number of a status."
    )
    session: Annotated[UuidText, Where(lambda session_id: JobRow.session_id == session_id)] = parameter(
        "Id or URL of a session."
    )
    name: Annotated[Text, Where(lambda name: JobRow.task == name)] = parameter("Name.")
    lab: Annotated[Choices, Where(SESSION.c.lab.in_)] = parameter(
        "Name of the session's lab, or several with commas between."
    )
    graph: Annotated[Text, Where(lambda graph: JobRow.graph == graph)] = parameter("Name of the graph.")
    level: Annotated[WholeNumber, Where(lambda level: JobRow.level == level)] = parameter(
        "Number of tasks that come before it in its graph."
    )
    priority: Annotated[WholeNumber, Where(lambda n: JobRow.priority == n)] = parameter("Priority.")
    gpu: Annotated[WholeNumber, Where(lambda n: JobRow.gpu == n)] = parameter("GPUs it needs.")
    cpu: Annotated[WholeNumber, Where(lambda n: JobRow.cpu == n)] = parameter("Processor cores it needs.")
    ram: Annotated[WholeNumber, Where(lambda n: JobRow.ram == n)] = parameter("Memory it needs, in GiB.")
    data_repository: Annotated[
        Text, Where(lambda text: is_named(REPOSITORY.c.name, REPOSITORY.c.id, text))
    ] = parameter("Name or id of its data repository.")
    parents: Annotated[UuidList, Where(JobRow.parents.contains)] = parameter(
        "Ids or URLs of parents, all of which must match."
    )
    version: Annotated[Text, Where(lambda version: JobRow.version == version)] = parameter("Version.")
    executable: Annotated[Text, Where(lambda name: JobRow.executable == name)] = parameter(
        "Module or class that runs it."
    )
    id: Annotated[UuidText, Where(lambda task_id: JobRow.id == task_id)] = parameter("Id or URL.")
    django: Annotated[Text, FreeFilter(TASKS)] = parameter("Alyx's free filter: `field,value,…`.")
