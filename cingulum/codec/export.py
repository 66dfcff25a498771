"""Restores the raw file of a compressed recording."""

from __future__ import annotations

from pathlib import Path

from cingulum.codec.atomic import sole_writer
from cingulum.codec.chunk_writer import OnNote, Work, start_of
from cingulum.codec.chunked import ChunkedReader
from cingulum.codec.errors import ProofFailed, TargetExists
from cingulum.codec.journal import PartFile, unfinished
from cingulum.codec.proof import OnProgress, Progress, decoded_chunks
from cingulum.codec.source import Decoded
from cingulum.digests import Digests


def decompress_to_bin(
    reader: ChunkedReader,
    target: Path,
    *,
    threads: int | None = None,
    memory_bytes: int | None = None,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
    on_note: OnNote | None = None,
) -> Digests:
    """Write the raw file a recording was made from, byte for byte, including an incomplete last sample.

    The result is compared with the hashes in the index or the .ch before it gets its final name. An
    attempt that was killed is resumed.
    Raises DamagedChunk, ProofFailed, TargetExists, TargetBusy; in each case there is no target.
    """
    work = Work(threads, memory_bytes, on_progress, on_note)
    with sole_writer(target):
        if target.exists() and not overwrite:
            raise TargetExists(f"{target.name} already exists")
        with unfinished(target, start_of(Decoded(reader), {"to": "bin"})) as part:
            work.note(part)
            _write(part, reader, work)
            digests = part.hasher.digests()
            if difference := reader.difference(digests):
                raise ProofFailed(f"{target.name} would not be the file that was compressed: {difference}")
            part.publish(target)
    return digests


def _write(part: PartFile, reader: ChunkedReader, work: Work) -> None:
    for raw in decoded_chunks(reader, work.threads, work.memory_bytes, first=part.n_resumed):
        part.append_chunk(raw)
        if work.on_progress:
            done = Progress("decompress", part.hasher.size_bytes, reader.raw_size_bytes, 0)
            work.on_progress(done)
    part.append(reader.tail)
    part.sync()
