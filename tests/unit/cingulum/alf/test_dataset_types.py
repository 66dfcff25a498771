"""The dataset type and format of a file name, compared with the ONE client."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from one.registration import get_dataset_type

from cingulum.alf import AmbiguousDatasetType, DatasetTypes, NoDatasetType, UnknownFormat, match_extension

VOCABULARY = [
    ("spikes.times", "*spikes.times*.npy"),
    ("ephysData.raw.ap", "*ephysData*.ap.cbin"),
    ("ephysData.raw.meta", "*ephysData*.meta"),
    ("DAQdata.raw", "_*_DAQdata.raw*"),
    ("widefield.raw", "widefield.raw.*"),
    ("widefield.raw.meta", "widefield.raw.meta.*"),
    ("mpci.times", ""),
    ("mpciROIs.masks", "  "),
    ("waveforms.table", ""),
    ("iblsorter_parameters", "*iblsorter_parameters.yaml"),
    ("notes", ""),
]
TYPES = DatasetTypes(VOCABULARY)


@given(
    st.sampled_from(["", "_ibl_", "_timeline_", "_IBL_"]),
    st.sampled_from(["spikes.times", "Spikes.Times", "mpci.times", "MPCI.times", "mpciROIs.masks", "DAQdata.raw",
                     "ephysData_g0_t0.imec0", "widefield.raw", "waveforms.table", "notes", "iblsorter_parameters"]),
    st.sampled_from(["", "_bpod", ".ap", ".meta", ".part1"]),
    st.sampled_from([".npy", ".cbin", ".meta", ".yaml", ".txt", ""]),
)  # fmt: skip
def test_every_name_gets_the_type_the_one_client_gives_it(
    space: str, stem: str, extra: str, ending: str
) -> None:
    name = f"{space}{stem}{extra}{ending}"
    records: list[dict[str, Any]] = [
        {"name": kind, "filename_pattern": pattern} for kind, pattern in VOCABULARY
    ]
    try:
        theirs = get_dataset_type(name, records).name
    except ValueError as refusal:
        expected = AmbiguousDatasetType if "Multiple" in str(refusal) else NoDatasetType
        with pytest.raises(expected):
            TYPES.match(name)
    else:
        assert TYPES.match(name).name == theirs


def test_two_fitting_types_are_both_named() -> None:
    with pytest.raises(AmbiguousDatasetType) as refusal:
        TYPES.match("widefield.raw.meta.json")
    text = "widefield.raw ('widefield.raw.*'), widefield.raw.meta ('widefield.raw.meta.*')"
    assert text in str(refusal.value)
    assert "Narrow the filename pattern of one of them" in str(refusal.value)


def test_a_name_with_the_uuid_of_its_dataset_has_the_type_of_the_name_without() -> None:
    name = "_spikeglx_ephysData_g0_t0.imec0.ap.e9fabe60-2075-41af-ba5a-b126ca965f88.cbin"
    assert TYPES.match(name).name == "ephysData.raw.ap"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("spikes.times.csv", "expects names like '*spikes.times*.npy'"),
        ("Mpci.times.npy", "did you mean `mpci.times`"),
        ("foo.bar.npy", "add a type named 'foo.bar'"),
    ],
)
def test_a_name_without_type_gets_advice(name: str, message: str) -> None:
    with pytest.raises(NoDatasetType) as refusal:
        TYPES.match(name)
    assert message in str(refusal.value)


@pytest.mark.parametrize("name", ["a.b.xyz", "README", ".npy", "a."])
def test_an_unknown_extension_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(UnknownFormat, match=r"\.cbin, \.npy"):
        match_extension(name, [".npy", ".cbin", ""])
