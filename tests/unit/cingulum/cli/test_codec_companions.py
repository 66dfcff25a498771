"""Recordings whose companions claim something else, as a person meets them at every verb."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from cingulum.cli import codec
from cingulum.codec import digests_of

app = typer.Typer()
codec.register(app)
UUIDS = ("e9fabe60-2075-41af-ba5a-b126ca965f88", "8f81ad37-a9ea-4406-9de4-46531d83374b")


def run(*words: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, done.output


def a_recording(folder: Path, n_samples: int = 600, tail: bytes = b"", **changed: str) -> Path:
    samples = np.random.default_rng(0).integers(-300, 300, (n_samples, 17), np.int16)
    raw = folder / "m1_g0_t0.imec0.ap.bin"
    raw.write_bytes(samples.tobytes() + tail)
    meta = {
        "imSampRate": "300",
        "nSavedChans": "17",
        "snsApLfSy": "16,0,1",
        "fileSizeBytes": "20400",
        "fileTimeSecs": "2",
    }
    raw.with_suffix(".meta").write_text(
        "".join(f"{key}={value}\n" for key, value in (meta | changed).items())
    )
    return raw


@pytest.mark.parametrize("preset", ["small", "compatible-fast"])
@pytest.mark.parametrize(
    ("n_samples", "tail", "changed", "field"),
    [
        (400, b"", {}, "fileSizeBytes claims 20400"),
        (600, b"\0\1", {}, "fileSizeBytes claims 20400"),
        (700, b"", {}, "fileSizeBytes claims 20400"),
        (600, b"\0", {"fileSizeBytes": "20401"}, "nSavedChans claims 17"),
        (600, b"", {"nSavedChans": "15"}, "snsApLfSy claims 17 channels"),
        (600, b"", {"fileTimeSecs": "2.5"}, "fileTimeSecs claims 2.5"),
        (600, b"", {"fileSHA1": "AB" * 20}, "fileSHA1 claims"),
    ],
)
def test_a_raw_file_that_its_companion_contradicts_is_never_deleted(
    tmp_path: Path, preset: str, n_samples: int, tail: bytes, changed: dict[str, str], field: str
) -> None:
    raw = a_recording(tmp_path, n_samples, tail, **changed)
    before = digests_of(raw)
    for again in range(2):
        code, output = run("compress", raw, "--preset", preset, "--replace")
        assert (code, again, digests_of(raw)) == (1, again, before)
        assert f"{raw.with_suffix('.meta').name}: {field}" in output
        assert "is kept" in output
    code, output = run("verify", raw.with_suffix(".cgl" if preset == "small" else ".cbin"))
    assert (code, field in output) == (1, True)
    assert run("compress", raw, "--preset", preset)[0] == 0


@pytest.mark.parametrize("verb", ["info", "verify"])
@pytest.mark.parametrize("suffix", [".bin", ".cgl", ".cbin"])
def test_every_command_names_wrong_claims(tmp_path: Path, verb: str, suffix: str) -> None:
    raw = a_recording(tmp_path, 400)
    run("compress", raw)
    run("compress", raw, "--preset", "compatible-fast")
    code, output = run(verb, raw.with_suffix(suffix))
    assert code == 1
    assert "m1_g0_t0.imec0.ap.meta: fileSizeBytes claims 20400, but the file has 13600 bytes" in output
    assert "fileTimeSecs claims 2, but the file has 1.333333 s" in output


def test_decompress_names_a_wrong_claim_and_restores_the_bytes(tmp_path: Path) -> None:
    raw = a_recording(tmp_path, 400)
    before = digests_of(raw)
    run("compress", raw)
    raw.unlink()
    code, output = run("decompress", raw.with_suffix(".cgl"))
    assert (code, "fileSizeBytes claims 20400" in output, digests_of(raw)) == (0, True, before)


@pytest.mark.parametrize("sha1", ["0", "", "0" * 40, "not computed"])
def test_a_placeholder_is_not_a_hash_so_the_raw_file_can_be_replaced(tmp_path: Path, sha1: str) -> None:
    raw = a_recording(tmp_path, fileSHA1=sha1)
    before = digests_of(raw)
    assert run("compress", raw, "--replace")[0] == 0
    assert not raw.exists()
    assert run("verify", raw.with_suffix(".cgl")) == (
        0,
        f"{raw.with_suffix('.cgl').name}: complete; sha256 {before.sha256}\n",
    )


def test_channels_of_the_options_are_compared_with_the_companion(tmp_path: Path) -> None:
    raw = a_recording(tmp_path)
    code, output = run("compress", raw, "--channels", 15, "--rate-hz", 300, "--replace")
    assert (code, "nSavedChans claims 17, but the file has 15 channels" in output, raw.exists()) == (
        1,
        True,
        True,
    )


def test_a_pair_with_two_uuids_opens_and_two_candidates_are_named(tmp_path: Path) -> None:
    raw = a_recording(tmp_path)
    before = digests_of(raw)
    run("compress", raw, "--preset", "compatible-fast", "--replace")
    cbin = raw.with_suffix(".cbin").rename(tmp_path / f"m1_g0_t0.imec0.ap.{UUIDS[0]}.cbin")
    ch = raw.with_suffix(".ch").rename(tmp_path / f"m1_g0_t0.imec0.ap.{UUIDS[1]}.ch")
    assert "600 samples x 17 channels" in run("info", cbin)[1]
    assert run("verify", cbin)[0] == 0
    other = tmp_path / "m1_g0_t0.imec0.ap.ch"
    other.write_bytes(ch.read_bytes())
    for verb in ("info", "verify", "decompress"):
        code, output = run(verb, cbin)
        assert (code, ch.name in output, other.name in output, "--ch FILE" in output) == (1, True, True, True)
    assert run("verify", cbin, "--ch", ch)[0] == 0
    assert run("decompress", cbin, "--ch", ch)[0] == 0
    assert digests_of(cbin.with_suffix(".bin")) == before
    assert run("info", cbin, raw.with_suffix(".meta"), "--ch", ch)[0] == 2


def test_two_metas_are_named_and_one_can_be_chosen(tmp_path: Path) -> None:
    raw = a_recording(tmp_path)
    meta = raw.with_suffix(".meta")
    first = meta.rename(tmp_path / f"m1_g0_t0.imec0.ap.{UUIDS[0]}.meta")
    second = tmp_path / f"m1_g0_t0.imec0.ap.{UUIDS[1]}.meta"
    second.write_text(first.read_text().replace("20400", "13600"))
    code, output = run("compress", raw, "--replace")
    assert (code, first.name in output, second.name in output, raw.exists()) == (1, True, True, True)
    assert run("compress", raw, "--meta", second, "--replace")[0] == 1
    assert raw.exists()
    assert run("compress", raw, "--meta", first, "--replace")[0] == 0
    assert not raw.exists()
