"""Animals, lines and litters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from libs.common.db import Transaction
from libs.common.db.changes import apply, created, deleted, set_links
from libs.common.permissions import SHARED, Principal, Target, in_scope, may_on
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound
from libs.common.schemas.colony import (
    LineIn,
    LitterIn,
    SubjectIn,
    Zygosity,
)
from libs.common.scopes import Permission
from libs.common.visibility import Visibility
from services.metadata.models import (
    ActionRow,
    LabRow,
    LineAlleleRow,
    LineRow,
    LitterRow,
    SubjectProjectRow,
    SubjectRow,
    UserRow,
    VocabularyRow,
    ZygosityRow,
)
from services.metadata.operations.clock import time_of
from services.metadata.operations.house import REQUIRED, json_given, taken
from services.metadata.queries import references, targets, visible
from services.metadata.queries.references import Vocabulary, unknown

DEFAULT_ZONE = "Europe/London"


async def animal(tx: Transaction, seen: Visibility, nickname: str) -> tuple[SubjectRow, str]:
    """A visible animal and its lab's time zone. Raises NotFound."""
    found = await tx.session.execute(
        sa.select(SubjectRow, LabRow.timezone)
        .join(LabRow, LabRow.id == SubjectRow.lab_id, isouter=True)
        .where(SubjectRow.nickname == nickname, visible.subjects(seen))
        .order_by(SubjectRow.created_at.desc())
        .limit(1)
    )
    row = found.first()
    if row is None:
        raise NotFound(f"There is no subject '{nickname}'.")
    return row[0], row[1] or DEFAULT_ZONE


async def animal_of(tx: Transaction, seen: Visibility, record: Any, what: str) -> tuple[SubjectRow, str]:
    """The animal of a record, and its lab's time zone. Raises NotFound if it is not for the caller's eyes."""
    found = await tx.session.execute(
        sa.select(SubjectRow, LabRow.timezone)
        .join(LabRow, LabRow.id == SubjectRow.lab_id, isouter=True)
        .where(SubjectRow.id == record.subject_id, visible.subjects(seen))
    )
    row = found.first()
    if row is None:
        raise NotFound(f"There is no {what} {record.id}.")
    return row[0], row[1] or DEFAULT_ZONE


async def animal_of_body(
    tx: Transaction, by: Principal, seen: Visibility, nickname: str | None
) -> tuple[SubjectRow, str]:
    """The animal that a body names, which the caller may edit. Raises BadRequest or Forbidden."""
    if not nickname:
        raise BadRequest(fields={"subject": REQUIRED})
    try:
        row, zone = await animal(tx, seen, nickname)
    except NotFound:
        raise unknown("subject", "nickname", nickname) from None
    await check_may_edit(tx, by, row)
    return row, zone


async def check_may_edit(tx: Transaction, by: Principal, row: SubjectRow) -> Target:
    """What the animal belongs to. Raises Forbidden unless the caller may change it and what hangs on it."""
    target = await targets.of_subject(tx.session, row)
    if not may_on(by, Permission.WRITE, target):
        raise Forbidden(
            f"'{row.nickname}' is of another lab, or beyond the token in use: its lab's members, its owner and the "
            "owner's delegates may write here."
        )
    return target


def check_stays(by: Principal, before: Target, after: Target) -> None:
    """Raises Forbidden where a change takes an object out of the token's scope, or touches projects beyond it."""
    touched = before.project_ids ^ after.project_ids
    links = [replace(after, project_ids=frozenset({project_id})) for project_id in touched]
    if not all(in_scope(by, Permission.WRITE, target) for target in (after, *links)):
        raise Forbidden(
            "The token in use writes within its own labs and projects: name one of these and no other, or sign in."
        )


