"""Filter texts become conditions over declared fields, or one typed refusal that names the filter."""

from __future__ import annotations

import contextlib
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.filters import BadFilterValue, FilterProblem, UnknownFilter, parse_filter, parse_json_filter
from tests.support.filter_maps import DATASETS, SESSIONS
from tests.support.filter_texts import AN_ID, likely_names, odd_names, texts


@pytest.mark.parametrize(
    ("text", "lookup", "value"),
    [
        (f"pk,{AN_ID}", "exact", UUID(AN_ID)),
        (f"pk__in,('{AN_ID}',)", "in", [UUID(AN_ID)]),
        (f"id__in,['{AN_ID}', None]", "in", [UUID(AN_ID)]),
        ("subject__nickname,001", "exact", "001"),
        ("subject__nickname,true", "exact", "true"),
        ("subject__nickname,None", "isnull", True),
        ("subject__nickname__in,['a', 1]", "in", ["a", "1"]),
        ("subject__nickname__in,KS022", "in", ["KS022"]),
        ("number,1.0", "exact", 1),
        ("number__gte,1.5", "gte", 1.5),
        ("number__range,[1, 3]", "range", [1, 3]),
        ("performance__lt,7", "lt", 7.0),
        ("is_mock,TRUE", "exact", True),
        ("session_isnull,1", None, None),
        ("subject__isnull,False", "isnull", False),
        ("start_time,2024-03-02", "exact", datetime(2024, 3, 2)),  # noqa: DTZ001
        ("start_time,2024-03-02 10:00:00+02:00", "exact", datetime(2024, 3, 2, 8)),  # noqa: DTZ001
        ("started_at,2024-03-02T10:00:00", "exact", datetime(2024, 3, 2, 10, tzinfo=UTC)),
        ("start_time__date,2024-03-02", "exact", date(2024, 3, 2)),
        ("start_time__date__lt,2024-03-02", "lt", date(2024, 3, 2)),
        ("start_time__year__gte,2024", "gte", 2024),
        ("json__extended_qc__alignment_resolved,True", "exact", True),
        ("json__a__0__b__gt,2.5", "gt", 2.5),
        ("json__a__in,['5', 5, None]", "in", ["5", 5, None]),
        ("json__a__in,5", "in", [5]),
        ("json__a__contains,{'b': [1]}", "contains", {"b": [1]}),
        ("json__has_any_keys,['a', 'b']", "has_any_keys", ["a", "b"]),
        ("json__has_key,a", "has_key", "a"),
    ],
)
def test_a_value_becomes_what_its_field_compares_with(text: str, lookup: str | None, value: object) -> None:
    if lookup is None:
        with pytest.raises(UnknownFilter):
            parse_filter(text, SESSIONS)
        return
    [condition] = parse_filter(text, SESSIONS)
    assert (condition.lookup, condition.value) == (lookup, value)
    assert type(condition.value) is type(value)


def test_a_foreign_key_column_is_compared_without_a_join() -> None:
    for text in ("session", "session_id", "session__id", "session__pk", "session__isnull", "session__id__in"):
        [condition] = parse_filter(f"{text},{'True' if 'isnull' in text else AN_ID}", DATASETS)
        assert condition.hops == ()
    [condition] = parse_filter(f"session__subject,{AN_ID}", DATASETS)
    assert len(condition.hops) == 1


def test_a_json_text_goes_into_its_field() -> None:
    first, second = parse_json_filter("alignment__resolved,True,~a__gte,2", SESSIONS, "json")
    assert (first.json_path, first.value, first.negated) == (("alignment", "resolved"), True, False)
    assert (second.json_path, second.lookup, second.value, second.negated) == (("a",), "gte", 2, True)


@pytest.mark.parametrize(
    "text",
    ["color,red", "subject__password,x", "subject__deleted_at__isnull,True", "number__has_key,1", "number__year,2",
     "is_mock__gt,1", "_sa_registry,1", "__class__,1", "subject____nickname,x", ",x", "subject__nickname__date,2024",
     "start_time__date__date,2024-01-01", "start_time__second,1", "json__" + "a__" * 30 + "b,1",
     "subject__sessions__" * 6 + "number,1"],
)  # fmt: skip
def test_what_is_not_declared_does_not_exist(text: str) -> None:
    with pytest.raises(UnknownFilter) as refusal:
        parse_filter(text, SESSIONS)
    name = text.split(",", maxsplit=1)[0]
    assert refusal.value.status == 400
    assert refusal.value.body()["type"] == "unknown-filter"
    assert refusal.value.body()["filter"] == name
    assert name[:100] in refusal.value.body()["detail"]


@pytest.mark.parametrize(
    "text",
    ["pk,abc", "pk__in,[abc]", "pk__in,(1", "pk__in,{'a': 1}", "number,x", "number,1e400", "number,9223372036854775808",
     "performance,nan", "is_mock,maybe", "start_time,yesterday", "start_time,2024-13-01", "subject__isnull,perhaps",
     "number__range,[1]", "number__gt,None", "started_at,0001-01-01T00:00:00+14:00", "task_protocol__regex,(a",
     "task_protocol__iregex,(?=x)", "json__a__gt,True", "json__a__gt,[1]", "json__a__in,[[1]]", "json__a,[open]",
     "number,['1', '2']", "subject__nickname__in,['\\x00']"],
)  # fmt: skip
def test_a_value_of_another_kind_is_refused_by_name(text: str) -> None:
    with pytest.raises(BadFilterValue) as refusal:
        parse_filter(text, SESSIONS)
    assert refusal.value.body()["type"] == "bad-filter-value"
    assert refusal.value.body()["filter"] == text.split(",", maxsplit=1)[0]


@given(st.text(max_size=60) | texts(odd_names, most_pairs=3) | texts(likely_names, most_pairs=3))
def test_any_text_is_conditions_or_a_typed_refusal(text: str) -> None:
    with contextlib.suppress(FilterProblem):
        parse_filter(text, SESSIONS)
    with contextlib.suppress(FilterProblem):
        parse_json_filter(text, SESSIONS, "json")
