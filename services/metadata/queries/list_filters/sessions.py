"""The filters of the session list, each as a condition."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from libs.common.db.lists import days_of, like, number_of, uuid_of, whole_of, words
from libs.common.filters import condition_on, to_sql
from libs.common.problem import BadRequest
from libs.common.published import DATASET_TAGS, DATASETS, table
from libs.common.schemas.experiments import QC_CODES, QC_NAMES
from libs.common.visibility import Visibility
from libs.common.visible import session_visible
from services.metadata.models import (
    ActionProcedureRow,
    ActionRow,
    ActionUserRow,
    LabRow,
    LocationRow,
    SubjectRow,
    UserRow,
    VocabularyRow,
)
from services.metadata.queries.django_filters.sessions import SESSION_MAP

Condition = sa.ColumnElement[bool]
FAIL = QC_CODES["FAIL"]


def qc_of(field: str, text: str) -> int:
    """A QC by number or by name. Raises BadRequest."""
    code = (
        int(text) if text.isascii() and text.isdigit() and len(text) < 4 else QC_CODES.get(text.upper(), -1)
    )
    if code not in QC_NAMES:
        raise BadRequest(fields={field: [f"'{text}' is none of {', '.join(QC_CODES)}."]})
    return code


def _performance() -> Any:
    return 100.0 * ActionRow.n_correct_trials / sa.func.nullif(ActionRow.n_trials, 0)


def _projects(visibility: Visibility, field: str, text: str) -> Condition:
    names = words(field, text)
    return to_sql(
        [condition_on("projects__name__icontains", name, SESSION_MAP) for name in names], visibility
    )


def _parent(visibility: Visibility, field: str, text: str) -> Condition:
    return to_sql([condition_on("parent_session", uuid_of(field, text), SESSION_MAP)], visibility)


def _users(text: str) -> Condition:
    return sa.and_(
        *(
            sa.exists().where(
                ActionUserRow.action_id == ActionRow.id,
                ActionUserRow.user_id == UserRow.id,
                UserRow.username == name,
            )
            for name in words("users", text)
        )
    )


def _procedures(text: str) -> Condition:
    return sa.exists().where(
        ActionProcedureRow.action_id == ActionRow.id,
        ActionProcedureRow.procedure_id == VocabularyRow.id,
        like(VocabularyRow.name, text),
    )


def _histology(visibility: Visibility, _field: str, text: str) -> Condition:
    other = sa.orm.aliased(ActionRow)
    return sa.exists().where(
        other.subject_id == ActionRow.subject_id,
        session_visible(visibility, other.id),
        ActionProcedureRow.action_id == other.id,
        ActionProcedureRow.procedure_id == VocabularyRow.id,
        like(VocabularyRow.name, text),
    )


def _day_range(text: str) -> Condition:
    first, last = days_of("date_range", text)
    return ActionRow.day.between(first, last)


_FILTERS: dict[str, Callable[[str], Condition]] = {
    "id": lambda text: ActionRow.id == uuid_of("id", text),
    "subject": lambda text: sa.func.lower(SubjectRow.nickname) == text.lower(),
    "nickname": lambda text: sa.func.lower(SubjectRow.nickname) == text.lower(),
    "lab": lambda text: sa.func.lower(LabRow.name) == text.lower(),
    "type": lambda text: sa.func.lower(ActionRow.type) == text.lower(),
    "task_protocol": lambda text: like(ActionRow.task_protocol, text),
    "location": lambda text: like(LocationRow.name, text),
    "narrative": lambda text: like(ActionRow.narrative, text),
    "procedures": _procedures,
    "users": _users,
    "date_range": _day_range,
    "number": lambda text: ActionRow.number == whole_of("number", text),
    "n_trials": lambda text: ActionRow.n_trials == whole_of("n_trials", text),
    "n_correct_trials": lambda text: ActionRow.n_correct_trials == whole_of("n_correct_trials", text),
    "start_time": lambda text: ActionRow.start_time == text.replace(" ", "T"),
    "end_time": lambda text: ActionRow.end_time == text.replace(" ", "T"),
    "qc": lambda text: ActionRow.qc == qc_of("qc", text),
    "performance_gte": lambda text: _performance() >= number_of("performance_gte", text),
    "performance_lte": lambda text: _performance() <= number_of("performance_lte", text),
    # No channel and no field of view is kept yet, so no session was recorded in any region: never "all of them".
    "atlas_id": lambda _: sa.false(),
    "atlas_name": lambda _: sa.false(),
    "atlas_acronym": lambda _: sa.false(),
}
# Those that look at other objects than the session, and see what the caller sees of them.
_RELATED: dict[str, Callable[[Visibility, str, str], Condition]] = {
    "project": _projects,
    "projects": _projects,
    "parent_session": _parent,
    "histology": _histology,
}


def of_session(datasets: Any) -> Condition:
    """A dataset is of a session."""
    belongs: Condition = datasets.c.session_id == ActionRow.id
    return belongs


def conditions(
    seen: Visibility, asked: dict[str, str], belongs: Callable[[Any], Condition] = of_session
) -> list[Condition]:
    """The conditions of a search; unknown names are ignored, as in Alyx. Raises BadRequest for senseless values.

    `belongs` says which datasets are meant: those of the session, or of a probe.
    """
    found = [make(asked[name]) for name, make in _FILTERS.items() if asked.get(name)]
    found += [make(seen, name, asked[name]) for name, make in _RELATED.items() if asked.get(name)]
    return found + _by_datasets(seen, asked, belongs)


def _by_datasets(
    seen: Visibility, asked: dict[str, str], belongs: Callable[[Any], Condition]
) -> list[Condition]:
    theirs, tags = table(DATASETS), table(DATASET_TAGS)

    def some(*more: Condition) -> Condition:
        shown = [theirs.c.public] if seen.public_only else []
        return sa.exists().where(belongs(theirs), *more, *shown)

    found = [
        some(theirs.c.dataset_type == name) for name in words("dataset_types", asked.get("dataset_types", ""))
    ]
    if tag := asked.get("tag"):
        found.append(some(tags.c.dataset_id == theirs.c.id, like(tags.c.tag, tag)))
    limit = asked.get("dataset_qc_lte")
    worst = qc_of("dataset_qc_lte", limit) if limit else FAIL
    if names := words("datasets", asked.get("datasets", "")):
        found += [some(theirs.c.name == name, theirs.c.on_server, theirs.c.qc <= worst) for name in names]
    elif limit:
        found.append(some(theirs.c.qc <= worst))
    return found
