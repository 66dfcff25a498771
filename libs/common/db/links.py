"""Many-to-many relations of a row: changed with an audit entry, and changed back."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import DeclarativeBase

from libs.common.db.sessions import WriteSession
from libs.common.db.transaction import Transaction

State = dict[str, Any]  # the ids of the others, each with its value, or None


@dataclass(frozen=True)
class Links:
    """A relation of rows: its name in bodies and audit entries, its table, the columns of the row and of the others.

    value   a column of the relation's own, such as the zygosity of an allele
    """

    name: str
    table: type[DeclarativeBase]
    owner: str
    other: str
    value: str | None = None

    async def fetch(self, session: WriteSession, owner_id: UUID) -> State:
        """What a row is linked to."""
        owner, other = getattr(self.table, self.owner), getattr(self.table, self.other)
        value = sa.null() if self.value is None else getattr(self.table, self.value)
        rows = await session.execute(sa.select(other, value).where(owner == owner_id).order_by(other))
        return {str(other_id): value for other_id, value in rows}

    def audited(self, state: State) -> list[str] | State:
        """A state as audit entries store it."""
        return sorted(state) if self.value is None else state

    def undone(self, now: State, before: Any, after: Any) -> State:
        """What a row is linked to now, without a change: what was linked beside it since stays.

        >>> Links("users", DeclarativeBase, "", "").undone({"a": None, "c": None}, ["b"], ["a"])
        {'c': None, 'b': None}
        """
        old, new = ({**dict.fromkeys(state), **(state if self.value else {})} for state in (before, after))
        changed = {key for key in {*old, *new} if (key in old, old.get(key)) != (key in new, new.get(key))}
        return {key: value for key, value in now.items() if key not in changed} | {
            key: value for key, value in old.items() if key in changed
        }


async def set_links(
    tx: Transaction, links: Links, noun: str, owner_id: UUID, others: Collection[UUID] | Mapping[UUID, Any]
) -> None:
    """Make a relation hold exactly these, with their values; a change is audited with those before and after."""
    values = others if isinstance(others, Mapping) else dict.fromkeys(others)
    before = await links.fetch(tx.session, owner_id)
    after = {str(other_id): values[other_id] for other_id in sorted(values)}
    if after == before:
        return
    owner, other = getattr(links.table, links.owner), getattr(links.table, links.other)
    same = {UUID(each) for each, value in after.items() if each in before and before[each] == value}
    is_same = other == sa.any_(sa.literal(list(same), sa.ARRAY(other.type)))
    await tx.session.execute(sa.delete(links.table).where(owner == owner_id, ~is_same))
    new = {each: value for each, value in values.items() if each not in same}
    if new:
        await _insert(tx.session, links, owner_id, new)
    audit_links(tx, links, noun, owner_id, before, after)


async def _insert(session: WriteSession, links: Links, owner_id: UUID, new: Mapping[UUID, Any]) -> None:
    """Insert rows from an array per column: a row of a release's notice may be one of 50,000, each with parameters."""
    columns: dict[str, list[Any]] = {links.other: list(new)}
    if links.value is not None:
        columns[links.value] = list(new.values())
    table = links.table.__table__
    arrays = [sa.literal(values, sa.ARRAY(table.c[name].type)) for name, values in columns.items()]
    fields = [sa.column(name, table.c[name].type) for name in columns]
    rows = sa.func.unnest(*arrays).table_valued(*fields, name="rows").render_derived()
    source = sa.select(sa.literal(owner_id, table.c[links.owner].type), *rows.c)
    statement = insert(links.table).from_select([links.owner, *columns], source)
    await session.execute(statement.on_conflict_do_nothing())


def audit_links(
    tx: Transaction, links: Links, noun: str, owner_id: UUID, before: State, after: State
) -> None:
    """Add the change of a relation to the audit entry of the row."""
    if before != after:
        shown_before, shown_after = links.audited(before), links.audited(after)
        tx.audit_change(noun, owner_id, before={links.name: shown_before}, after={links.name: shown_after})
