"""Files of the commands for recordings: opening them, their shape, writing and deleting them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from cingulum.cli._errors import refuse
from cingulum.cli.codec.showing import FileRefused
from cingulum.file_identity import FileIdentity

if TYPE_CHECKING:
    import numpy as np

    from cingulum.codec import Compression, Contradiction, Opened, RawLayout
    from cingulum.codec.chunk_encoder import Preset
    from cingulum.codec.chunk_writer import Work
    from cingulum.codec.deflate_engines import CompatiblePreset

COMPANIONS = (".meta", ".ch", ".oebin", ".json", ".txt")


def take_little_memory(*, kernels: bool) -> None:
    """Return freed chunks to the system from now on; compile the kernels, and free the compiler's memory."""
    import numpy as np

    from cingulum.codec import decode, encode
    from cingulum.codec.memory import forget_compiler, give_back_freed_chunks

    give_back_freed_chunks()
    if not kernels:
        return
    ramp = np.arange(100_000, dtype="<i2").reshape(2_500, 40) % 97
    presets: tuple[Preset, ...] = ("small", "fast")
    for preset in presets:
        decode(encode(ramp, preset=preset))
    forget_compiler()


def check_single(files: list[Path], *named: Path | None) -> None:
    """Refuse named companions with several recordings: they describe only one."""
    if len(files) > 1 and any(named):
        refuse("--ch and --meta describe one recording: give one file only")


@contextmanager
def open_recording(path: Path, ch: Path | None = None, meta: Path | None = None) -> Iterator[Opened]:
    """A .cgl, .cbin or raw file with the claims of its companions: those named, else those in its folder."""
    from cingulum.codec import open_local

    if path.suffix in COMPANIONS:
        raise FileRefused("is a companion file, not a recording")
    recording = open_local(path, ch=ch, meta=meta)
    try:
        yield recording
    finally:
        recording.close()


def layout_of(
    raw: Path, channels: int | None, rate_hz: float | None, dtype: str, meta: Path | None = None
) -> RawLayout:
    """The layout of the options, else that of the companion, whose claims are compared in any case."""
    import numpy as np

    from cingulum.codec import RawLayout
    from cingulum.codec.companions import claims_beside

    if channels is None and rate_hz is None:
        return RawLayout.beside(raw, meta)
    if channels is None or rate_hz is None:
        refuse("give both --channels and --rate-hz, or neither")
    try:
        return RawLayout(channels, rate_hz, np.dtype(dtype), claims=claims_beside(raw, meta))
    except TypeError:
        refuse(f"there is no type {dtype!r}; use a NumPy type such as int16")


def first_samples(file: Path, layout: RawLayout, seconds: float) -> np.ndarray[Any, np.dtype[Any]]:
    """The first seconds of a raw file."""
    import numpy as np

    n_samples = min(round(seconds * layout.sample_rate_hz), file.stat().st_size // layout.bytes_per_sample)
    if n_samples == 0:
        raise FileRefused("is shorter than one sample")
    flat = np.fromfile(file, layout.dtype, count=n_samples * layout.n_channels)
    return flat.reshape(n_samples, layout.n_channels)


@dataclass(frozen=True)
class Raw:
    """A raw file to compress, and its target."""

    path: Path
    target: Path
    layout: RawLayout
    meta: Path | None = None

    def compress(self, preset: str, work: Work, *, overwrite: bool) -> Compression:
        """Write the compressed file, decode it again and compare."""
        from cingulum import codec

        options: dict[str, Any] = {**vars(work), "layout": self.layout, "overwrite": overwrite}
        if preset.startswith("compatible"):
            return codec.compress_to_cbin(
                self.path, self.target, preset=cast("CompatiblePreset", preset), **options
            )
        return codec.compress(self.path, self.target, preset=cast("Preset", preset), **options)

    def existing_target(self, work: Work) -> tuple[Contradiction, ...] | None:
        """Contradictions of the companions to a target that decodes to exactly this file; None if there is no target.

        Raises FileRefused if it contains another recording.
        """
        from cingulum.codec import contradictions, holds

        whole = self.target.exists() and (
            self.target.suffix != ".cbin" or self.target.with_suffix(".ch").exists()
        )
        if not whole:
            return None
        with open_recording(self.target, meta=self.meta) as target:
            reader = target.reader
            digests = holds(reader, self.path, work.threads, work.on_progress, work.memory_bytes)
            if digests is not None:
                return contradictions(self.layout.claims, reader.facts(digests.sha1))
        raise FileRefused(
            f"{self.target.name} exists and contains another recording; --overwrite replaces it"
        )

    def delete(self, before: FileIdentity, contradictions: tuple[Contradiction, ...]) -> None:
        """Delete the raw file once its target was proved to contain it. Raises FileRefused if there is any doubt.

        `before` is the file's identity before it was read, `contradictions` are claims of its companions that differ
        from the bytes. Names and contents of the target's files are synced to disk before the raw file is deleted.
        """
        from cingulum.codec.atomic import sync_folder, sync_named

        if contradictions:
            is_altered = any(claim.field == "fileSHA1" for claim in contradictions)
            reason = (
                "it differs from what SpikeGLX wrote" if is_altered else "its companion files contradict it"
            )
            raise FileRefused(
                f"is kept: {reason}; look at it: correct the companion, or find the file that it describes"
            )
        if FileIdentity.at(self.path) != before:
            raise FileRefused("is kept: it was modified after it was read")
        sync_named(self.target, *([self.target.with_suffix(".ch")] if self.target.suffix == ".cbin" else []))
        self.path.unlink()
        sync_folder(self.path.parent)
