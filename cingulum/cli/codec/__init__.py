"""`cingulum compress|decompress|verify|info|bench`: lossless compression of recordings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cingulum.cli._errors import refuse
from cingulum.cli.codec.files import (
    Raw,
    check_single,
    first_samples,
    layout_of,
    open_recording,
    take_little_memory,
)
from cingulum.cli.codec.showing import Failures, FileRefused, bar_of, note_of
from cingulum.file_identity import FileIdentity

if TYPE_CHECKING:
    from cingulum.codec import ChunkedReader, Compression, Contradiction

PRESETS = ("small", "fast", "compatible-small", "compatible-fast")
Files = Annotated[
    list[Path], typer.Argument(help="recordings", show_default=False, exists=True, dir_okay=False)
]
Threads = Annotated[int | None, typer.Option(help="threads; default: all cores", min=1)]
MemoryMb = Annotated[
    int,
    typer.Option(help="memory limit of the process; more memory allows more threads", min=200),
]
Ch = Annotated[
    Path | None,
    typer.Option(help="the .ch of a .cbin, if it has another name", exists=True, dir_okay=False),
]
Meta = Annotated[
    Path | None,
    typer.Option(help="the .meta, if it has another name", exists=True, dir_okay=False),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="replace an existing target")]
Into = Annotated[
    Path | None,
    typer.Option(help="folder for the results; default: that of each file", file_okay=False, exists=True),
]


def register(app: typer.Typer) -> None:
    """Add the commands for recordings."""
    for command, example in EXAMPLES.items():
        app.command(command.__name__, rich_help_panel="Recordings", epilog=f"Example: `{example}`")(command)


def compress(
    files: Files,
    preset: Annotated[
        str,
        typer.Option(
            help="small | fast (.cgl), compatible-small | compatible-fast (.cbin and .ch, for mtscomp and spikeglx)"
        ),
    ] = "small",
    into: Into = None,
    channels: Annotated[
        int | None, typer.Option(help="number of saved channels, if there is no .meta")
    ] = None,
    rate_hz: Annotated[float | None, typer.Option(help="sample rate, if there is no .meta")] = None,
    dtype: Annotated[str, typer.Option(help="NumPy type of the samples, if there is no .meta")] = "int16",
    meta: Meta = None,
    threads: Threads = None,
    memory_mb: MemoryMb = 300,
    overwrite: Overwrite = False,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace", help="delete the raw file after the compressed file has been decoded and compared"
        ),
    ] = False,
) -> None:
    """Compress raw recordings; each result is decoded again and compared with its original.

    Shape, rate and geometry come from the .meta (SpikeGLX) or structure.oebin (Open Ephys) in the same folder. A run
    that was killed resumes when the same command is run again. The original is not touched, unless --replace deletes
    it after the comparison; it is kept if the .meta or structure.oebin claims another size, channel count, duration
    or SHA-1 than it has. Exit code: 0 success, 1 a file failed, 2 invalid options.
    """
    if preset not in PRESETS:
        refuse(f"there is no preset {preset!r}; choose one of {', '.join(PRESETS)}")
    check_single(files, meta)
    take_little_memory(kernels=not preset.startswith("compatible"))
    failures = Failures()
    for path in files:
        with failures.of(path):
            if path.suffix in (".cgl", ".cbin"):
                raise FileRefused("is already compressed; `cingulum decompress --to` converts it")
            before, layout = FileIdentity.at(path), layout_of(path, channels, rate_hz, dtype, meta)
            suffix = ".cbin" if preset.startswith("compatible") else ".cgl"
            raw = Raw(path, (into or path.parent) / path.with_suffix(suffix).name, layout, meta)
            contradictions = _ensure_target(raw, preset, threads, memory_mb, overwrite=overwrite)
            if replace:
                raw.delete(before, contradictions)
                typer.echo(f"{path.name}: deleted; {raw.target.name} is proved to have the same samples")
    failures.exit()


def decompress(
    files: Files,
    to: Annotated[str, typer.Option(help="format to write: bin, cbin or cgl")] = "bin",
    into: Into = None,
    threads: Threads = None,
    memory_mb: MemoryMb = 300,
    overwrite: Overwrite = False,
    ch: Ch = None,
    meta: Meta = None,
) -> None:
    """Restore the raw file of a .cgl or .cbin, byte for byte, or convert to the other compressed format.

    The result is compared with the hashes that were stored at compression. A run that was killed resumes when the same
    command is run again.
    """
    from cingulum.codec import Decoded, decompress_to_bin, write_cbin, write_cgl
    from cingulum.codec.chunk_writer import Work

    if to not in ("bin", "cbin", "cgl"):
        refuse(f"there is no format {to!r}; choose one of bin, cbin, cgl")
    check_single(files, ch, meta)
    take_little_memory(kernels=to == "cgl" or any(path.suffix == ".cgl" for path in files))
    failures = Failures()
    for path in files:
        if path.suffix not in (".cgl", ".cbin"):
            failures.add(path, "is not compressed: give a .cgl or .cbin")
            continue
        with failures.of(path), open_recording(path, ch, meta) as recording, bar_of(path.name) as shown:
            reader = recording.reader
            suffix = (reader.raw_suffix or ".bin") if to == "bin" else f".{to}"
            target = (into or path.parent) / path.with_suffix(suffix).name
            if target == path:
                raise FileRefused(f"is already a {suffix}")
            work = vars(Work(threads, memory_mb * 1_000_000, shown, note_of(path)))
            if to == "bin":
                digests = decompress_to_bin(reader, target, overwrite=overwrite, **work)
            else:
                write = write_cbin if to == "cbin" else write_cgl
                digests = write(Decoded(reader), target, overwrite=overwrite, **work).raw
            for contradiction in recording.contradictions(digests):
                note_of(path)(str(contradiction))
            typer.echo(f"{path.name}: wrote {target.name}, {reader.raw_size_bytes:,} bytes of samples")
    failures.exit()


def verify(
    files: Files, ch: Ch = None, meta: Meta = None, threads: Threads = None, memory_mb: MemoryMb = 300
) -> None:
    """Decode every chunk and compare the hash of the whole; list the damaged seconds.

    Claims of the .meta, .ch or structure.oebin about the recording are compared too: size, channels, duration, SHA-1.
    """
    from cingulum.codec import DamagedChunk, decoded_digests
    from cingulum.codec.claims import Fact

    check_single(files, ch, meta)
    take_little_memory(kernels=any(path.suffix == ".cgl" for path in files))
    failures = Failures()
    for path in files:
        with failures.of(path), open_recording(path, ch, meta) as recording, bar_of(path.name) as shown:
            reader = recording.reader
            try:
                digests = decoded_digests(reader, threads, shown, memory_mb * 1_000_000)
            except DamagedChunk:
                for message in _damage(reader):
                    failures.add(path, message)
                continue
            contradictions = recording.contradictions(digests)
            for contradiction in contradictions:
                failures.add(path, str(contradiction))
            if difference := reader.difference(digests):
                failures.add(path, f"decodes, but not to the file that was compressed: {difference}")
            elif contradictions:
                typer.echo(f"{path.name}: can be decoded; sha256 {digests.sha256}")
            elif reader.has_hash or any(claim.fact is Fact.SHA1 for claim in recording.claims):
                typer.echo(f"{path.name}: complete; sha256 {digests.sha256}")
            else:
                typer.echo(
                    f"{path.name}: can be read; the file has no hash to compare with; sha256 {digests.sha256}"
                )
    failures.exit()


def info(files: Files, ch: Ch = None, meta: Meta = None) -> None:
    """Show what a recording contains, without decoding it, and which claims of its companions differ."""
    check_single(files, ch, meta)
    failures = Failures()
    for path in files:
        with failures.of(path), open_recording(path, ch, meta) as recording:
            reader, contradictions = recording.reader, recording.contradictions()
            for contradiction in contradictions:
                failures.add(path, str(contradiction))
            seconds = reader.n_samples / reader.sample_rate_hz
            tail = f", {len(reader.tail)} bytes after the last sample" if reader.tail else ""
            typer.echo(
                f"{path.name}: {reader.n_samples:,} samples x {reader.n_channels} channels of {reader.dtype}, "
                f"{reader.sample_rate_hz:g} Hz, {seconds:,.1f} s, {reader.n_chunks} chunks, "
                f"ratio {reader.raw_size_bytes / max(1, path.stat().st_size):.2f}{tail}"
                f"{'' if reader.has_hash else ', no hash of the original'}"
                f"{', contradicts its companion' if contradictions else ''}"
            )
    failures.exit()


def bench(
    file: Annotated[
        Path,
        typer.Argument(help="raw recording, with its .meta in the same folder", exists=True, dir_okay=False),
    ],
    seconds: Annotated[float, typer.Option(help="seconds of the recording to compress", min=0.1)] = 5.0,
) -> None:
    """Measure size and speed of each preset on the first seconds of a recording, on one core.

    The presets compatible-* write files of mtscomp.
    """
    from cingulum.codec.trial import try_presets

    failures = Failures()
    with failures.of(file):
        layout = layout_of(file, None, None, "int16")
        samples = first_samples(file, layout, seconds)
        take_little_memory(kernels=True)
        typer.echo(f"{'preset':18}{'ratio':>8}{'compress MB/s':>16}{'decompress MB/s':>18}")
        for tried in try_presets(samples, layout):
            typer.echo(
                f"{tried.preset:18}{tried.ratio:8.3f}{tried.compress_mb_s:16.0f}{tried.decompress_mb_s:18.0f}"
            )
    failures.exit()


def _ensure_target(
    raw: Raw, preset: str, threads: int | None, memory_mb: int, *, overwrite: bool
) -> tuple[Contradiction, ...]:
    """Compress the file, unless its target has the same samples already; contradictions of its companions.

    Prints what was written, and all warnings.
    """
    from cingulum.codec.chunk_writer import Work

    with bar_of(raw.path.name) as shown:
        work = Work(threads, memory_mb * 1_000_000, shown, note_of(raw.path))
        existing = None if overwrite else raw.existing_target(work)
        done = raw.compress(preset, work, overwrite=overwrite) if existing is None else None
    contradictions = done.contradictions if done else existing or ()
    is_there = f"{raw.target.name} has the same samples, proved by decoding"
    typer.echo(f"{raw.path.name}: {_summary(done) if done else is_there}")
    for warning in done.warnings if done else map(str, contradictions):
        note_of(raw.path)(warning)
    return contradictions


def _summary(done: Compression) -> str:
    names = " and ".join(path.name for path in done.files)
    resumed = f", {done.resumed_chunks} chunks resumed" if done.resumed_chunks else ""
    return (
        f"wrote {names}, {done.compressed.size_bytes:,} of {done.raw.size_bytes:,} bytes, "
        f"ratio {done.ratio:.2f}, proved by decoding{resumed}; sha256 {done.raw.sha256}"
    )


def _damage(reader: ChunkedReader) -> list[str]:
    from cingulum.codec import DamagedChunk

    messages = []
    for chunk in range(reader.n_chunks):
        try:
            reader.read_chunk(chunk)
        except DamagedChunk as error:
            messages.append(str(error))
    return messages


EXAMPLES: dict[Callable[..., None], str] = {
    compress: "cingulum compress probe.ap.bin --preset fast",
    decompress: "cingulum decompress probe.ap.cgl --to bin",
    verify: "cingulum verify probe.ap.cbin",
    info: "cingulum info probe.ap.cbin",
    bench: "cingulum bench probe.ap.bin --seconds 10",
}
