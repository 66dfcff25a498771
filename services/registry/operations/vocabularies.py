"""Repositories and the vocabularies of files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy.dialects.postgresql import insert

from libs.common.db import Transaction
from libs.common.db.changes import apply, created
from libs.common.problem import BadRequest, Conflict, NotFound
from libs.common.schemas.files.repositories import RepositoryIn
from libs.common.schemas.files.vocabularies import DatasetTypeIn
from services.registry import models
from services.registry.models import (
    CopyRow,
    DatasetRow,
    DatasetTagRow,
    DatasetTypeRow,
    FormatRow,
    RepositoryRow,
    RepositoryTypeRow,
    RevisionRow,
)
from services.registry.queries.vocabularies import CALLED, Named

_FILE = Path(models.__file__).parent / "vocabularies.json"
REQUIRED = ["This field is required."]
_NEVER_NULL = {
    "name",
    "description",
    "file_extension",
    "timezone",
    "globus_path",
    "hostname",
    "globus_is_personal",
}


async def load_vocabularies(tx: Transaction) -> None:
    """Write down the types and formats that are not there yet; what people changed stays as it is."""
    words = json.loads(_FILE.read_text())
    types = [
        {
            "id": UUID(word["id"]),
            "name": word["name"],
            "filename_pattern": word["filename_pattern"] or None,
            "description": describe(word["name"]),
        }
        for word in words["dataset_types"]
    ]
    formats = [
        {**word, "id": UUID(word["id"]), "description": _describe_format(word)} for word in words["formats"]
    ]
    kinds = [{"id": UUID(word["id"]), "name": word["name"]} for word in words["repository_types"]]
    for table, rows in ((DatasetTypeRow, types), (FormatRow, formats), (RepositoryTypeRow, kinds)):
        await tx.session.execute(insert(table).values(rows).on_conflict_do_nothing())


def describe(name: str) -> str:
    """A first description of a dataset type, until people write a better one.

    >>> describe("spikes.times")
    'times of each row of spikes'
    """
    thing, dot, attribute = name.partition(".")
    return f"{attribute} of each row of {thing.strip('_')}" if dot else name


def _describe_format(word: dict[str, str]) -> str:
    ending = word["file_extension"]
    return f"files ending in {ending}" if ending else "anything that is no data file"


async def existing(tx: Transaction, kind: Named, name: str) -> Any:
    """The row of that name, locked for this change. Raises NotFound."""
    found = await tx.session.execute(sa.select(kind).where(kind.name == name).with_for_update())
    row = found.scalar_one_or_none()
    if row is None:
        raise NotFound(f"There is no {CALLED[kind]} '{name}'.")
    return row


def given(body: BaseModel) -> dict[str, Any]:
    """The columns that a body gives; null where null cannot be meant counts as absent."""
    fields = {name: getattr(body, name) for name in body.model_fields_set}
    return {
        name.rstrip("_"): value
        for name, value in fields.items()
        if not (value is None and (name in _NEVER_NULL or name.endswith("function")))
    }


async def save(tx: Transaction, kind: Named, body: BaseModel, name: str | None = None) -> str:
    """Write a word down, or change the one of that name; its name afterwards."""
    return await _save(tx, kind, given(body), name)


async def _save(tx: Transaction, kind: Named, fields: dict[str, Any], name: str | None) -> str:
    what = CALLED[kind].replace(" ", "-")
    new_name = fields.get("name")
    if name is None and not new_name:
        raise BadRequest(fields={"name": REQUIRED})
    if (
        new_name
        and new_name != name
        and await tx.session.scalar(sa.select(sa.exists().where(kind.name == new_name)))
    ):
        raise Conflict(fields={"name": [f"'{new_name}' exists already."]})
    if name is None:
        row = kind(id=uuid4(), **fields)
        created(tx, what, row, {k: v for k, v in fields.items() if k != "json"})
    else:
        row = await existing(tx, kind, name)
        apply(tx, what, row, fields)
    await tx.session.flush()
    return str(row.name)


async def save_repository(tx: Transaction, body: RepositoryIn, name: str | None = None) -> str:
    """Write a repository down, or change it. Its store cannot change while copies lie there."""
    fields = given(body)
    if body.timezone is not None:
        try:
            ZoneInfo(body.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            wrong = f"'{body.timezone}' is not an IANA time zone such as Europe/London."
            raise BadRequest(fields={"timezone": [wrong]}) from None
    if "repository_type" in fields:
        called = fields.pop("repository_type")
        fields["repository_type_id"] = None if called is None else await _repository_type(tx, called)
    url = fields.get("data_url")
    if url is not None and not (url.startswith(("http://", "https://")) or url == "/data/"):
        raise BadRequest(fields={"data_url": ["It is /data/ (ours), or begins with http:// or https://."]})
    if name is not None and "store" in fields:
        row = await existing(tx, RepositoryRow, name)
        if row.store != fields["store"] and await tx.session.scalar(
            sa.select(sa.exists().where(CopyRow.repository_id == row.id))
        ):
            raise Conflict(fields={"store": ["Copies lie there already: make another repository."]})
    return await _save(tx, RepositoryRow, fields, name)


async def _repository_type(tx: Transaction, called: str) -> UUID:
    found = await tx.session.scalar(sa.select(RepositoryTypeRow.id).where(RepositoryTypeRow.name == called))
    if found is None:
        raise BadRequest(fields={"repository_type": [f"Object with name={called} does not exist."]})
    return found


async def save_type(tx: Transaction, body: DatasetTypeIn, name: str | None = None) -> str:
    """Write a dataset type down, or change it; patterns are kept in lower case, and each stands once."""
    fields = given(body)
    if "filename_pattern" in fields:
        pattern = (fields["filename_pattern"] or "").strip().lower() or None
        fields["filename_pattern"] = pattern
        taken = sa.exists().where(
            DatasetTypeRow.filename_pattern == pattern,
            DatasetTypeRow.name != (name or fields.get("name") or ""),
        )
        if pattern and await tx.session.scalar(sa.select(taken)):
            raise Conflict(fields={"filename_pattern": [f"'{pattern}' belongs to another type already."]})
    if name is None and "created_by" not in fields and tx.by is not None:
        fields["created_by"] = tx.by.username
    return await _save(tx, DatasetTypeRow, fields, name)


async def delete(tx: Transaction, kind: Named, name: str) -> None:
    """Remove a word that nothing uses. Raises Conflict."""
    row = await existing(tx, kind, name)
    used = {
        "data repository": CopyRow.repository_id == row.id,
        "repository type": RepositoryRow.repository_type_id == row.id,
        "data format": DatasetRow.format_id == row.id,
        "dataset type": DatasetRow.dataset_type_id == row.id,
        "revision": DatasetRow.revision == row.name,
        "tag": DatasetTagRow.tag_id == row.id,
    }
    called = CALLED[kind]
    if await tx.session.scalar(sa.select(sa.exists().where(used[called]))):
        raise Conflict(f"The {called} '{name}' is in use.")
    await tx.session.delete(row)
    tx.audit(f"{called.replace(' ', '-')}.deleted", called.replace(" ", "-"), row.id, before={"name": name})


async def ensure_revisions(tx: Transaction, names: set[str]) -> None:
    """Open the revisions that are not there yet."""
    if names:
        rows = [{"id": uuid4(), "name": name} for name in sorted(names)]
        await tx.session.execute(insert(RevisionRow).values(rows).on_conflict_do_nothing())
