"""Recordings as the verbs meet them: which file is what, how it is opened, what is known of its shape."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from cingulum.cli.codec.showing import Refused, refuse

if TYPE_CHECKING:
    import numpy as np

    from cingulum.codec import Compression, Contradiction, Opened, RawLayout
    from cingulum.codec.chunk import Preset
    from cingulum.codec.chunk_writer import Work
    from cingulum.codec.deflate_engines import CompatiblePreset

COMPANIONS = (".meta", ".ch", ".oebin", ".json", ".txt")


def take_little_memory(*, kernels: bool) -> None:
    """Give freed chunks back to the system from now on; make the kernels ready, and give back what that took."""
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
    """Refuse companions that are named while there are several recordings: which one would they describe?"""
    if len(files) > 1 and any(named):
        refuse("--ch and --meta describe one recording: give one file at a time")


@contextmanager
def opened(path: Path, ch: Path | None = None, meta: Path | None = None) -> Iterator[Opened]:
    """A .cgl, .cbin or raw file, with what its companions claim: those named, or else those beside it."""
    from cingulum.codec import open_local

    if path.suffix in COMPANIONS:
        raise Refused("is no recording, but what lies beside one")
    recording = open_local(path, ch=ch, meta=meta)
    try:
        yield recording
    finally:
        recording.close()


def layout_of(
    raw: Path, channels: int | None, rate_hz: float | None, dtype: str, meta: Path | None = None
) -> RawLayout:
    """The layout that the options give, or else the companion; what the companion claims is compared either way."""
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
        refuse(f"no type is called {dtype!r}")


def first_samples(file: Path, layout: RawLayout, seconds: float) -> np.ndarray[Any, np.dtype[Any]]:
    """The first seconds of a raw file."""
    import numpy as np

    n_samples = min(round(seconds * layout.sample_rate_hz), file.stat().st_size // layout.bytes_per_sample)
    if n_samples == 0:
        raise Refused("holds no whole sample")
    flat = np.fromfile(file, layout.dtype, count=n_samples * layout.n_channels)
    return flat.reshape(n_samples, layout.n_channels)


@dataclass(frozen=True)
class Raw:
    """A raw file to be compressed, and where to."""

    path: Path
    target: Path
    layout: RawLayout
    meta: Path | None = None

    def compress(self, preset: str, work: Work, *, overwrite: bool) -> Compression:
        """Write and prove the compressed file."""
        from cingulum import codec

        said: dict[str, Any] = {**vars(work), "layout": self.layout, "overwrite": overwrite}
        if preset.startswith("compatible"):
            return codec.compress_to_cbin(
                self.path, self.target, preset=cast("CompatiblePreset", preset), **said
            )
        return codec.compress(self.path, self.target, preset=cast("Preset", preset), **said)

    def held_already(self, work: Work) -> tuple[Contradiction, ...] | None:
        """What companions claim against the target, if it decodes to exactly this file; None if there is no target.

        Refused if it holds another recording.
        """
        from cingulum.codec import contradictions, holds

        whole = self.target.exists() and (
            self.target.suffix != ".cbin" or self.target.with_suffix(".ch").exists()
        )
        if not whole:
            return None
        with opened(self.target, meta=self.meta) as target:
            reader = target.reader
            digests = holds(reader, self.path, work.threads, work.on_progress, work.memory_bytes)
            if digests is not None:
                return contradictions(self.layout.claims, reader.facts(digests.sha1))
        raise Refused(f"{self.target.name} is there and holds another recording; --overwrite replaces it")

    def delete(self, before: tuple[int, int, int], found: tuple[Contradiction, ...]) -> None:
        """Delete the raw file, which its target is proved to hold; Refused if anything speaks against it.

        `before` is the file's state before it was read, `found` what its companions claim and the bytes do not bear
        out. What the target needs is on the disk, by name and content, before the raw file goes.
        """
        from cingulum.codec.atomic import sync_folder, sync_named

        if found:
            whose = "it is not what SpikeGLX wrote" if any(one.field == "fileSHA1" for one in found) else ""
            raise Refused(
                f"is kept: {whose or 'its companions contradict it'}, so somebody should look at it: "
                "correct the companion, or find the file that it describes"
            )
        if state_of(self.path) != before:
            raise Refused("is kept: it was written to after it was read")
        sync_named(self.target, *([self.target.with_suffix(".ch")] if self.target.suffix == ".cbin" else []))
        self.path.unlink()
        sync_folder(self.path.parent)


def state_of(path: Path) -> tuple[int, int, int]:
    """What changes when somebody writes to a file."""
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino
