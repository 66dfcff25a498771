"""SpikeInterface, ibl-neuropixel and mtscomp open what we write, and we open what they write, bit for bit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, Literal

import mtscomp
import numpy as np
import pytest
import spikeglx
import spikeinterface.core as si
import zarr
from spikeinterface.extractors import read_cbin_ibl

from cingulum.codec import CbinFile, compress_to_cbin, decompress_to_bin, digests_of
from cingulum.codec.zarr_v2 import CingulumCodec

ROOT = Path(__file__).parents[2]
CASES = {"np1": "ap", "np2": "ap", "lf": "lf"}


@pytest.fixture(params=CASES)
def raw(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A generated recording with its SpikeGLX .meta: a second and a half of each kind of probe, six of LF."""
    case: str = request.param
    path = tmp_path / f"_spikeglx_ephysData_g0_t0.imec0.{CASES[case]}.bin"
    seconds = "6" if case == "lf" else "1.5"
    words = ["bench.codec.recordings", str(path), "--case", case, "--seconds", seconds]
    subprocess.run([sys.executable, "-m", *words], check=True, capture_output=True, cwd=ROOT)
    return path


def samples_of(raw: Path) -> Any:
    return np.fromfile(raw, "<i2").reshape(-1, 385)


@pytest.mark.parametrize("preset", ["compatible-small", "compatible-fast"])
def test_spikeglx_reads_our_cbin_as_it_reads_the_raw_file(
    raw: Path, preset: Literal["compatible-small", "compatible-fast"]
) -> None:
    compress_to_cbin(raw, preset=preset)
    with spikeglx.Reader(raw) as before, spikeglx.Reader(raw.with_suffix(".cbin")) as after:
        assert (before.shape, before.fs, before.type) == (after.shape, after.fs, after.type)
        assert after.is_mtscomp
        middle = slice(before.ns // 3, before.ns // 3 + 2_000)
        np.testing.assert_array_equal(before[middle, :], after[middle, :])
        np.testing.assert_array_equal(before._raw[:], after._raw[:])
        np.testing.assert_array_equal(before.read_sync(middle), after.read_sync(middle))
        assert after.verify_hash()


def test_we_read_what_spikeglx_compresses_and_it_restores_what_we_compress(raw: Path) -> None:
    original = digests_of(raw)
    with spikeglx.Reader(raw) as reader:
        theirs = Path(reader.compress_file(keep_original=True))
    with CbinFile(theirs) as ours:
        np.testing.assert_array_equal(ours.read(0, ours.n_samples), samples_of(raw))
        assert decompress_to_bin(ours, raw.with_name("again.bin")) == original
    compress_to_cbin(raw, overwrite=True)
    raw.unlink()
    with spikeglx.Reader(theirs) as reader:
        restored = Path(reader.decompress_file(keep_original=True))
    assert digests_of(restored) == original


def test_mtscomp_checks_our_cbin_against_the_raw_file(raw: Path) -> None:
    compress_to_cbin(raw)
    packed = raw.with_suffix(".cbin")
    mtscomp.check(samples_of(raw), packed, packed.with_suffix(".ch"))
    mtscomp.decompress(packed, packed.with_suffix(".ch"), out=raw.with_name("again.bin"), quiet=True)
    assert digests_of(raw.with_name("again.bin")) == digests_of(raw)


@pytest.mark.parametrize("raw", ["np1", "np2"], indirect=True)  # of a session with LF alone it finds nothing
def test_spikeinterface_reads_our_cbin(raw: Path) -> None:
    compress_to_cbin(raw)
    recording = read_cbin_ibl(
        cbin_file_path=raw.with_suffix(".cbin"), stream_name="ap", load_sync_channel=True
    )
    np.testing.assert_array_equal(recording.get_traces(), samples_of(raw))


@pytest.mark.parametrize("preset", ["small", "fast"])
def test_spikeinterface_writes_and_opens_zarr_in_our_chunks(
    raw: Path, tmp_path: Path, preset: Literal["small", "fast"]
) -> None:
    samples = samples_of(raw)
    recording = si.NumpyRecording([samples], sampling_frequency=30_000.0)
    folder = tmp_path / "recording.zarr"
    recording.save(format="zarr", folder=folder, compressor=CingulumCodec(preset=preset))
    # Another process, which imports nothing of ours: numcodecs finds the codec by its entry point.
    reader = (
        "import sys, numpy as np, spikeinterface.core as si\n"
        "found = si.load(sys.argv[1])\n"
        "np.save(sys.argv[2], found.get_traces())\n"
    )
    subprocess.run([sys.executable, "-c", reader, str(folder), str(tmp_path / "found.npy")], check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "found.npy"), samples)
    opened: Any = zarr.open(str(folder), mode="r")
    traces = opened["traces_seg0"]
    assert traces.compressor.codec_id == "cingulum"
    assert traces.nbytes_stored < samples.nbytes / 1.8
