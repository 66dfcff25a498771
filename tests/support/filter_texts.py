"""Filter texts as clients send them, and as careless or hostile ones could."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.support.filter_maps import SESSIONS

AN_ID = "4ecb5d24-f5cc-402c-be28-9d0f7cb14b3a"
FIELDS = [
    "pk", "number", "performance", "is_mock", "task_protocol", "start_time", "start_time__date", "started_at",
    "started_at__date", "started_at__year", "told", "told__day", "json", "json__a", "json__a__0__é", "subject",
    "subject__nickname", "subject__birth_date", "subject__birth_date__month", "projects", "projects__name",
    "data_dataset_session_related__size", "parent_session__number", "subject__sessions__json__n",
    "projects__sessions__subject__sessions__start_time",
]  # fmt: skip
LOOKUPS = [
    "exact", "iexact", "contains", "icontains", "startswith", "istartswith", "endswith", "iendswith", "in", "gt", "gte",
    "lt", "lte", "isnull", "range", "regex", "iregex", "has_key", "has_keys", "has_any_keys",
]  # fmt: skip

_words = st.sampled_from([
    "None", "True", "1", "-2.5", ".5", "1" * 38, "99999999999999999999", "abc", AN_ID, "2024-03-02", "2024-03-02Z",
    "0001-01-01", "9999-12-31T23:59:59.999999", "0001-01-01T00:00:00-14:00", "", " ", "%_\\", "'", "é\U0001f400",
]) | st.text(max_size=8) | st.floats(allow_nan=False, allow_infinity=False).map(repr)  # fmt: skip
_items = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3) | _words
_lists = st.lists(_items, max_size=3)
values = (
    _words | _lists.map(repr) | _lists.map(tuple).map(repr) | st.text("ab.*+?|^$()[]{}\\-19,'", max_size=8)
)

likely_names = st.tuples(st.sampled_from(FIELDS), st.sampled_from(["", *LOOKUPS])).map(
    lambda pair: "__".join(filter(None, pair))
)
odd_names = st.lists(
    st.sampled_from(
        [*SESSIONS.fields, "pk", "name", "in", "isnull", "date", "subject_id", "", "a", "0", "__class__"]
    ),
    max_size=5,
).map("__".join)


def texts(names: st.SearchStrategy[str], most_pairs: int = 2) -> st.SearchStrategy[str]:
    """Pairs of such names and any values, some negated."""
    pairs = st.lists(st.tuples(st.sampled_from(["", "~"]), names, values), min_size=1, max_size=most_pairs)
    return pairs.map(lambda many: ",".join(f"{sign}{name},{value}" for sign, name, value in many))