async def _fields(tx: Transaction, body: SubjectIn) -> dict[str, Any]:
    given = body.model_fields_set
    if "lab" in given and not body.lab:
        raise BadRequest(fields={"lab": ["This field may not be null."]})
    plain = ("nickname", "birth_date", "death_date", "description")
    fields = {
        n: getattr(body, n)
        for n in plain
        if n in given and (n.endswith("_date") or getattr(body, n) is not None)
    }
    if body.sex is not None:
        fields["sex"] = body.sex or "U"
    named: tuple[tuple[str, references.Named], ...] = (
        ("lab", LabRow),
        ("line", LineRow),
        ("litter", LitterRow),
    )
    for name, kind in named:
        if name in given:
            fields[f"{name}_id"] = await references.id_named(tx.session, kind, getattr(body, name), name)
    if "responsible_user" in given:
        owner = await references.id_named(tx.session, UserRow, body.responsible_user, "responsible_user")
        fields["responsible_user_id"] = owner
    words = (("species", Vocabulary.SPECIES), ("strain", Vocabulary.STRAIN), ("source", Vocabulary.SOURCE))
    for name, vocabulary in words:
        if name in given:
            fields[f"{name}_id"] = await references.term(tx.session, vocabulary, getattr(body, name), name)
    return fields | json_given(body)


async def save_subject(
    tx: Transaction, by: Principal, seen: Visibility, body: SubjectIn, nickname: str | None = None
) -> UUID:
    """Write an animal down, or change the one of that nickname; its id."""
    fields = await _fields(tx, body)
    project_ids = await references.projects(tx.session, seen, body.projects or [], "projects")
    if nickname is None:
        if not body.nickname or not body.lab:
            missing = {name: REQUIRED for name in ("nickname", "lab") if not getattr(body, name)}
            raise BadRequest(fields=missing)
        fields.setdefault("responsible_user_id", by.user_id)
        row = SubjectRow(id=uuid4(), **fields)
        before = Target(row.lab_id)
        if not may_on(by, Permission.WRITE, Target(row.lab_id, frozenset(project_ids))):
            raise Forbidden(f"You may not write in the lab '{body.lab}', or not with the token in use.")
        await _once(tx, row)
        created(tx, "subject", row, fields)
    else:
        row, _ = await animal(tx, seen, nickname)
        before = await check_may_edit(tx, by, row)
        lab = replace(before, lab_id=fields.get("lab_id"), responsible_user_id=None)
        if "lab_id" in fields and not may_on(by, Permission.WRITE, lab):
            raise Forbidden(f"You are not a member of the lab '{body.lab}'.")
        owner = fields.get("responsible_user_id", row.responsible_user_id)
        if owner != row.responsible_user_id and not _may_give_away(by, row):
            raise Forbidden(f"Only its owner or a stock manager may give '{row.nickname}' to somebody else.")
        apply(tx, "subject", row, fields)
    if row.birth_date and row.death_date and row.death_date < row.birth_date:
        raise BadRequest(fields={"death_date": ["An animal does not die before it is born."]})
    await tx.session.flush()
    if row.death_date:
        await end_restrictions(tx, row)
    if body.projects is not None:
        project_ids += await references.hidden_projects(tx.session, seen, SubjectProjectRow, row.id)
        await set_links(tx, SubjectProjectRow, "subject_id", row.id, "project_id", project_ids)
    check_stays(by, before, await targets.of_subject(tx.session, row))
    if not await references.subject_known(tx.session, seen, row.id):
        raise BadRequest(fields={"projects": references.LOSES_SIGHT})
    if body.zygosities is not None:
        await _set_zygosities(tx, row.id, body.zygosities)
    return row.id


def _may_give_away(by: Principal, row: SubjectRow) -> bool:
    return (
        by.is_superuser
        or by.is_stock_manager
        or row.responsible_user_id in {None, by.user_id, *by.delegators}
    )


async def end_restrictions(tx: Transaction, row: SubjectRow) -> None:
    """Death ends open restrictions, at midnight of its day, or where they began if that was later."""
    zone = await tx.session.scalar(sa.select(LabRow.timezone).where(LabRow.id == row.lab_id))
    death = time_of(str(row.death_date), zone or DEFAULT_ZONE, "death_date")
    open_ones = await tx.session.execute(
        sa.select(ActionRow).where(
            ActionRow.subject_id == row.id,
            ActionRow.kind == "water-restriction",
            ActionRow.end_at.is_(None),
            ActionRow.deleted_at.is_(None),
        )
    )
    for action in open_ones.scalars():
        began_later = action.start_at is not None and action.start_at > death.at
        end = (action.start_time, action.start_at) if began_later else (death.text, death.at)
        apply(tx, "water-restriction", action, {"end_time": end[0], "end_at": end[1]})


