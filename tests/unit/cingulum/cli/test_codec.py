"""The verbs for recordings, as a person types them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from cingulum.cli import codec
from cingulum.codec import digests_of

app = typer.Typer()
codec.register(app)


def run(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, done.output


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    slow = np.cumsum(np.random.default_rng(0).normal(0, 3, (9_000, 8)), axis=0)
    path = tmp_path / "probe.ap.bin"
    path.write_bytes(slow.astype("<i2").tobytes() + b"x")
    path.with_suffix(".meta").write_text("nSavedChans=8\nimSampRate=3000\nsnsApLfSy=7,0,1\n")
    return path


@pytest.mark.parametrize(
    ("preset", "suffix"), [("small", ".cgl"), ("fast", ".cgl"), ("compatible-fast", ".cbin")]
)
def test_there_and_back_again(raw: Path, preset: str, suffix: str) -> None:
    before, packed = digests_of(raw), raw.with_suffix(suffix)
    code, output = run("compress", raw, "--preset", preset)
    assert code == 0
    assert packed.name in output
    assert "ratio" in output
    assert "incomplete" in output
    assert run("verify", packed) == (0, f"{packed.name}: complete; sha256 {before.sha256}\n")
    assert "9,000 samples x 8 channels" in run("info", packed)[1]
    assert run("decompress", packed)[0] == 1  # the raw file is there
    assert run("decompress", packed, "--overwrite")[0] == 0
    assert digests_of(raw) == before


def test_the_original_is_deleted_only_with_the_option_and_after_the_proof(raw: Path) -> None:
    assert run("compress", raw)[0] == 0
    assert raw.exists()
    assert run("compress", raw, "--overwrite", "--replace")[0] == 0
    assert not raw.exists()
    assert run("decompress", raw.with_suffix(".cgl"), "--to", "cbin")[0] == 0
    assert raw.with_suffix(".ch").exists()


def test_damage_is_named_by_its_seconds(raw: Path) -> None:
    run("compress", raw)
    packed = raw.with_suffix(".cgl")
    content = bytearray(packed.read_bytes())
    content[2_000] ^= 1
    packed.write_bytes(content)
    code, output = run("verify", packed)
    assert code == 1
    assert "seconds 0.000 to 3.000" in output


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--preset", "tiny"], 2, "there is no preset 'tiny'"),
        (["--channels", "8"], 2, "both --channels and --rate-hz"),
        (["--channels", "8", "--rate-hz", "3000", "--dtype", "volts"], 2, "there is no type 'volts'"),
        (["--channels", "0", "--rate-hz", "3000"], 1, "0 channels"),
    ],
)
def test_invalid_options_are_an_error_in_one_line(
    raw: Path, options: list[str], code: int, message: str
) -> None:
    exit_code, output = run("compress", raw, *options)
    assert (exit_code, message in output) == (code, True)
    assert not raw.with_suffix(".cgl").exists()


def test_a_raw_file_without_companion_needs_options(raw: Path) -> None:
    raw.with_suffix(".meta").unlink()
    assert "give them" in run("compress", raw)[1]
    assert run("compress", raw, "--channels", 8, "--rate-hz", 3_000)[0] == 0


def test_bench_prints_a_line_for_each_preset(raw: Path) -> None:
    code, output = run("bench", raw, "--seconds", 1)
    assert code == 0
    assert [line.split()[0] for line in output.splitlines()] == ["preset", *codec.PRESETS]


def test_a_file_that_fails_is_named_and_the_others_are_compressed(raw: Path) -> None:
    lonely = raw.with_name("lonely.bin")
    lonely.write_bytes(b"12")
    code, output = run("compress", lonely, raw)
    assert code == 1
    assert "lonely.bin: neither lonely.meta" in output
    assert raw.with_suffix(".cgl").exists()


def test_the_same_command_again_proves_the_existing_target(raw: Path) -> None:
    run("compress", raw)
    code, output = run("compress", raw)
    assert (code, "has the same samples, proved" in output) == (0, True)
    code, output = run("compress", raw, "--replace")
    assert (code, raw.exists()) == (0, False)


def test_a_target_with_another_recording_is_refused(raw: Path) -> None:
    run("compress", raw)
    content = bytearray(raw.read_bytes())
    content[100] ^= 1
    raw.write_bytes(content)
    code, output = run("compress", raw, "--replace")
    assert (code, "contains another recording" in output, raw.exists()) == (1, True, True)


def test_a_raw_file_that_is_not_what_spikeglx_wrote_is_never_deleted(raw: Path) -> None:
    meta = raw.with_suffix(".meta")
    meta.write_text(meta.read_text() + f"fileSHA1={'AB' * 20}\n")
    code, output = run("compress", raw, "--replace")
    assert (code, "is kept: it differs from what SpikeGLX wrote" in output, raw.exists()) == (1, True, True)


def test_what_is_compressed_is_not_compressed_again_and_companions_are_not_recordings(raw: Path) -> None:
    run("compress", raw)
    assert "is already compressed" in run("compress", raw.with_suffix(".cgl"))[1]
    assert "not a recording" in run("verify", raw.with_suffix(".meta"))[1]
    assert "is not compressed" in run("decompress", raw)[1]


def test_results_go_into_a_folder_and_open_ephys_files_keep_their_ending(tmp_path: Path) -> None:
    stream = tmp_path / "continuous" / "Probe-A"
    stream.mkdir(parents=True)
    described = [{"folder_name": "Probe-A/", "sample_rate": 3_000, "num_channels": 4}]
    (tmp_path / "structure.oebin").write_text(json.dumps({"continuous": described}))
    samples = (np.arange(40_000) % 313).astype("<i2")
    (stream / "continuous.dat").write_bytes(samples.tobytes())
    assert run("compress", stream / "continuous.dat", "--into", tmp_path)[0] == 0
    assert "10,000 samples x 4 channels" in run("info", tmp_path / "continuous.cgl")[1]
    assert run("decompress", tmp_path / "continuous.cgl")[0] == 0
    assert (tmp_path / "continuous.dat").read_bytes() == samples.tobytes()


def test_a_recording_without_a_hash_is_not_called_whole(raw: Path) -> None:
    run("compress", raw, "--preset", "compatible-fast")
    header = raw.with_suffix(".ch")
    header.write_text(json.dumps({**json.loads(header.read_text()), "sha1_uncompressed": None}))
    assert "has no hash" in run("verify", raw.with_suffix(".cbin"))[1]


@pytest.mark.deep
def test_a_gigabyte_is_compressed_and_restored_in_300_mb(tmp_path: Path) -> None:
    raw = tmp_path / "probe.ap.bin"
    second = np.random.default_rng(0).normal(0, 9, (30_000, 385)).astype("<i2").tobytes()
    with raw.open("wb") as file:
        for _ in range(44):
            file.write(second)
    raw.with_suffix(".meta").write_text("nSavedChans=385\nimSampRate=30000\nsnsApLfSy=384,0,1\n")
    measured = (
        "from cingulum.cli import main\n"
        "try: main()\n"
        "finally: print(*[line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')])"
    )
    cgl, cbin = raw.with_suffix(".cgl"), raw.with_suffix(".cbin")
    for words in (
        ["compress", raw],
        ["compress", raw, "--preset", "compatible-fast"],
        ["verify", cgl],
        ["decompress", cgl, "--overwrite"],
        ["decompress", cbin, "--overwrite"],
    ):
        command = [sys.executable, "-c", measured, *map(str, words), "--threads", "8"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        # getrusage would tell of the process that started it, too.
        assert int(done.stdout.splitlines()[-1]) * 1024 < 300_000_000, words
