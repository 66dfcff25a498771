"""Every map of the free filters says who may know of its rows, and no longer name or list passes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.sql.elements import CollectionAggregate

from libs.common.filters import (
    BadFilterValue,
    FieldMap,
    Relation,
    UnknownFilter,
    parse_filter,
    visible_to_all,
)
from libs.common.filters.parameters import MOST_NAMES, parse_names
from tests.support.list_filters import DJANGO_FIELDS

# What everybody who signed in may list whole, also with a narrowed token: /tags, /data-repository and so on; and the
# nickname and the usernames that a record shows by itself. Nothing else may be public.
VOCABULARIES = {
    "brain regions",
    "content types",
    "data formats",
    "data repositories",
    "dataset types",
    "repositories",
    "repository types",
    "revisions",
    "subjects of sessions",
    "tags",
    "terms",
    "users of records",
}


def _maps() -> Iterator[FieldMap]:
    """Each map that a list filters by, and each that a relation leads to."""
    waiting, known = list(DJANGO_FIELDS.values()), set[FieldMap]()
    while waiting:
        fields = waiting.pop()
        if fields not in known:
            known.add(fields)
            relations = [field for field in fields.fields.values() if isinstance(field, Relation)]
            waiting += [way.target() for field in relations for way in (field, field.shown) if way]
            yield fields


def test_a_map_is_a_vocabulary_or_has_a_rule_of_visibility() -> None:
    public = {fields.noun for fields in _maps() if fields.visible is visible_to_all}
    assert public == VOCABULARIES
    hidden = {fields.noun for fields in _maps() if fields.visible is not visible_to_all}
    assert {"sessions", "subjects", "projects", "datasets", "insertions", "weighings", "tasks"} <= hidden


def test_a_relation_is_never_searched_for_in_an_array_of_each_row() -> None:
    """Nothing can hash `id = ANY(array)`: with 20,000 tasks it compares 400 million pairs.

    Where rows are of one session and an array decides among them, few pairs are compared.
    """
    ways = [(fields.noun, name, way.on) for fields in _maps() for name, way in fields.fields.items()
            if isinstance(way, Relation)]  # fmt: skip
    searched = [
        (noun, name)
        for noun, name, on in ways
        if any(isinstance(part.right, CollectionAggregate) for part in _parts(on))
    ]
    assert (searched, len(ways) > 100) == ([], True)


def _parts(on: sa.ColumnElement[bool]) -> list[sa.BinaryExpression[bool]]:
    """The comparisons that must all hold."""
    parts = on.clauses if isinstance(on, sa.sql.elements.BooleanClauseList) else [on]
    return [part for part in parts if isinstance(part, sa.BinaryExpression)]


SESSIONS = DJANGO_FIELDS["/sessions"]
OF_FILES = "data_dataset_session_related__file_records__data_repository__name__icontains,a"


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        (",".join(["number,1"] * 33), "at most 32 pairs"),
        (",".join([OF_FILES] * 11), "at most 10 of its pairs"),
        (
            "pk__in," + repr([f"{n:08}-0000-4000-8000-000000000000" for n in range(1_001)]),
            "at most 1000 values",
        ),
        ("extended_qc__has_any_keys," + repr([str(n) for n in range(1_001)]), "at most 1000 values"),
        ("subject__" + "weighings__subject__" * 3 + "nickname,x", "more than 5 relations"),
    ],
)
def test_what_would_take_too_long_is_refused_with_its_limit(text: str, limit: str) -> None:
    with pytest.raises((BadFilterValue, UnknownFilter)) as refusal:
        parse_filter(text, SESSIONS)
    assert refusal.value.status == 400
    assert limit in refusal.value.body()["detail"]


def test_what_clients_send_is_within_the_limits() -> None:
    ids = [f"{n:08}-0000-4000-8000-000000000000" for n in range(1_000)]
    assert len(parse_filter(f"pk__in,{ids!r}", SESSIONS)) == 1
    assert len(parse_filter(",".join([OF_FILES] * 10 + ["number,1"] * 22), SESSIONS)) == 32
    assert len(parse_filter("subject__weighings__subject__weighings__subject__lab,None", SESSIONS)) == 1


def test_a_comma_separated_list_has_a_maximum_length() -> None:
    assert len(parse_names(",".join(["a"] * MOST_NAMES))) == MOST_NAMES
    with pytest.raises(ValueError, match="At most 32 values"):
        parse_names(",".join(["a"] * (MOST_NAMES + 1)))