async def _once(tx: Transaction, row: SubjectRow) -> None:
    same = sa.or_(SubjectRow.lab_id == row.lab_id, SubjectRow.responsible_user_id == row.responsible_user_id)
    if await tx.session.scalar(
        sa.select(
            sa.exists().where(SubjectRow.nickname == row.nickname, same, SubjectRow.deleted_at.is_(None))
        )
    ):
        raise Conflict(
            fields={"nickname": [f"'{row.nickname}' exists already in this lab or with this owner."]}
        )


async def _set_zygosities(tx: Transaction, subject_id: UUID, zygosities: list[Zygosity]) -> None:
    found = await tx.session.execute(
        sa.select(VocabularyRow.nickname, VocabularyRow.name, VocabularyRow.id).where(
            VocabularyRow.kind == Vocabulary.ALLELE
        )
    )
    known = {name: row.id for row in found for name in (row.name, row.nickname)}
    for zygosity in zygosities:
        if zygosity.allele not in known:
            raise unknown("zygosities", "nickname", zygosity.allele)
    await tx.session.execute(sa.delete(ZygosityRow).where(ZygosityRow.subject_id == subject_id))
    if zygosities:
        rows = {known[z.allele]: z.zygosity for z in zygosities}
        await tx.session.execute(
            insert(ZygosityRow).values(
                [{"subject_id": subject_id, "allele_id": a, "zygosity": z} for a, z in rows.items()]
            )
        )


async def delete_subject(tx: Transaction, by: Principal, seen: Visibility, nickname: str) -> None:
    """Take an animal without sessions out of sight; it can be brought back within 30 days."""
    row, _ = await animal(tx, seen, nickname)
    await check_may_edit(tx, by, row)
    worked_on = sa.exists().where(ActionRow.subject_id == row.id, ActionRow.deleted_at.is_(None))
    if await tx.session.scalar(sa.select(worked_on)):
        raise Conflict(f"'{nickname}' has sessions, surgeries or restrictions: delete those first.")
    deleted(tx, "subject", row)


async def add_line(tx: Transaction, by: Principal, body: LineIn) -> str:
    """Write a breeding line down; its name. One of a lab is for that lab's people to write."""
    await taken(tx, LineRow.name, body.name)
    lab_id = await references.id_named(tx.session, LabRow, body.lab, "lab")
    if not may_on(by, Permission.WRITE, SHARED if lab_id is None else Target(lab_id)):
        raise Forbidden(f"You are not a member of the lab '{body.lab}'.")
    row = LineRow(
        id=uuid4(),
        name=body.name,
        nickname=body.nickname,
        strain_id=await references.term(tx.session, Vocabulary.STRAIN, body.strain, "strain"),
        lab_id=lab_id,
    )
    created(tx, "line", row, {"name": body.name})
    found = await tx.session.execute(
        sa.select(VocabularyRow.id).where(
            VocabularyRow.kind == Vocabulary.ALLELE,
            sa.or_(VocabularyRow.name.in_(body.alleles), VocabularyRow.nickname.in_(body.alleles)),
        )
    )
    ids = list(found.scalars())
    if len(ids) < len(set(body.alleles)):
        raise unknown("alleles", "nickname", ", ".join(body.alleles))
    await set_links(tx, LineAlleleRow, "line_id", row.id, "allele_id", ids)
    return body.name


async def add_litter(tx: Transaction, by: Principal, body: LitterIn) -> str:
    """Write a litter down; its name. One of a lab's line is for that lab's people to write."""
    await taken(tx, LitterRow.name, body.name)
    line = await references.id_named(tx.session, LineRow, body.line, "line")
    lab_id = await tx.session.scalar(sa.select(LineRow.lab_id).where(LineRow.id == line))
    if not may_on(by, Permission.WRITE, SHARED if lab_id is None else Target(lab_id)):
        raise Forbidden(f"The line '{body.line}' is of another lab, or beyond the token in use.")
    row = LitterRow(id=uuid4(), name=body.name, line_id=line, birth_date=body.birth_date)
    created(tx, "litter", row, {"name": body.name})
    return body.name
