"""What companions claim, compared with what recordings are."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cingulum.codec import (
    AmbiguousCompanion,
    CbinFile,
    CodecError,
    ContradictedRecording,
    Facts,
    InvalidLayout,
    RawLayout,
    Recording,
    compress,
    compress_to_cbin,
    contradictions,
    parse_meta,
)
from cingulum.codec.claims import claims_of_ch, claims_of_meta, hash_or_none
from cingulum.codec.companions import claims_beside

SHA1 = "da4b9237bacccdf19c0760cab7aec4a8359010b0"
META = {
    "nSavedChans": "17",
    "imSampRate": "300",
    "snsApLfSy": "16,0,1",
    "fileSizeBytes": "20400",
    "fileTimeSecs": "2",
    "fileSHA1": SHA1,
}
FACTS = Facts(20_400, n_channels=17, n_samples=600, sample_rate_hz=300.0, sha1=SHA1)
UUIDS = ("e9fabe60-2075-41af-ba5a-b126ca965f88", "8f81ad37-a9ea-4406-9de4-46531d83374b")


def fields(meta: dict[str, str], facts: Facts = FACTS) -> list[str]:
    return [contradiction.field for contradiction in contradictions(claims_of_meta(meta, "a.meta"), facts)]


def test_a_meta_that_is_right_is_contradicted_by_nothing() -> None:
    assert fields(META) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"fileSizeBytes": "20399"}, ["fileSizeBytes"]),
        ({"fileSizeBytes": "0"}, ["fileSizeBytes"]),
        ({"fileSizeBytes": "-1"}, ["fileSizeBytes"]),
        ({"fileSizeBytes": "20_400"}, ["fileSizeBytes"]),
        ({"fileSizeBytes": "many"}, ["fileSizeBytes"]),
        ({"fileSizeBytes": ""}, []),
        ({"fileTimeSecs": "2.003"}, []),
        ({"fileTimeSecs": "2.01"}, ["fileTimeSecs"]),
        ({"fileTimeSecs": "1.99"}, ["fileTimeSecs"]),
        ({"fileTimeSecs": "nan"}, ["fileTimeSecs"]),
        ({"imSampRate": "300.01"}, ["imSampRate"]),
        ({"nSavedChans": "16"}, ["nSavedChans", "snsApLfSy"]),
        ({"snsApLfSy": "15,0,1"}, ["snsApLfSy"]),
        ({"snsSaveChanSubset": "0:15,384"}, []),
        ({"snsSaveChanSubset": "all"}, []),
        ({"snsSaveChanSubset": "0:14,384"}, ["snsSaveChanSubset"]),
        ({"fileSHA1": SHA1.upper()}, []),
        ({"fileSHA1": "ab" * 20}, ["fileSHA1"]),
        ({"fileSHA1": "0"}, []),
        ({"fileSHA1": "0" * 40}, []),
        ({"fileSHA1": ""}, []),
        ({"fileSHA1": "not computed"}, []),
    ],
)
def test_each_claim_is_compared(changed: dict[str, str], expected: list[str]) -> None:
    assert fields(META | changed) == expected


@pytest.mark.parametrize("over", [1, 33])
def test_an_incomplete_last_sample_contradicts_a_meta_that_was_finished(over: int) -> None:
    longer = replace(FACTS, size_bytes=20_400 + over, tail_bytes=over)
    assert fields(META, longer) == ["fileSizeBytes", "nSavedChans"]
    assert fields(META | {"fileSizeBytes": str(20_400 + over)}, longer) == ["nSavedChans"]
    unfinished = {key: META[key] for key in ("nSavedChans", "imSampRate", "snsApLfSy")}
    assert fields(unfinished, longer) == []


def test_a_longer_file_is_named_with_both_numbers() -> None:
    (size, seconds) = contradictions(
        claims_of_meta(META, "a.ap.meta"), replace(FACTS, size_bytes=23_800, n_samples=700)
    )
    assert str(size) == "a.ap.meta: fileSizeBytes claims 20400, but the file has 23800 bytes"
    assert str(seconds).startswith("a.ap.meta: fileTimeSecs claims 2, but the file has 2.333333 s")


@pytest.mark.parametrize(
    ("text", "n_samples", "right"),
    [
        ("1146.84", round(1146.8417 * 30_000), True),  # six digits, as %g prints
        ("1146.85", round(1146.8417 * 30_000), False),
        ("1146.8417", round(1146.8417 * 30_000), True),
        ("1146.841733333333", round(1146.8417 * 30_000), True),
        ("1146.841833333333", round(1146.8417 * 30_000), False),
    ],
)
def test_seconds_may_be_rounded_as_they_are_printed(text: str, n_samples: int, *, right: bool) -> None:
    facts = Facts(n_samples * 770, 385, n_samples, 30_000.0)
    meta = {"nSavedChans": "385", "imSampRate": "30000", "fileTimeSecs": text}
    assert (fields(meta, facts) == []) is right


def test_a_ch_is_compared_with_its_file_and_with_itself() -> None:
    header = {"chunk_offsets": [0, 100], "shape": [600, 16]}
    result = contradictions(claims_of_ch(header, "a.ch"), replace(FACTS, compressed_bytes=99))
    assert [str(contradiction) for contradiction in result] == [
        "a.ch: chunk_offsets claims 100, but the file has 99 bytes",
        "a.ch: shape claims 16, but the file has 17 channels",
    ]


LINE = st.text(st.characters(blacklist_characters="\r\n=~\ufeff", blacklist_categories=["Cs"])).map(str.strip)
VALUE = st.text(st.characters(blacklist_characters="\r\n", blacklist_categories=["Cs"])).map(str.strip)


@given(
    st.dictionaries(LINE.filter(bool), VALUE),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from(["", "\ufeff"]),
)
def test_a_meta_is_read_as_it_was_written(entries: dict[str, str], end: str, mark: str) -> None:
    text = mark + end.join(f"{key}={value}" for key, value in entries.items())
    assert parse_meta(text) == entries


KEYS = ["nSavedChans", "imSampRate", "niSampRate", "snsApLfSy", "snsMnMaXaDw", "snsXaDwSy", "snsGeomMap"]
NUMBERS = ["", "0", "-1", "17", "1e400", "nan", "1_7", "١٧", "16,0,1", "16,0", "(a)(0:0:0:1)(x:1:1:1)"]


@given(
    st.dictionaries(
        st.sampled_from([*KEYS, "fileSizeBytes", "fileTimeSecs", "fileSHA1"]),
        st.text() | st.sampled_from(NUMBERS),
    )
)
def test_any_meta_is_parsed_or_refused_with_a_reason(meta: dict[str, str]) -> None:
    contradictions(claims_of_meta(meta, "a.meta"), FACTS)
    try:
        layout = RawLayout.from_spikeglx(meta)
    except InvalidLayout:
        return
    assert layout.n_channels > 0
    assert all(0 <= channel < layout.n_channels for channel in layout.digital_channels)


@given(st.text() | st.none() | st.integers())
def test_a_hash_is_forty_digits_that_are_not_all_equal(text: object) -> None:
    value = hash_or_none(text)
    assert value is None or (len(value) == 40 and int(value, 16) >= 0 and len(set(value)) > 1)


def a_raw_file(folder: Path, name: str = "probe.ap.bin", n_samples: int = 600) -> Path:
    samples = np.random.default_rng(0).integers(-300, 300, (n_samples, 17), np.int16)
    raw = folder / name
    raw.write_bytes(samples.tobytes())
    return raw


def a_meta(path: Path, **changed: str) -> None:
    path.write_text(
        "".join(f"{key}={value}\n" for key, value in ({**META, "fileSHA1": "0"} | changed).items())
    )


def test_a_recording_opens_whatever_its_meta_claims_and_warns(tmp_path: Path) -> None:
    raw = a_raw_file(tmp_path, n_samples=400)
    a_meta(raw.with_suffix(".meta"))
    compress(raw)
    compress_to_cbin(raw)
    for path in (raw, raw.with_suffix(".cgl"), raw.with_suffix(".cbin")):
        with pytest.warns(ContradictedRecording, match="fileSizeBytes claims 20400"):
            recording = Recording.open(path)
        with recording:
            assert recording.shape == (400, 17)
            assert [text.split()[1] for text in recording.contradictions] == ["fileSizeBytes", "fileTimeSecs"]


def test_a_pair_with_two_uuids_belongs_together(tmp_path: Path) -> None:
    raw = a_raw_file(tmp_path)
    a_meta(raw.with_suffix(".meta"))
    compress_to_cbin(raw)
    cbin = raw.with_suffix(".cbin").rename(tmp_path / f"probe.ap.{UUIDS[0]}.cbin")
    first = raw.with_suffix(".ch").rename(tmp_path / f"probe.ap.{UUIDS[1]}.ch")
    (tmp_path / f"probe.lf.{UUIDS[1]}.ch").write_text("{}")
    with CbinFile(cbin) as recording:
        assert recording.shape == (600, 17)
    assert {claim.companion for claim in claims_beside(cbin)} == {"probe.ap.meta"}
    second = tmp_path / "probe.ap.ffffffff-a9ea-4406-9de4-46531d83374b.ch"
    second.write_bytes(first.read_bytes())
    with pytest.raises(AmbiguousCompanion, match=rf"{first.name}, {second.name}.*--ch"):
        CbinFile(cbin)
    with Recording.open(cbin, ch=second) as recording:
        assert recording.shape == (600, 17)
    own = cbin.with_suffix(".ch")
    own.write_bytes(first.read_bytes())
    with CbinFile(cbin) as recording:
        assert recording.shape == (600, 17)


@pytest.mark.parametrize("change", ["cut", "extended"])
def test_a_cbin_of_another_size_than_in_its_ch_is_reported(tmp_path: Path, change: str) -> None:
    raw = a_raw_file(tmp_path)
    a_meta(raw.with_suffix(".meta"))
    compress_to_cbin(raw)
    cbin = raw.with_suffix(".cbin")
    content = cbin.read_bytes()
    cbin.write_bytes(content[:-5] if change == "cut" else content + b"trail")
    with pytest.warns(ContradictedRecording, match=r"probe\.ap\.ch: chunk_offsets"):
        Recording.open(cbin).close()


def an_open_ephys(folder: Path, names: list[str], **stream: object) -> Path:
    place = folder / "experiment1" / "recording1" / "continuous" / "Probe-A"
    place.mkdir(parents=True)
    described = {
        "folder_name": "Probe-A/",
        "sample_rate": 300,
        "num_channels": 17,
        "channels": [{"channel_name": name} for name in names],
    }
    structure = place.parents[1] / "structure.oebin"
    structure.write_text(json.dumps({"continuous": [described | stream]}))
    return a_raw_file(place, "continuous.dat")


def test_open_ephys_sync_channels_carry_bits(tmp_path: Path) -> None:
    names = [f"CH{n}" for n in range(17)]
    names[3], names[16] = "my_sync_3", "CH_SYNC"
    raw = an_open_ephys(tmp_path, names)
    assert RawLayout.beside(raw).digital_channels == (3, 16)
    assert compress(raw).contradictions == ()


def test_open_ephys_claims_are_compared(tmp_path: Path) -> None:
    raw = an_open_ephys(tmp_path, [f"CH{n}" for n in range(16)])
    raw.write_bytes(raw.read_bytes() + b"xyz")
    assert [contradiction.field for contradiction in compress(raw).contradictions] == [
        "num_channels",
        "channels",
    ]


@pytest.mark.parametrize("stream", [{"num_channels": None}, {"sample_rate": "fast"}, {"num_channels": [1]}])
def test_an_open_ephys_structure_without_numbers_is_refused(
    tmp_path: Path, stream: dict[str, object]
) -> None:
    with pytest.raises(CodecError, match="num_channels or sample_rate"):
        RawLayout.beside(an_open_ephys(tmp_path, [], **stream))
