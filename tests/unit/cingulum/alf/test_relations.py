"""Relations between datasets, their clocks, and the order of parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cingulum.alf import parse_file_name
from cingulum.alf.relations import TimeKind, clock, in_order, references, time_kind


@pytest.mark.parametrize(
    ("name", "kind", "on"),
    [
        ("spikes.times.npy", TimeKind.EVENTS, "universal"),
        ("spikes.times_ephysClock.npy", TimeKind.EVENTS, "ephysClock"),
        ("trials.stimOn_times_bpod.npy", TimeKind.EVENTS, "bpod"),
        ("trials.goCue_intervals.npy", TimeKind.INTERVALS, "universal"),
        ("wheel.timestamps_bpod.raw.csv", TimeKind.SERIES, "bpod"),
        ("spikes.depths.npy", None, None),
    ],
)
def test_the_kind_of_times_and_their_clock(name: str, kind: TimeKind | None, on: str | None) -> None:
    assert (time_kind(parse_file_name(name)), clock(parse_file_name(name))) == (kind, on)


def test_only_the_exact_plural_refers() -> None:
    texts = ("clusters.probes.npy", "clusters.probe.npy", "probes.description.json", "probes.probes.npy")
    references_of_folder = references(map(parse_file_name, texts))
    assert [(str(reference.source), reference.target) for reference in references_of_folder] == [
        ("clusters.probes.npy", "probes")
    ]


@given(st.permutations(["a.b.tif", "a.b.1.tif", "a.b.1.x.tif", "a.b.10.tif", "a.b.2.tif"]))
def test_parts_are_put_in_text_order_level_by_level(texts: list[str]) -> None:
    ordered = [str(name) for name in in_order(map(parse_file_name, texts))]
    assert ordered == ["a.b.tif", "a.b.1.tif", "a.b.1.x.tif", "a.b.10.tif", "a.b.2.tif"]
