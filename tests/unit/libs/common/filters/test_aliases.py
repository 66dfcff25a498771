"""An alias that rules and filters keep never stands within itself: its condition would hold for every row."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.base import PGDialect

from libs.common.filters import FieldMap, Relation, parse_filter, to_sql
from libs.common.permissions import Principal
from libs.common.published import SESSIONS, table
from libs.common.scopes import Permission, Scope
from libs.common.visibility import Visibility, visibility
from libs.common.visible import is_dataset_visible, is_session_visible
from tests.support.list_filters import DJANGO_FIELDS

_POSTGRESQL = PGDialect()  # type: ignore[no-untyped-call]
_DECLARED = re.compile(r"[()]|\bAS (\w+_\d+)")


def redeclared(statement: sa.ClauseElement) -> list[str]:
    """Aliases that a FROM declares within the scope of the same alias."""
    scopes: list[set[str]] = [set()]
    twice = []
    for token in _DECLARED.finditer(str(statement.compile(dialect=_POSTGRESQL))):
        if token[0] == "(":
            scopes.append(set())
        elif token[0] == ")":
            scopes.pop()
        else:
            twice += [token[1]] if any(token[1] in scope for scope in scopes) else []
            scopes[-1].add(token[1])
    return twice


def callers() -> Iterator[Visibility]:
    here, there = uuid4(), uuid4()
    of_lab = frozenset({Scope(Permission.READ, lab_id=there)})
    of_project = frozenset({Scope(Permission.READ, project_id=here)})
    for projects in (frozenset(), frozenset({here})):
        for scopes in (None, of_lab, of_project, of_lab | of_project):
            for public in (False, True):
                principal = Principal(uuid4(), "ada", is_public=public, projects=projects, scopes=scopes)
                yield visibility(principal)


def paths(fields: FieldMap, hops: int, before: str = "") -> Iterator[str]:
    """Every field that can be reached over so many relations, in both directions."""
    for name, entry in fields.fields.items():
        if isinstance(entry, Relation):
            yield from paths(entry.target(), hops - 1, f"{before}{name}__") if hops else ()
        elif hops == 0:
            yield f"{before}{name}"


@pytest.mark.parametrize("path_of_list", DJANGO_FIELDS)
def test_no_filter_of_any_map_holds_an_alias_within_itself(path_of_list: str) -> None:
    some = random.Random(7)
    everybody = [*callers()]
    for hops in range(4):
        all_paths = [*paths(DJANGO_FIELDS[path_of_list], hops)]
        for path in some.sample(all_paths, min(len(all_paths), 6)):
            for condition in (f"{path}__isnull,True", f"~{path}__isnull,False"):
                parsed = parse_filter(condition, DJANGO_FIELDS[path_of_list])
                for visibility_of_caller in some.sample(everybody, 2):
                    statement = sa.select(DJANGO_FIELDS[path_of_list].source).where(
                        to_sql(parsed, visibility_of_caller)
                    )
                    assert redeclared(statement) == [], condition


def test_rules_side_by_side_share_aliases_and_a_nested_one_is_noticed() -> None:
    session = table(SESSIONS)
    for visibility_of_caller in callers():
        both = sa.select(session.c.id).where(
            is_session_visible(visibility_of_caller, session.c.id),
            is_dataset_visible(visibility_of_caller, session.c.id),
        )
        assert redeclared(both) == []
    inner = sa.select(sa.literal(1)).where(is_session_visible(visibility_of_caller, uuid4()))
    alias = inner.whereclause.element.get_final_froms()[0]  # type: ignore[union-attr]
    assert redeclared(sa.select(alias.c.id).where(is_session_visible(visibility_of_caller, alias.c.id)))
