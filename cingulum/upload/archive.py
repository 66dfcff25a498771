"""Reads zips of unknown origin: which files can be unpacked safely, and their bytes within what the zip declares.

No name in a zip becomes a name on the disk, so none can lead out of a folder; names are checked because they become
the paths of datasets.
"""

from __future__ import annotations

import lzma
import re
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from cingulum.scan import FileProblem

_BLOCK_BYTES: Final = 1 << 20
_ENCRYPTED: Final = 0x1 | 0x20 | 0x40  # with a password, patched, with a certificate
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA})
_LOCAL_HEADER_BYTES: Final = 30
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE: Final = re.compile(r"[A-Za-z]:")
# What the standard library raises for a zip whose bytes are not what they should be.
_DAMAGE: Final = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    OverflowError,
    RuntimeError,
    ValueError,
)


class BadArchive(Exception):
    """Nothing of a zip can be used; the message says why and what to do."""


class Damaged(Exception):
    """A file of a zip cannot be unpacked; the message says why and what to do."""


@dataclass(frozen=True)
class Limits:
    """What a zip may contain; None for no limit.

    ratio  of the size of a file to its compressed size; smaller files than `ratio_from_bytes` may exceed it
    """

    n_files: int | None = 1_000_000
    total_bytes: int | None = None
    ratio: int = 250
    ratio_from_bytes: int = 16 << 20


@dataclass
class Archive:
    """An open zip. `members` can be unpacked, by their paths with / between folders; `problems` has the others."""

    zipped: zipfile.ZipFile
    members: dict[str, zipfile.ZipInfo] = field(default_factory=dict)
    problems: list[FileProblem] = field(default_factory=list)

    @classmethod
    def open(cls, path: Path, limits: Limits) -> Archive:
        """Open a zip and check what it declares, without reading its files. Raises BadArchive, OSError."""
        try:
            zipped = zipfile.ZipFile(path)
        except _DAMAGE as error:
            raise BadArchive(
                f"{path.name} is no zip, or not all of it ({error}): transfer it again, or pack it again"
            ) from None
        archive = cls(zipped)
        try:
            archive._check(path.stat().st_size, limits)
        except BaseException:
            zipped.close()
            raise
        return archive

    def close(self) -> None:
        """Close the file."""
        self.zipped.close()

    def read(self, path: str, on_read: Callable[[int], None] = lambda _n: None) -> Iterator[bytes]:
        """The bytes of a member, never more than it declares. Raises Damaged once they prove to be others."""
        info, n_read = self.members[path], 0
        try:
            with self.zipped.open(info) as file:
                for block in _blocks(file):
                    n_read += len(block)
                    if n_read > info.file_size:
                        break
                    on_read(len(block))
                    yield block
        except _DAMAGE as error:
            raise Damaged(f"damaged in the zip ({error}): transfer the zip again, or pack it again") from None
        if n_read != info.file_size:
            raise Damaged(f"the zip declares {info.file_size} bytes and has others: pack it again")

    def _check(self, size_bytes: int, limits: Limits) -> None:
        infos = [info for info in self.zipped.infolist() if not info.filename.endswith(("/", "\\"))]
        _check_whole(self.zipped.infolist(), size_bytes, limits)
        times = Counter(_path_of(info) for info in infos)
        for info in infos:
            path = _path_of(info)
            if advice := why_not_unpacked(info, limits):
                self.problems.append(FileProblem(path, advice))
            elif times[path] == 1:
                self.members[path] = info
        self.problems += [
            FileProblem(path, "in the zip more than once: pack it again with one of them", n)
            for path, n in times.items()
            if n > 1
        ]


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(_BLOCK_BYTES):
        yield block


def _path_of(info: zipfile.ZipInfo) -> str:
    return info.orig_filename.replace("\\", "/")


def _check_whole(infos: Sequence[zipfile.ZipInfo], size_bytes: int, limits: Limits) -> None:
    """Raise BadArchive for what concerns the zip as a whole."""
    if limits.n_files is not None and len(infos) > limits.n_files:
        raise BadArchive(f"the zip has {len(infos):,} files, more than {limits.n_files:,}: pack several zips")
    total = sum(info.file_size for info in infos)
    if limits.total_bytes is not None and total > limits.total_bytes:
        raise BadArchive(
            f"the zip unpacks to {total:,} bytes, more than {limits.total_bytes:,}: "
            "pack several zips, or use `cingulum upload`"
        )
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        # Files that share their compressed bytes are how a small zip unpacks to petabytes.
        if info.header_offset < end:
            raise BadArchive("files of the zip overlap: no program packs like this")
        end = info.header_offset + _LOCAL_HEADER_BYTES + info.compress_size
    if end > size_bytes:
        raise BadArchive("the zip is shorter than it declares: transfer it again")


def why_not_unpacked(info: zipfile.ZipInfo, limits: Limits) -> str:
    """Why a file of a zip is not unpacked, by what the zip declares, and what to do; empty if it can be.

    >>> why_not_unpacked(zipfile.ZipInfo("hilllab/Subjects/m1/2024-01-02/001/alf/a.b.npy"), Limits())
    ''
    >>> why_not_unpacked(zipfile.ZipInfo("m1/../../etc/passwd"), Limits())
    'its path leads out of its folder: pack it again by its name'
    """
    return _why_not_named(_path_of(info)) or _why_not_read(info, limits)


def _why_not_named(path: str) -> str:
    if _CONTROL.search(path):
        return "its path has control characters: rename it"
    if path.startswith("/") or _DRIVE.match(path):
        return "its path is absolute: pack the folder that contains it"
    if {"..", ".", ""} & set(path.split("/")):
        return "its path leads out of its folder: pack it again by its name"
    return ""


def _why_not_read(info: zipfile.ZipInfo, limits: Limits) -> str:
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "a symbolic link: pack the file itself"
    if kind not in {0, stat.S_IFREG}:
        return "a device, or no regular file: leave it out"
    if info.flag_bits & _ENCRYPTED:
        return "encrypted: pack it without a password"
    if info.compress_type not in _METHODS:
        return (
            f"packed by method {info.compress_type}, which cannot be read here: pack it as Deflate or stored"
        )
    is_large = info.file_size > limits.ratio_from_bytes
    if is_large and info.file_size > limits.ratio * info.compress_size:
        return f"unpacks to more than {limits.ratio} times its size: pack it without compression"
    return ""
