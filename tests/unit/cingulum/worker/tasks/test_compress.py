"""The compress task: what it writes is what mtscomp writes."""

from __future__ import annotations

from fnmatch import fnmatchcase
from pathlib import Path

import mtscomp
import numpy as np
import pytest

from cingulum.worker.pipelines.standard import compress_task
from cingulum.worker.tasks import TaskFailed
from cingulum.worker.tasks.compress import run
from examples.synthetic_recording import write_recording
from tests.unit.cingulum.worker.tasks.conftest import MakeContext

STEM = "raw_ephys_data/probe00/_spikeglx_ephysData_g0_t0.imec0.ap"


@pytest.fixture
def recording(tmp_path: Path) -> dict[str, Path]:
    """Half a second more than one, so that the last chunk is short."""
    raw = tmp_path / "recording.ap.bin"
    write_recording(raw, seconds=1.5)
    return {f"{STEM}.bin": raw, f"{STEM}.meta": raw.with_suffix(".meta")}


def test_mtscomp_opens_what_was_written_and_gives_the_original(
    recording: dict[str, Path], make_context: MakeContext
) -> None:
    context = make_context(recording)
    run(context)
    names = sorted(
        p.relative_to(context.output_folder).as_posix()
        for p in context.output_folder.rglob("*")
        if p.is_file()
    )
    assert names == [f"{STEM}.cbin", f"{STEM}.ch"]
    reader = mtscomp.Reader()
    reader.open(context.output_folder / f"{STEM}.cbin", context.output_folder / f"{STEM}.ch")
    original = np.fromfile(recording[f"{STEM}.bin"], "<i2").reshape(-1, 385)
    np.testing.assert_array_equal(reader[:], original)
    reader.close()


@pytest.mark.parametrize("preset", ["small", "compatible-small"])
def test_a_preset_writes_what_the_task_then_declares(
    recording: dict[str, Path], make_context: MakeContext, preset: str
) -> None:
    context = make_context(recording, preset=preset)
    run(context)
    declared = [output.name for output in compress_task(preset).outputs]
    names = sorted(p.name for p in context.output_folder.rglob("*") if p.is_file())
    assert [fnmatchcase(name, glob) for name, glob in zip(names, declared, strict=True)] == [True] * len(
        names
    )


def test_the_result_is_smaller_and_the_log_describes_it(
    recording: dict[str, Path], make_context: MakeContext, capsys: pytest.CaptureFixture[str]
) -> None:
    context = make_context(recording)
    run(context)
    assert (context.output_folder / f"{STEM}.cbin").stat().st_size < recording[
        f"{STEM}.bin"
    ].stat().st_size / 1.5
    assert "385 channels, 45000 samples" in capsys.readouterr().out


def test_a_meta_without_channels_is_a_permanent_failure(
    recording: dict[str, Path], make_context: MakeContext
) -> None:
    recording[f"{STEM}.meta"].write_text("imSampRate=30000\n")
    with pytest.raises(TaskFailed, match="nSavedChans") as failure:
        run(make_context(recording))
    assert not failure.value.may_help


@pytest.mark.parametrize("preset", ["small", "compatible-fast"])
def test_a_meta_that_claims_another_size_is_named_in_the_log_and_stops_no_job(
    recording: dict[str, Path], make_context: MakeContext, capsys: pytest.CaptureFixture[str], preset: str
) -> None:
    meta = recording[f"{STEM}.meta"]
    lines = [line for line in meta.read_text().splitlines() if not line.startswith("fileSizeBytes")]
    meta.write_text("\n".join([*lines, "fileSizeBytes=20400"]) + "\n")
    run(make_context(recording, preset=preset))
    log = capsys.readouterr().out
    assert (
        "warning: _spikeglx_ephysData_g0_t0.imec0.ap.meta: fileSizeBytes claims 20400, but the file has"
        in log
    )


def test_a_recording_without_samples_is_a_permanent_failure(
    recording: dict[str, Path], make_context: MakeContext
) -> None:
    recording[f"{STEM}.bin"].write_bytes(b"")
    with pytest.raises(TaskFailed, match="no complete sample") as failure:
        run(make_context(recording))
    assert not failure.value.may_help


def test_bytes_other_than_the_jobs_are_not_published(
    recording: dict[str, Path], make_context: MakeContext
) -> None:
    context = make_context(recording)
    with recording[f"{STEM}.bin"].open("r+b") as file:
        file.write(b"\x01\x02")
    with pytest.raises(TaskFailed, match="changed") as failure:
        run(context)
    assert failure.value.may_help
