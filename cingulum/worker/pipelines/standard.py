"""The tasks that every system has."""

from __future__ import annotations

from typing import Final

from cingulum.nwb.inputs import ATTRIBUTES
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


# All optional: the file has what a session has. `[._]` ends an attribute: wheel.times is not wheel.timestamps.
NWB_EXPORT: Final = TaskDeclaration(
    name="nwb_export",
    code_version="1",
    inputs=tuple(
        DatasetPattern("alf*", f"*{name}.{ending}", required=False)
        for name, attributes in ATTRIBUTES.items()
        for ending in (["*"] if attributes is None else [f"{attribute}[._]*" for attribute in attributes])
    ),
    outputs=(
        DatasetPattern("nwb", "_cingulum_nwb.processed.nwb"),
        DatasetPattern("nwb", "_cingulum_nwb.checks.json"),
    ),
    ram=4,
    priority=20,
    needs=("pynwb", "ndx_pose", "nwbinspector"),
)


# What the raw file says of the voltage, beside the recording itself: times, and where the electrodes are.
_BESIDE_VOLTAGE: Final = (
    DatasetPattern("raw_ephys_data*", "*.meta", required=False),
    DatasetPattern("raw_ephys_data*", "*.timestamps.npy", required=False),
    DatasetPattern("raw_ephys_data*", "*.ap.ch", required=False),
    DatasetPattern("raw_ephys_data*", "*.lf.[bc]*", required=False),
    *(
        DatasetPattern("alf*", f"*channels.{attribute}[._]*", required=False)
        for attribute in ("localCoordinates", "mlapdv", "brainLocationIds", "rawInd")
    ),
    DatasetPattern("raw_video_data*", "*Camera.raw.*", required=False),
    DatasetPattern("alf*", "*Camera.times.*", required=False),
)


def nwb_raw_task(voltage: str = "copy", address: str = "") -> TaskDeclaration:
    """The task that writes a session's raw NWB file from its compressed recordings; apart from the processed file,
    so that neither is made again for the inputs of the other.

    voltage  `copy` the samples, or `link` to the recordings as they are served below `address`

    >>> [output.name for output in nwb_raw_task("link", "https://lab.example.org/data").outputs]
    ['_cingulum_nwb.rawLinks.json', '_cingulum_nwb.rawChecks.json']
    """
    name = "_cingulum_nwb.rawLinks.json" if voltage == "link" else "_cingulum_nwb.raw.nwb"
    return TaskDeclaration(
        name="nwb_export_raw",
        code_version="1",
        # .cbin or .cgl: a .bin is compressed by a task of its own.
        inputs=(DatasetPattern("raw_ephys_data*", "*.ap.c[bg]*"), *_BESIDE_VOLTAGE),
        outputs=(DatasetPattern("nwb", name), DatasetPattern("nwb", "_cingulum_nwb.rawChecks.json")),
        parameters={} if voltage == "copy" else {"voltage": voltage, "address": address.rstrip("/")},
        cpu=2,
        ram=4,
        time_out_s=12 * 3600,
        priority=10,
        needs=NWB_EXPORT.needs,
    )


NWB_EXPORT_RAW: Final = nwb_raw_task()


def standard(
    preset: str = DEFAULT_PRESET,
    *,
    exports_nwb: bool = False,
    raw_nwb: TaskDeclaration | None = NWB_EXPORT_RAW,
) -> tuple[TaskDeclaration, ...]:
    """The tasks of a system that compresses with this preset and, with `exports_nwb`, writes NWB files.

    `raw_nwb` is the task of the raw ones, None for processed ones only.
    """
    tasks = (compress_task(preset), TRIAL_SUMMARY, PSYCHOMETRIC_FIT)
    raw = () if raw_nwb is None else (raw_nwb,)
    return (*tasks, NWB_EXPORT, *raw) if exports_nwb else tasks


STANDARD: Final = standard()
