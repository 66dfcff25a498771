"""A full cache forgets what was used longest ago, and time is what a monotonic clock says."""

from __future__ import annotations

from libs.common.memory import Recent


def test_a_full_cache_forgets_one_entry_and_never_all() -> None:
    recent = Recent[int, int](size=100)
    for n in range(100):
        recent.put(n, n)
    for n in range(100, 150):
        recent.put(n, n)
        assert len(recent) == 100
        assert recent.get(99) == 99  # still in use
    assert recent.get(0) is None


def test_an_entry_ends_when_its_time_is_over() -> None:
    now = [10.0]
    recent = Recent[str, int](size=2, clock=lambda: now[0])
    recent.put("a", 1, seconds=5)
    now[0] = 14.9
    assert recent.get("a") == 1
    now[0] = 15.0
    assert recent.get("a") is None
    assert len(recent) == 0
