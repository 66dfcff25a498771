"""What the companions of raw files tell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cingulum.codec import InvalidLayout, RawLayout, parse_meta


def test_a_nidq_file_has_its_own_channels_rate_and_digital_words(tmp_path: Path) -> None:
    meta = f"nSavedChans=9\nniSampRate=25000.43\nsnsMnMaXaDw=0,0,8,1\nfileSHA1={'ABCD' * 10}\ntypeThis=nidq\n"
    (tmp_path / "run.nidq.meta").write_text(meta)
    layout = RawLayout.beside(tmp_path / "run.nidq.bin")
    assert (layout.n_channels, layout.sample_rate_hz) == (9, 25000.43)
    assert layout.digital_channels == (8,)
    assert [claim.text for claim in layout.claims if claim.field == "fileSHA1"] == ["ABCD" * 10]


def test_shanks_come_from_either_geometry_table() -> None:
    shared = {"nSavedChans": "3", "imSampRate": "30000", "snsApLfSy": "2,0,1"}
    old = RawLayout.from_spikeglx({**shared, "snsShankMap": "(4,2,640)(0:0:0:1)(3:1:0:1)"})
    new = RawLayout.from_spikeglx({**shared, "snsGeomMap": "(NP2013,4,250,70)(0:27:0:1)(3:59:0:1)"})
    assert old.shanks == new.shanks == (0, 3)


def test_streams_are_read_from_an_open_ephys_folder(tmp_path: Path) -> None:
    folder = tmp_path / "recording1" / "continuous" / "Probe-A"
    folder.mkdir(parents=True)
    stream = {"folder_name": "Probe-A/", "sample_rate": 30_000, "num_channels": 384}
    (tmp_path / "recording1" / "structure.oebin").write_text(json.dumps({"continuous": [stream]}))
    assert RawLayout.beside(folder / "continuous.dat").n_channels == 384
    with pytest.raises(InvalidLayout, match="Probe-B"):
        RawLayout.from_open_ephys({"continuous": [stream]}, "Probe-B")


def test_without_a_companion_the_error_names_the_expected_files(tmp_path: Path) -> None:
    with pytest.raises(InvalidLayout, match=r"probe\.ap\.meta nor a structure\.oebin"):
        RawLayout.beside(tmp_path / "probe.ap.bin")


@pytest.mark.parametrize(
    "meta", ["", "nSavedChans=385\n", "nSavedChans=x\nimSampRate=1\n", "nSavedChans=0\nimSampRate=1\n"]
)
def test_a_meta_without_channels_or_rate_is_refused(meta: str) -> None:
    with pytest.raises(InvalidLayout):
        RawLayout.from_spikeglx(parse_meta(meta))
