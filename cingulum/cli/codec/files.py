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

    from cingulum.codec import ChunkedReader, Compression, RawLayout
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


@contextmanager
def opened(path: Path) -> Iterator[ChunkedReader]:
    """A reader of a .cgl, .cbin or raw file."""
    from cingulum.codec import Recording

    if path.suffix in COMPANIONS:
        raise Refused("is no recording, but what lies beside one")
    with Recording.open(path) as recording:
        yield recording.reader


def layout_of(raw: Path, channels: int | None, rate_hz: float | None, dtype: str) -> RawLayout:
    """What was said about a raw file, or else what lies beside it."""
    import numpy as np

    from cingulum.codec import RawLayout

    if channels is None and rate_hz is None:
        return RawLayout.beside(raw)
    if channels is None or rate_hz is None:
        refuse("give both --channels and --rate-hz, or neither")
    try:
        return RawLayout(channels, rate_hz, np.dtype(dtype))
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

    def compress(self, preset: str, work: Work, *, overwrite: bool) -> Compression:
        """Write and prove the compressed file."""
        from cingulum import codec

        said: dict[str, Any] = {**vars(work), "layout": self.layout, "overwrite": overwrite}
        if preset.startswith("compatible"):
            return codec.compress_to_cbin(
                self.path, self.target, preset=cast("CompatiblePreset", preset), **said
            )
        return codec.compress(self.path, self.target, preset=cast("Preset", preset), **said)

    def is_held_already(self, work: Work) -> bool:
        """Whether the target is there, and decodes to exactly this file; Refused if it holds another."""
        from cingulum.codec import holds

        whole = self.target.exists() and (
            self.target.suffix != ".cbin" or self.target.with_suffix(".ch").exists()
        )
        if not whole:
            return False
        with opened(self.target) as reader:
            if holds(reader, self.path, work.threads, work.on_progress, work.memory_bytes):
                return True
        raise Refused(f"{self.target.name} is there and holds another recording; --overwrite replaces it")


def state_of(path: Path) -> tuple[int, int, int]:
    """What changes when somebody writes to a file."""
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino
