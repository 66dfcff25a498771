"""A layout gives the bytes of a zip that others read, from any byte on, also where sizes need 8 bytes."""

from __future__ import annotations

import io
import subprocess
import zipfile
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cingulum.export.layout import Checksum, Content, Directory, Layout, Literal
from cingulum.export.zip_records import Entry

MODIFIED = datetime(2026, 12, 1, 13, 30, 58, tzinfo=UTC)
FILES = {
    "README.txt": b"Read me.\n",
    "lab/Subjects/m1/2024-01-02/001/alf/#v1#/_ibl_trials.table.pqt": bytes(range(256)) * 3,
    "lab/Subjects/m1/2024-01-02/001/alf/empty.times.npy": b"",
    "lab/Subjects/Mäuse_2/2024-01-02/001/alf/spikes.times.npy": b"12345",
}
GIB = 1 << 30


def layout_of(files: dict[str, bytes]) -> Layout:
    return Layout([Entry(path, len(data)) for path, data in files.items()], MODIFIED)


def read(layout: Layout, files: Sequence[bytes], start: int, stop: int) -> bytes:
    """The bytes of a range."""
    crc32s = [zlib.crc32(data) for data in files]
    parts = []
    for span in layout.spans(start, stop):
        match span:
            case Literal(data):
                parts.append(data)
            case Content(index, first, last):
                parts.append(files[index][first:last])
            case Checksum(index):
                parts.append(layout.checksum(span, crc32s[index]))
            case Directory():
                parts.append(layout.directory(span, crc32s))
    return b"".join(parts)


def test_the_bytes_are_a_zip_that_python_and_unzip_read(tmp_path: Path) -> None:
    layout = layout_of(FILES)
    data = read(layout, list(FILES.values()), 0, layout.size_bytes)
    assert len(data) == layout.size_bytes
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        assert zipped.testzip() is None
        assert {name: zipped.read(name) for name in zipped.namelist()} == FILES
        assert {info.date_time for info in zipped.infolist()} == {(2026, 12, 1, 13, 30, 58)}
    (tmp_path / "x.zip").write_bytes(data)
    tested = subprocess.run(["unzip", "-tq", tmp_path / "x.zip"], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stdout + tested.stderr


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.binary(max_size=40), max_size=6),
    st.lists(st.integers(0, 2_000), min_size=2, max_size=2),
)
def test_every_range_is_that_part_of_the_whole(contents: list[bytes], cuts: list[int]) -> None:
    layout = layout_of({f"file{number}.bin": data for number, data in enumerate(contents)})
    whole = read(layout, contents, 0, layout.size_bytes)
    assert len(whole) == layout.size_bytes
    start, stop = sorted(min(cut, layout.size_bytes) for cut in cuts)
    assert read(layout, contents, start, stop) == whole[start:stop]


class Sparse(io.RawIOBase):
    """A zip whose files are all zeros, readable without being written anywhere."""

    def __init__(self, layout: Layout) -> None:
        self.layout, self.at = layout, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    # `tell` of io.IOBase is a seek by nothing.
    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = offset + (0, self.at, self.layout.size_bytes)[whence]
        return self.at

    def read(self, size: int = -1) -> bytes:
        stop = self.layout.size_bytes if size < 0 else min(self.at + size, self.layout.size_bytes)
        parts = []
        for span in self.layout.spans(self.at, stop):
            match span:
                case Literal(data):
                    parts.append(data)
                case Content(_, first, last):
                    parts.append(bytes(last - first))
                case Checksum():
                    parts.append(self.layout.checksum(span, 7))
                case Directory():
                    parts.append(self.layout.directory(span, [7] * len(self.layout.entries)))
        self.at = stop
        return b"".join(parts)


@pytest.mark.parametrize(
    "sizes",
    [
        [0xFFFF_FFFE, 1],
        [0xFFFF_FFFF, 1],
        [3 * GIB, 3 * GIB, 5],
        [83_000_000_000, 0, 12],
        [1] * 0xFFFF,
        [1] * 0xFFFE,
    ],
    ids=[
        "largest of 32 bits",
        "first of 64 bits",
        "far offsets",
        "a probe hour",
        "65,535 files",
        "65,534 files",
    ],
)
def test_python_finds_every_file_of_a_large_zip(sizes: list[int]) -> None:
    entries = [Entry(f"folder/file{number}.bin", size) for number, size in enumerate(sizes)]
    layout = Layout(entries, MODIFIED)
    with zipfile.ZipFile(Sparse(layout)) as zipped:
        assert [info.filename for info in zipped.infolist()] == [entry.path for entry in entries]
        assert [info.file_size for info in zipped.infolist()] == sizes
        assert [info.header_offset for info in zipped.infolist()] == layout.offsets
        for info in (zipped.infolist()[0], zipped.infolist()[-1]):
            with zipped.open(info) as opened:
                opened._expected_crc = None  # type: ignore[attr-defined]  # all files are zeros here, and their checksum is made up
                assert opened.read(1) == bytes(min(1, info.file_size))


def test_two_files_of_one_path_are_refused() -> None:
    with pytest.raises(ValueError, match="two files are called 'a'"):
        Layout([Entry("a", 1), Entry("a", 2)], MODIFIED)
