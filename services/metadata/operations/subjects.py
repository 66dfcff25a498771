"""Subjects."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

from libs.common.db import ReadSession, Transaction
from libs.common.db.links import set_links
from libs.common.db.rows import audited, create_row, update_row
from libs.common.db.stored_fields import StoredFields, check_not_cleared
from libs.common.permissions import Principal, Target
from libs.common.problem import BadRequest
from libs.common.schemas.deletions import Deletion
from libs.common.schemas.ids import find_uuid
from libs.common.schemas.names import check_new_name
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.subjects import RestrictedSubject, Subject, SubjectDetail, SubjectIn, Zygosity
from libs.common.targets import fetch_object_target
from libs.common.visibility import Visibility
from services.metadata.domain.actions import end_at_death
from services.metadata.domain.bodies import check_not_sent
from services.metadata.domain.clock import DEFAULT_ZONE, parse_time
from services.metadata.domain.rights import (
    LOSES_ACCESS,
    check_keeps_access,
    check_may_create_subject,
    check_may_edit_subject,
    check_may_write_in_lab,
)
from services.metadata.domain.subjects import (
    USUAL_SPECIES,
    check_dates,
    check_lab_not_cleared,
    check_new_responsible_user,
    check_required,
    check_unique,
    genotype_text,
    sex_of,
    with_history,
)
from services.metadata.domain.welfare import Standing
from services.metadata.models import LabRow, LineRow, LitterRow, SubjectRow, UserRow
from services.metadata.operations.deletions import delete_row
from services.metadata.operations.relations import PROJECTS_OF_SUBJECT, ZYGOSITIES
from services.metadata.operations.subject_names import fetch_named
from services.metadata.operations.welfare import fetch_standings
from services.metadata.queries import references
from services.metadata.queries import subjects as queries
from services.metadata.queries.list_filters.subjects import SubjectFilters
from services.metadata.queries.references import Named, Vocabulary
from services.metadata.queries.subjects import SubjectRecord
from services.metadata.queries.water_administrations import fetch_waters_of_subject
from services.metadata.queries.water_restrictions import lock_open_restrictions
from services.metadata.queries.weighings import fetch_weighings_of_subject

Shown = TypeVar("Shown", bound=Subject)
_NAMED: Final[dict[str, Named]] = {
    "lab": LabRow,
    "line": LineRow,
    "litter": LitterRow,
    "responsible_user": UserRow,
}
_TERMS: Final = {
    "species": Vocabulary.SPECIES,
    "strain": Vocabulary.STRAIN,
    "source": Vocabulary.SOURCE,
}
_IN_HISTORY: Final = {"nickname": "nickname", "responsible_user": "responsible_user_id"}
_STORED: Final = StoredFields(
    SubjectIn, SubjectRow, handled={*_NAMED, *_TERMS, "projects", "zygosities", "genotype"}
)


async def list_subjects(
    session: ReadSession, visibility: Visibility, filters: SubjectFilters, paging: PageRequest, base_url: str
) -> tuple[int, list[Subject]]:
    """A page of subjects and how they stand now, and the count of all."""
    count, records = await queries.list_subjects(session, visibility, filters, paging)
    standings = await _standings(session, records)
    return count, [
        # A list shows the genotype as texts, a subject's own page as values.
        _shown(
            Subject, record, standings[record.id], base_url, genotype=[*map(genotype_text, record.genotype)]
        )
        for record in records
    ]


async def list_restricted_subjects(
    session: ReadSession, visibility: Visibility, paging: PageRequest, base_url: str
) -> tuple[int, list[RestrictedSubject]]:
    """A page of subjects with an open water restriction and how they stand now, and the count of all."""
    count, records = await queries.list_restricted_subjects(session, visibility, paging)
    standings = await _standings(session, records)
    return count, [_shown(RestrictedSubject, record, standings[record.id], base_url) for record in records]


async def read_subject(
    session: ReadSession, visibility: Visibility, nickname: str, base_url: str
) -> SubjectDetail:
    """One subject, by nickname or id, with its weighings and water. Raises NotFound and AmbiguousName."""
    named = await fetch_named(session, visibility, nickname)
    return await _detail(session, visibility, named.id, base_url)


async def _detail(
    session: ReadSession, visibility: Visibility, subject_id: UUID, base_url: str
) -> SubjectDetail:
    record = await queries.fetch_subject(session, visibility, subject_id)
    return _shown(
        SubjectDetail,
        record,
        (await _standings(session, [record]))[record.id],
        base_url,
        weighings=await fetch_weighings_of_subject(session, visibility, record.id, base_url),
        water_administrations=await fetch_waters_of_subject(session, visibility, record.id, base_url),
    )


async def _standings(session: ReadSession, records: list[SubjectRecord]) -> dict[UUID, Standing]:
    return await fetch_standings(session, {record.id: record.animal for record in records})


def _shown(
    shape: type[Shown], record: SubjectRecord, standing: Standing, base_url: str, **more: object
) -> Shown:
    """A subject and how it stands, as a schema of subjects; `more` are its other fields, or fields instead."""
    values = {
        field.name: getattr(part, field.name)
        for part in (record, record.animal, standing)
        for field in fields(part)
    }
    genotype = [asdict(pair) for pair in record.genotype]
    nickname = record.animal.nickname
    takes_id = record.has_namesake or find_uuid(nickname) is not None
    url = f"{base_url}/subjects/{record.id if takes_id else nickname}"
    return shape.model_validate(values | {"url": url, "genotype": genotype} | more)


async def create_subject(
    tx: Transaction, by: Principal, visibility: Visibility, body: SubjectIn, base_url: str
) -> SubjectDetail:
    """Create a subject; the caller is responsible for it unless the body names another user."""
    check_not_sent("genotype", body.genotype, "Send `zygosities`: a list of allele and zygosity.")
    values = await _values(tx, body)
    project_ids = await references.fetch_project_ids(tx.session, visibility, body.projects or [], "projects")
    check_required(body.nickname, body.lab)
    check_not_cleared(body, {"responsible_user": by.user_id})
    check_new_name("nickname", body.nickname or "")
    values.setdefault("responsible_user_id", by.user_id)
    if "species" not in body.model_fields_set:
        values["species_id"] = await references.find_term_id(tx.session, Vocabulary.SPECIES, USUAL_SPECIES)
    row = SubjectRow(id=uuid4(), **values)
    check_may_create_subject(by, Target(row.lab_id, frozenset(project_ids)), body.lab)
    await check_nickname(tx, row, values)
    check_dates(row.birth_date, row.death_date)
    await create_row(tx, "subject", row, values)
    await _finish(tx, by, visibility, row, body, Target(row.lab_id), project_ids)
    return await _detail(tx.session, visibility, row.id, base_url)


async def update_subject(
    tx: Transaction, by: Principal, visibility: Visibility, nickname: str, body: SubjectIn, base_url: str
) -> SubjectDetail:
    """Update a subject; absent fields keep their value."""
    values = await _values(tx, body)
    project_ids = await references.fetch_project_ids(tx.session, visibility, body.projects or [], "projects")
    row, before = await _lock_to_edit(tx, by, visibility, nickname)
    check_not_cleared(body, {"responsible_user": row.responsible_user_id})
    if "lab_id" in values:
        moved = replace(before, lab_id=values["lab_id"], responsible_user_id=None)
        check_may_write_in_lab(by, moved, body.lab)
    new_user_id = values.get("responsible_user_id", row.responsible_user_id)
    check_new_responsible_user(by, row.responsible_user_id, new_user_id, row.nickname)
    if body.nickname is not None:
        check_new_name("nickname", body.nickname, row.nickname)
    if {"nickname", "lab_id", "responsible_user_id"} & values.keys():
        await check_nickname(tx, row, values)
    birth, death = (values.get(name, getattr(row, name)) for name in ("birth_date", "death_date"))
    check_dates(birth, death)
    await update_row(tx, "subject", row, values | _history(row, values))
    await _finish(tx, by, visibility, row, body, before, project_ids)
    return await _detail(tx.session, visibility, row.id, base_url)


def _history(row: SubjectRow, values: dict[str, Any]) -> dict[str, Any]:
    """The JSON with the values that are replaced, as Alyx stores them."""
    before = {
        field: audited(getattr(row, column))
        for field, column in _IN_HISTORY.items()
        if getattr(row, column) != values.get(column, getattr(row, column))
    }
    if not before:
        return {}
    return {"json": with_history(values.get("json", row.json), before, datetime.now(UTC))}


async def check_nickname(tx: Transaction, row: SubjectRow, values: dict[str, Any]) -> None:
    """Raises Conflict where another subject has the nickname of this one as it will be, or a spelling of it."""
    nickname, lab_id, user_id = (
        values.get(name, getattr(row, name)) for name in ("nickname", "lab_id", "responsible_user_id")
    )
    check_unique(nickname, await queries.find_twin_nickname(tx.session, row.id, nickname, lab_id, user_id))


async def _values(tx: Transaction, body: SubjectIn) -> dict[str, Any]:
    """The columns that a body sets, references included."""
    check_lab_not_cleared(body.model_fields_set, body.lab)
    values = _STORED.values(body)
    if body.sex is not None:
        values["sex"] = sex_of(body.sex)
    for name, kind in _NAMED.items():
        if name in body.model_fields_set:
            values[f"{name}_id"] = await references.fetch_id(tx.session, kind, getattr(body, name), name)
    for name, vocabulary in _TERMS.items():
        if name in body.model_fields_set:
            values[f"{name}_id"] = await references.fetch_term_id(
                tx.session, vocabulary, getattr(body, name), name
            )
    return values


async def _finish(
    tx: Transaction,
    by: Principal,
    visibility: Visibility,
    row: SubjectRow,
    body: SubjectIn,
    before: Target,
    project_ids: list[UUID],
) -> None:
    """Write what depends on a subject's row, and check that the change is within the caller's rights."""
    if row.death_date:
        await end_restrictions(tx, row)
    if body.projects is not None:
        hidden_ids = await references.fetch_hidden_projects_of_subject(tx.session, visibility, row.id)
        await set_links(tx, PROJECTS_OF_SUBJECT, "subject", row.id, [*project_ids, *hidden_ids])
    check_keeps_access(by, before, await fetch_object_target(tx.session, "subject", row.id))
    if not await references.exists_subject(tx.session, visibility, row.id):
        raise BadRequest(fields={"projects": LOSES_ACCESS})
    if body.zygosities is not None:
        await _set_zygosities(tx, row.id, body.zygosities)


async def _set_zygosities(tx: Transaction, subject_id: UUID, zygosities: list[Zygosity]) -> None:
    names = [zygosity.allele for zygosity in zygosities]
    ids = await references.fetch_allele_ids(tx.session, names, "zygosities")
    by_allele = {ids[zygosity.allele]: zygosity.zygosity for zygosity in zygosities}
    await set_links(tx, ZYGOSITIES, "subject", subject_id, by_allele)


async def end_restrictions(tx: Transaction, subject: SubjectRow) -> None:
    """End the open restrictions of a subject that died."""
    zone = await references.find_lab_zone(tx.session, subject.lab_id)
    death = parse_time(str(subject.death_date), zone or DEFAULT_ZONE, "death_date")
    for restriction in await lock_open_restrictions(tx.session, subject.id):
        end_time, end_at = end_at_death(restriction.start_time, restriction.start_at, death)
        await update_row(tx, "water-restriction", restriction, {"end_time": end_time, "end_at": end_at})


async def delete_subject(
    tx: Transaction, by: Principal, visibility: Visibility, nickname: str, *, dry_run: bool
) -> Deletion:
    """Delete (soft) a subject with its sessions, surgeries, restrictions, weighings and water administrations."""
    row, _ = await _lock_to_edit(tx, by, visibility, nickname, to_delete=True)
    named = {"nickname": row.nickname}
    return await delete_row(tx, by, visibility, "subject", row, dry_run=dry_run, before=named)


async def _lock_to_edit(
    tx: Transaction, by: Principal, visibility: Visibility, nickname: str, *, to_delete: bool = False
) -> tuple[SubjectRow, Target]:
    """A subject that the caller may change, locked, and what it belongs to. Raises NotFound and Forbidden."""
    named = await fetch_named(tx.session, visibility, nickname)
    row = await queries.lock_subject_by_id(tx.session, named.id, to_delete=to_delete)
    target = await fetch_object_target(tx.session, "subject", row.id)
    check_may_edit_subject(by, target, row.nickname)
    return row, target
