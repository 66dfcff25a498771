"""The tasks that every system has."""

from __future__ import annotations

from typing import Final

from cingulum.worker.pipelines.declaration import DatasetPattern, Level, TaskDeclaration

DEFAULT_PRESET: Final = "compatible-fast"


def compress_task(preset: str = DEFAULT_PRESET) -> TaskDeclaration:
    """The task that compresses a probe's raw recording.

    The default writes .cbin and .ch, since unmodified ONE clients and spikeglx load nothing else. `small` and `fast`
    write one .cgl, a quarter smaller, and slices of it are read ten times faster: for labs whose readers have cingulum.

    >>> [output.name for output in compress_task("small").outputs]
    ['*.ap.cgl']
    """
    endings = ("cbin", "ch") if preset.startswith("compatible") else ("cgl",)
    return TaskDeclaration(
        name="compress",
        code_version="1",
        inputs=(
            DatasetPattern("raw_ephys_data/{probe}", "*.ap.bin"),
            DatasetPattern("raw_ephys_data/{probe}", "*.ap.meta"),
        ),
        outputs=tuple(DatasetPattern("raw_ephys_data/{probe}", f"*.ap.{ending}") for ending in endings),
        level=Level.INSERTION,
        # Parameters are part of a job's key: without any for the default, existing outputs stay valid.
        parameters={} if preset == DEFAULT_PRESET else {"preset": preset},
        cpu=2,
        ram=2,
        time_out_s=6 * 3600,
        priority=30,
    )


TRIAL_SUMMARY: Final = TaskDeclaration(
    name="trial_summary",
    code_version="1",
    inputs=(DatasetPattern("alf", "_ibl_trials.table.pqt"),),
    outputs=(DatasetPattern("alf", "_cingulum_behaviour.summary.json"),),
)
PSYCHOMETRIC_FIT: Final = TaskDeclaration(
    name="psychometric_fit",
    code_version="1",
    inputs=(
        DatasetPattern("alf", "_ibl_trials.table.pqt"),
        # The number of trials to expect; it also makes the fit a child of the summary.
        DatasetPattern("alf", "_cingulum_behaviour.summary.json"),
    ),
    outputs=(DatasetPattern("alf", "_cingulum_psychometric.fit.json"),),
)


def standard(preset: str = DEFAULT_PRESET) -> tuple[TaskDeclaration, ...]:
    """The tasks of a system that compresses with this preset."""
    return (compress_task(preset), TRIAL_SUMMARY, PSYCHOMETRIC_FIT)


STANDARD: Final = standard()
