"""Raw voltage of a probe → .cbin and .ch, or .cgl, proved to decode to the same bytes."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import cast

from cingulum.codec import (
    CodecError,
    RawLayout,
    SourceChanged,
    TargetBusy,
    compress,
    compress_to_cbin,
)
from cingulum.codec.chunk_encoder import Preset
from cingulum.codec.companions import read_meta
from cingulum.codec.deflate_engines import CompatiblePreset
from cingulum.worker.pipelines.standard import DEFAULT_PRESET
from cingulum.worker.tasks.context import TaskContext, TaskFailed


def run(context: TaskContext) -> None:
    """Compress `*.ap.bin` with the channels and the rate of its `*.ap.meta`.

    Parameters   `preset` of the codec (`compatible-fast`; `small` and `fast` write a .cgl), `chunk_duration_s`
    Proof        the result is decoded again and must have the SHA-256 of the job's input
    Claims       if the .meta claims another size, channel count, duration or SHA-1, the log says so; the server
                 finds the same when it indexes the result, marks the datasets as doubtful, and keeps the raw file
    """
    raw = context.input("*.bin")
    meta = context.input("*.meta")
    preset = str(context.parameters.get("preset", DEFAULT_PRESET))
    suffix = ".cbin" if preset.startswith("compatible") else ".cgl"
    target = context.output_path(str(PurePosixPath(raw.path).with_suffix(suffix)))
    chunk_s = context.parameters.get("chunk_duration_s")
    try:
        layout = RawLayout.from_spikeglx(read_meta(meta.file), PurePosixPath(meta.path).name)
        if suffix == ".cbin":
            done = compress_to_cbin(
                raw.file,
                target,
                layout=layout,
                preset=cast("CompatiblePreset", preset),
                chunk_duration_s=float(chunk_s or 1.0),
            )
        else:
            done = compress(raw.file, target, layout=layout, preset=cast("Preset", preset), chunk_s=chunk_s)
    except (SourceChanged, TargetBusy) as error:
        raise TaskFailed(str(error), may_help=True) from error
    except CodecError as error:
        raise TaskFailed(str(error)) from error
    if done.raw.sha256 != raw.sha256:
        raise TaskFailed(f"{raw.path} changed while it was compressed", may_help=True)
    context.log(
        f"{raw.path}: {done.n_channels} channels, {done.n_samples} samples, {done.raw.size_bytes} bytes"
        f" to {done.compressed.size_bytes} ({done.ratio:.2f} times smaller), verified by decoding"
    )
    for warning in done.warnings:
        context.log(f"warning: {warning}")
