"""The filters of the lists of datasets and files, each as a condition."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import sqlalchemy.orm

from libs.common.db.lists import bad, like, truth_of, uuid_of, whole_of, words
from libs.common.published import SESSIONS, table
from libs.common.schemas.experiments import QC_NAMES, qc_code
from libs.common.schemas.states import CopyState
from services.registry.models import (
    CopyRow,
    DatasetRow,
    DatasetTagRow,
    DatasetTypeRow,
    FormatRow,
    RepositoryRow,
    TagRow,
    VersionRow,
)
from services.registry.queries import visible
from services.registry.queries.datasets import folder, held_by, rel_path, shown

Condition = sa.ColumnElement[bool]
Make = Callable[[str], Condition | None]


def _day(field: str, text: str) -> date:
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        raise bad(field, f"'{text}' is not a day such as 2020-08-21.") from None


def _created(text: str, field: str = "created_date") -> tuple[Any, date]:
    made = sa.func.timezone("UTC", DatasetRow.created_at)
    return sa.cast(made, sa.Date), _day(field, text)


def _qc(text: str) -> Condition:
    code = qc_code(text)
    if code not in QC_NAMES:
        raise bad("qc", f"'{text}' is none of {', '.join(QC_NAMES.values())}.")
    return DatasetRow.qc == code


def _flag(condition: Condition) -> Make:
    """A truth filter; a text that is neither true nor false is ignored, as in Alyx."""

    def make(text: str) -> Condition | None:
        truth = truth_of(text)
        return None if truth is None else condition if truth else sa.not_(condition)

    return make


def _tagged(text: str) -> Condition:
    return sa.and_(
        *(
            sa.exists().where(
                DatasetTagRow.dataset_id == DatasetRow.id,
                TagRow.id == DatasetTagRow.tag_id,
                sa.or_(TagRow.name == name, sa.cast(TagRow.id, sa.Text) == name),
            )
            for name in words("tag", text)
        )
    )


_DATASETS: dict[str, Make] = {
    "id": lambda text: DatasetRow.id == uuid_of("id", text),
    "name": lambda text: DatasetRow.name == text,
    "session": lambda text: DatasetRow.session_id == uuid_of("session", text),
    "subject": lambda text: table(SESSIONS).c.subject == text,
    "lab": lambda text: table(SESSIONS).c.lab == text,
    "date": lambda text: table(SESSIONS).c.date == _day("date", text),
    "experiment_number": lambda text: table(SESSIONS).c.number == whole_of("experiment_number", text),
    "collection": lambda text: DatasetRow.collection == text,
    "probe_insertion": lambda text: like(DatasetRow.collection, text),
    "revision": lambda text: DatasetRow.revision == text,
    "dataset_type": lambda text: DatasetTypeRow.name == text,
    "data_format": lambda text: FormatRow.name == text,
    "created_by": lambda text: DatasetRow.created_by == text,
    "created_date": lambda text: sa.func.coalesce(_created(text)[0] == _created(text)[1], False),
    "created_date_gte": lambda text: _created(text)[0] >= _created(text, "created_date_gte")[1],
    "created_date_lte": lambda text: _created(text)[0] <= _created(text, "created_date_lte")[1],
    "tag": _tagged,
    "tags": _tagged,
    "qc": _qc,
    "hash": lambda text: VersionRow.md5 == text.lower(),
    "md5": lambda text: VersionRow.md5 == text.lower().replace("-", ""),
    "file_size": lambda text: VersionRow.size_bytes == _size(text),
    "version": lambda text: DatasetRow.software_version == text,
    "content_type": lambda text: DatasetRow.content_type == text.rpartition(".")[2].lower(),
    "object_id": lambda text: DatasetRow.object_id == uuid_of("object_id", text),
    "default_dataset": _flag(DatasetRow.is_default.is_(True)),
    "public": _flag(visible.tagged(TagRow.public.is_(True))),
    "protected": _flag(visible.tagged(TagRow.protected.is_(True))),
    "exists": _flag(held_by(RepositoryRow.globus_is_personal.is_(False))),
}


def _size(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    raise bad("file_size", f"'{text}' is not a number of bytes.")


def _at_path(text: str) -> Condition:
    """subject/date/number/…, as a file record shows it; whole."""
    path = sa.func.concat(sa.func.split_part(folder(), "/Subjects/", 2), "/", rel_path())
    return sa.func.ltrim(path, "/") == text.strip("/")


_FILES: dict[str, Make] = {
    "id": lambda text: CopyRow.id == uuid_of("id", text),
    "dataset": lambda text: CopyRow.dataset_id == uuid_of("dataset", text),
    "name": lambda text: DatasetRow.name == text,
    "lab": lambda text: table(SESSIONS).c.lab == text,
    "data_repository": lambda text: RepositoryRow.name == text,
    "globus_is_personal": _flag(RepositoryRow.globus_is_personal.is_(True)),
    "exists": _flag(shown()),
    "relative_path": _at_path,
}


def datasets(asked: Mapping[str, str]) -> list[Condition]:
    """Conditions on datasets; unknown names are ignored, as in Alyx. Raises BadRequest for senseless values."""
    return _conditions(_DATASETS, asked)


def files(asked: Mapping[str, str]) -> list[Condition]:
    """Conditions on file records."""
    return _conditions(_FILES, asked)


def _conditions(known: Mapping[str, Make], asked: Mapping[str, str]) -> list[Condition]:
    made = [make(asked[name]) for name, make in known.items() if asked.get(name)]
    return [condition for condition in made if condition is not None]


def copies(
    *,
    id: UUID | None = None,  # noqa: A002 - the parameter's name
    session: UUID | None = None,
    dataset: UUID | None = None,
    repository: str | None = None,
    lab: str | None = None,
    state: str | None = None,
    order_proof: bool | None = None,
    held_by: str | None = None,
    sha256: str | None = None,
    history: bool = False,
    **_paging: int,
) -> list[Condition]:
    """Conditions on copies."""
    plain: list[tuple[object, Condition]] = [
        (id, CopyRow.id == id),
        (session, DatasetRow.session_id == session),
        (dataset, CopyRow.dataset_id == dataset),
        (repository, RepositoryRow.name == repository),
        (lab, sa.func.split_part(DatasetRow.lab_path, "/", 1) == lab),
        (state, CopyRow.state == state),
        (order_proof, CopyRow.order_proof.is_(order_proof)),
        (sha256, VersionRow.sha256 == sha256),
    ]
    conditions = [condition for given, condition in plain if given is not None]
    if not history:
        conditions.append(CopyRow.generation == DatasetRow.generation)
        if state is None:
            conditions.append(CopyRow.state != CopyState.RETIRED)
    if held_by is not None:
        conditions.append(_held_in(held_by))
    return conditions


def _held_in(repository: str) -> Condition:
    """The same version has a copy in that repository, proved or in somebody's word."""
    other, place = sa.orm.aliased(CopyRow), sa.orm.aliased(RepositoryRow)
    said = sa.or_(
        other.state.in_((CopyState.VERIFIED, CopyState.CLAIMED, CopyState.LANDED)),
        other.order_proof.is_(True),
    )
    return sa.exists().where(
        other.dataset_id == CopyRow.dataset_id,
        other.generation == CopyRow.generation,
        place.id == other.repository_id,
        place.name == repository,
        said,
    )
