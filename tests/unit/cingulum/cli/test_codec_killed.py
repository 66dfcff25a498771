"""The verbs for recordings, killed with SIGKILL at random moments, and given again."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import time
from pathlib import Path

import numpy as np
import pytest
import typer

from cingulum.cli import codec
from cingulum.cli.codec.files import take_little_memory
from cingulum.codec import CglFile, decoded_digests, digests_of

app = typer.Typer()
codec.register(app)
META = "nSavedChans=30\nimSampRate=500\nsnsApLfSy=29,0,1\n"


def _run(words: list[str]) -> None:
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    app(words)


def start(*words: object) -> multiprocessing.process.BaseProcess:
    child = multiprocessing.get_context("fork").Process(target=_run, args=([str(word) for word in words],))
    child.start()
    return child


def finish(*words: object) -> None:
    child = start(*words)
    child.join()
    assert child.exitcode == 0


def killed_at_random(draw: random.Random, whole_s: float, *words: object) -> None:
    child = start(*words)
    time.sleep(draw.uniform(0.0, 1.3) * whole_s)
    kill(child)


def killed_after_a_chunk(target: Path, *words: object) -> None:
    before = n_chunks_done(target)
    child = start(*words)
    while child.is_alive() and n_chunks_done(target) <= before:
        pass
    kill(child)


def kill(child: multiprocessing.process.BaseProcess) -> None:
    child.kill()  # nothing happens if it has ended
    child.join()


def n_chunks_done(target: Path) -> int:
    """Whole lines of the journal beside an unfinished target; all if it is finished."""
    journal = target.with_name(f".{target.name}.journal")
    try:
        return max(0, journal.read_text().count("\n") - 1)
    except FileNotFoundError:
        return 1_000 if target.exists() else 0


@pytest.fixture(scope="module", autouse=True)
def kernels_are_ready() -> None:
    """So that no child compiles."""
    take_little_memory(kernels=True)


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    slow = np.cumsum(np.random.default_rng(0).normal(0, 3, (40_000, 30)), axis=0)
    path = tmp_path / "probe.ap.bin"
    path.write_bytes(slow.astype("<i2").tobytes() + b"tail")
    path.with_suffix(".meta").write_text(META)
    return path


@pytest.mark.parametrize("n_kills", [6, pytest.param(100, marks=pytest.mark.deep)])
@pytest.mark.parametrize("verb", ["compress", "compress --replace", "compress to .cbin", "decompress"])
def test_killed_at_any_moment_nothing_is_lost_and_the_work_resumes(
    raw: Path, verb: str, n_kills: int
) -> None:
    original, packed = digests_of(raw), raw.with_suffix(".cgl")
    arguments: dict[str, list[object]] = {
        "compress": ["compress", raw],
        "compress --replace": ["compress", raw, "--replace"],
        "compress to .cbin": ["compress", raw, "--preset", "compatible-fast"],
        "decompress": ["decompress", packed],
    }
    words = [*arguments[verb], "--threads", "2"]
    source, content = (raw, raw.read_bytes())
    target = raw.with_suffix(".cbin") if verb.endswith(".cbin") else packed
    if verb == "decompress":
        finish("compress", raw, "--replace")
        source, content, target = packed, packed.read_bytes(), raw
    began = time.perf_counter()
    finish(*words)
    whole_s, whole = time.perf_counter() - began, target.read_bytes()

    def fresh() -> None:
        source.write_bytes(content)
        for path in raw.parent.iterdir():
            if path not in (source, raw.with_suffix(".meta")):
                path.unlink()

    draw, taken_up = random.Random(7), 0
    fresh()
    for n in range(n_kills):
        before = n_chunks_done(target)
        if n % 2:
            killed_after_a_chunk(target, *words)
        else:
            killed_at_random(draw, whole_s, *words)
        assert n_chunks_done(target) >= before, "it started over"
        taken_up += 0 < before < 1_000
        if source.exists():
            assert source.read_bytes() == content
        else:
            with CglFile(packed) as recording:
                assert decoded_digests(recording) == original
        if target.exists():
            assert target.read_bytes() == whole
            # With --replace a target that is there is proved again, and the raw file goes.
            if not source.exists() if verb.endswith("--replace") else draw.random() < 0.5:
                fresh()
    if source.exists() and not (verb == "decompress" and target.exists()):
        finish(*words)
    assert target.read_bytes() == whole
    assert source.exists() is (verb != "compress --replace") or n_kills == 0
    assert n_kills < 100 or taken_up
    left = {path.name for path in raw.parent.iterdir()} - {
        source.name,
        target.name,
        "probe.ap.meta",
        "probe.ap.ch",
    }
    assert {name for name in left if not name.endswith(".lock")} == set()


def test_an_attempt_of_another_file_is_set_aside_with_a_message(
    raw: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    part, journal = raw.with_name(".probe.ap.cgl.part"), raw.with_name(".probe.ap.cgl.journal")
    part.write_bytes(b"what another attempt left")
    journal.write_text(json.dumps({"source": {"size": 1}, "settings": {}, "bounds": 0}) + "\n4 5\n")
    with pytest.raises(SystemExit) as ended:
        app(["compress", str(raw)])
    assert ended.value.code == 0
    assert (
        "cannot be resumed, its source has changed since: starting from the beginning"
        in capfd.readouterr().err
    )
    assert not part.exists()
