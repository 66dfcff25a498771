"""`cingulum compress|decompress|verify|info|bench`: recordings, losslessly smaller and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cingulum.cli.codec.files import (
    Raw,
    check_single,
    first_samples,
    layout_of,
    opened,
    state_of,
    take_little_memory,
)
from cingulum.cli.codec.showing import Failures, Refused, bar_of, note_of, refuse

if TYPE_CHECKING:
    from cingulum.codec import ChunkedReader, Compression

PRESETS = ("small", "fast", "compatible-small", "compatible-fast")
Files = Annotated[
    list[Path], typer.Argument(help="recordings", show_default=False, exists=True, dir_okay=False)
]
Threads = Annotated[int | None, typer.Option(help="threads; all cores unless told", min=1)]
MemoryMb = Annotated[
    int,
    typer.Option(help="memory of the whole process; with more, more cores find room for a chunk", min=200),
]
Ch = Annotated[
    Path | None,
    typer.Option(help="the .ch of a .cbin, if their names do not tell", exists=True, dir_okay=False),
]
Meta = Annotated[
    Path | None,
    typer.Option(help="the .meta, if its name does not tell", exists=True, dir_okay=False),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="replace a target that is there")]
Into = Annotated[
    Path | None,
    typer.Option(help="folder for the results; beside each file unless told", file_okay=False, exists=True),
]


def register(app: typer.Typer) -> None:
    """Add the verbs for recordings."""
    for verb in (compress, decompress, verify, info, bench):
        app.command(verb.__name__, rich_help_panel="Recordings")(verb)


def compress(
    files: Files,
    preset: Annotated[
        str,
        typer.Option(
            help="small | fast (.cgl), compatible-small | compatible-fast (.cbin and .ch, for mtscomp and spikeglx)"
        ),
    ] = "small",
    into: Into = None,
    channels: Annotated[int | None, typer.Option(help="channels as saved, if no .meta tells")] = None,
    rate_hz: Annotated[float | None, typer.Option(help="sample rate, if no .meta tells")] = None,
    dtype: Annotated[str, typer.Option(help="type of the samples, if no .meta tells")] = "int16",
    meta: Meta = None,
    threads: Threads = None,
    memory_mb: MemoryMb = 300,
    overwrite: Overwrite = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="delete the raw file once the compressed one is proved")
    ] = False,
) -> None:
    """Compress raw recordings beside themselves; each result is decoded again and compared.

    Shape, rate and geometry come from the .meta (SpikeGLX) or structure.oebin (Open Ephys) beside the file. A run that
    was killed goes on where it stopped when the same command is given again. The original is never touched, unless
    --replace tells to delete it after the proof; it is kept where the .meta or structure.oebin claims another size,
    channel count, duration or SHA-1 than it has. Exit code: 0 all is well, 1 a file failed, 2 not understood.
    """
    from cingulum.codec.chunk_writer import Work

    if preset not in PRESETS:
        refuse(f"no preset is called {preset!r}; there are {', '.join(PRESETS)}")
    check_single(files, meta)
    take_little_memory(kernels=not preset.startswith("compatible"))
    failures = Failures()
    for path in files:
        with failures.of(path):
            if path.suffix in (".cgl", ".cbin"):
                raise Refused("is compressed already; `decompress --to` writes other formats of it")
            before, layout = state_of(path), layout_of(path, channels, rate_hz, dtype, meta)
            suffix = ".cbin" if preset.startswith("compatible") else ".cgl"
            raw = Raw(path, (into or path.parent) / path.with_suffix(suffix).name, layout, meta)
            with bar_of(path.name) as shown:
                work = Work(threads, memory_mb * 1_000_000, shown, note_of(path))
                held = None if overwrite else raw.held_already(work)
                done = raw.compress(preset, work, overwrite=overwrite) if held is None else None
            typer.echo(
                f"{path.name}: {_told(done) if done else f'{raw.target.name} holds it already, proved by decoding'}"
            )
            for warning in done.warnings if done else map(str, held or ()):
                note_of(path)(warning)
            if replace:
                raw.delete(before, done.contradictions if done else held or ())
                typer.echo(f"{path.name}: deleted; {raw.target.name} is proved to hold it")
    failures.exit()


def decompress(
    files: Files,
    to: Annotated[str, typer.Option(help="what to write: bin, cbin or cgl")] = "bin",
    into: Into = None,
    threads: Threads = None,
    memory_mb: MemoryMb = 300,
    overwrite: Overwrite = False,
    ch: Ch = None,
    meta: Meta = None,
) -> None:
    """Write the raw file of a .cgl or .cbin again, byte for byte, or the other compressed format.

    The result is compared with the hashes that were taken when it was compressed. A run that was killed goes on where
    it stopped when the same command is given again.
    """
    from cingulum.codec import Decoded, decompress_to_bin, write_cbin, write_cgl
    from cingulum.codec.chunk_writer import Work

    if to not in ("bin", "cbin", "cgl"):
        refuse(f"{to!r} cannot be written: bin, cbin or cgl")
    check_single(files, ch, meta)
    take_little_memory(kernels=to == "cgl" or any(path.suffix == ".cgl" for path in files))
    failures = Failures()
    for path in files:
        if path.suffix not in (".cgl", ".cbin"):
            failures.say(path, "is not compressed")
            continue
        with failures.of(path), opened(path, ch, meta) as found, bar_of(path.name) as shown:
            reader = found.reader
            suffix = (reader.raw_suffix or ".bin") if to == "bin" else f".{to}"
            target = (into or path.parent) / path.with_suffix(suffix).name
            if target == path:
                raise Refused(f"is a {suffix} already")
            work = vars(Work(threads, memory_mb * 1_000_000, shown, note_of(path)))
            if to == "bin":
                digests = decompress_to_bin(reader, target, overwrite=overwrite, **work)
            else:
                write = write_cbin if to == "cbin" else write_cgl
                digests = write(Decoded(reader), target, overwrite=overwrite, **work).raw
            for contradiction in found.contradictions(digests):
                note_of(path)(str(contradiction))
            typer.echo(f"{path.name}: wrote {target.name}, {reader.raw_size_bytes:,} bytes of samples")
    failures.exit()


def verify(
    files: Files, ch: Ch = None, meta: Meta = None, threads: Threads = None, memory_mb: MemoryMb = 300
) -> None:
    """Decode every chunk and compare the hash of the whole; names the seconds that are damaged.

    What the .meta, .ch or structure.oebin claims about the recording is compared too: size, channels, duration, SHA-1.
    """
    from cingulum.codec import DamagedChunk, decoded_digests
    from cingulum.codec.claims import Fact

    check_single(files, ch, meta)
    take_little_memory(kernels=any(path.suffix == ".cgl" for path in files))
    failures = Failures()
    for path in files:
        with failures.of(path), opened(path, ch, meta) as found, bar_of(path.name) as shown:
            reader = found.reader
            try:
                digests = decoded_digests(reader, threads, shown, memory_mb * 1_000_000)
            except DamagedChunk:
                for sentence in _damage(reader):
                    failures.say(path, sentence)
                continue
            contradictions = found.contradictions(digests)
            for contradiction in contradictions:
                failures.say(path, str(contradiction))
            if difference := reader.difference(digests):
                failures.say(path, f"decodes, but not to the file that was compressed: {difference}")
            elif contradictions:
                typer.echo(f"{path.name}: can be decoded; sha256 {digests.sha256}")
            elif reader.has_hash or any(claim.fact is Fact.SHA1 for claim in found.claims):
                typer.echo(f"{path.name}: whole; sha256 {digests.sha256}")
            else:
                typer.echo(f"{path.name}: can be read; it holds no hash to compare; sha256 {digests.sha256}")
    failures.exit()


def info(files: Files, ch: Ch = None, meta: Meta = None) -> None:
    """Say what a recording holds, without decoding it, and where its companions claim something else."""
    check_single(files, ch, meta)
    failures = Failures()
    for path in files:
        with failures.of(path), opened(path, ch, meta) as found:
            reader, contradictions = found.reader, found.contradictions()
            for contradiction in contradictions:
                failures.say(path, str(contradiction))
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
    file: Annotated[Path, typer.Argument(help="raw recording with its .meta", exists=True, dir_okay=False)],
    seconds: Annotated[float, typer.Option(help="how much of it", min=0.1)] = 5.0,
) -> None:
    """Measure size and speed on the first seconds of a recording, on one core, with each preset.

    The files of the presets compatible-* are those of mtscomp.
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


def _told(done: Compression) -> str:
    names = " and ".join(path.name for path in done.files)
    resumed = f", {done.resumed_chunks} chunks taken over" if done.resumed_chunks else ""
    return (
        f"wrote {names}, {done.compressed.size_bytes:,} of {done.raw.size_bytes:,} bytes, "
        f"ratio {done.ratio:.2f}, proved by decoding{resumed}; sha256 {done.raw.sha256}"
    )


def _damage(reader: ChunkedReader) -> list[str]:
    from cingulum.codec import DamagedChunk

    found = []
    for chunk in range(reader.n_chunks):
        try:
            reader.read_chunk(chunk)
        except DamagedChunk as error:
            found.append(str(error))
    return found
