"""What depends on what: the declaration of each service is whole."""

from __future__ import annotations

import importlib
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from libs.common.catalogue import STATEFUL
from libs.common.db.dependants import Dependants, Fate, cascades, is_soft, keeps, refuses
from libs.common.undo import Undoables


class _Base(DeclarativeBase):
    pass


class _Cage(_Base):
    __tablename__ = "cages"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    deleted_at: Mapped[str | None]


class _Mouse(_Base):
    __tablename__ = "mice"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    cage_id: Mapped[UUID] = mapped_column(sa.ForeignKey(_Cage.id))
    deleted_at: Mapped[str | None]


def _undoables(service: str) -> tuple[Undoables, sa.MetaData]:
    app = importlib.import_module(f"services.{service}.app")
    models = importlib.import_module(f"services.{service}.models")
    return getattr(app, "UNDOABLES", Undoables()), models.Base.metadata


@pytest.mark.parametrize("service", STATEFUL)
def test_every_reference_between_rows_that_can_be_deleted_is_declared(service: str) -> None:
    undoables, metadata = _undoables(service)
    assert undoables.tree.undeclared(metadata) == []


@pytest.mark.parametrize("service", STATEFUL)
def test_every_column_that_names_a_row_of_the_same_service_is_a_key_or_declared(service: str) -> None:
    """A column such as `session_id` may name a row without being a foreign key."""
    undoables, metadata = _undoables(service)
    declared = {each.column for each in undoables.tree.dependences}
    names = {f"{table.name.removesuffix('s')}_id" for table in undoables.tree.tables}
    names |= {f"{kind}_id" for kind in undoables.nouns} | {"object_id"}
    unknown = [
        str(column)
        for table in metadata.sorted_tables
        if is_soft(table)
        for column in table.columns
        if column.name in names and not column.foreign_keys and column not in declared
    ]
    elsewhere = {"datasets.session_id", "datasets.object_id"}  # of metadata, whose views they join
    assert set(unknown) <= elsewhere


def test_an_undeclared_reference_is_noticed() -> None:
    tree = Dependants({_Cage: "cage", _Mouse: "mouse"})
    assert tree.undeclared(_Base.metadata) == ["mice.cage_id"]
    for declared in (cascades(_Mouse.cage_id), keeps(_Mouse.cage_id, reason="it moves")):
        assert Dependants({_Cage: "cage", _Mouse: "mouse"}, declared).undeclared(_Base.metadata) == []


def test_a_declaration_that_cannot_be_followed_is_refused() -> None:
    with pytest.raises(TypeError, match="kind"):
        Dependants({_Cage: "cage"}, cascades(_Mouse.cage_id))
    with pytest.raises(TypeError, match="reason"):
        Dependants({_Cage: "cage"}, refuses(_Mouse.cage_id, ""))


def test_what_a_deletion_takes_and_what_it_waits_for() -> None:
    tree = Dependants({_Cage: "cage", _Mouse: "mouse"}, refuses(_Mouse.cage_id, "It has mice."))
    cage, mouse = tree.tables
    assert [each.fate for each in tree.below(cage)] == [Fate.REFUSE]
    assert tree.below(mouse) == []
    assert [each.parent for each in tree.above(mouse)] == [cage]
