"""Zips of any origin: what is safe is unpacked with equal bytes, everything else is refused with what to do."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cingulum.upload import BadArchive, Limits, ZipSource
from cingulum.upload.archive import Archive, Damaged

SESSION = "hilllab/Subjects/m1/2024-01-02/001"
DATA = b"spikes " * 100


def archive_of(
    folder: Path, *files: tuple[str | zipfile.ZipInfo, bytes], limits: Limits | None = None
) -> Archive:
    path = folder / "sessions.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, data in files:
            zipped.writestr(name, data)
    return Archive.open(path, limits or Limits())


def info_of(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def raw_name(name: str) -> zipfile.ZipInfo:
    """A name that the library would change, such as one with NUL."""
    info = zipfile.ZipInfo("x")
    info.filename = info.orig_filename = name
    return info


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("../outside.npy", "leads out of its folder"),
        (f"{SESSION}/../../../../../x.npy", "leads out of its folder"),
        ("a/./b.npy", "leads out of its folder"),
        ("a//b.npy", "leads out of its folder"),
        ("..\\..\\outside.npy", "leads out of its folder"),
        ("/etc/passwd", "absolute"),
        ("\\\\server\\share\\x.npy", "absolute"),
        ("C:\\windows\\x.npy", "absolute"),
        ("a/b\x00.npy", "control characters"),
        ("a/b\n.npy", "control characters"),
    ],
)
def test_a_name_that_is_no_path_below_the_zip_is_refused(tmp_path: Path, name: str, advice: str) -> None:
    archive = archive_of(tmp_path, (raw_name(name), DATA), (f"{SESSION}/alf/a.b.npy", DATA))
    assert [advice in problem.advice for problem in archive.problems] == [True]
    assert set(archive.members) == {f"{SESSION}/alf/a.b.npy"}


@pytest.mark.parametrize(
    ("mode", "advice"),
    [
        (stat.S_IFLNK | 0o777, "symbolic link"),
        (stat.S_IFCHR | 0o600, "a device"),
        (stat.S_IFIFO | 0o600, "a device"),
    ],
)
def test_only_regular_files_are_unpacked(tmp_path: Path, mode: int, advice: str) -> None:
    archive = archive_of(tmp_path, (info_of(f"{SESSION}/alf/a.b.npy", mode), b"/etc/passwd"))
    assert (archive.members, [advice in problem.advice for problem in archive.problems]) == ({}, [True])


def test_two_files_of_one_path_are_both_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        archive = archive_of(tmp_path, ("a/b.c.npy", b"1"), ("a/b.c.npy", b"2"), ("a\\b.c.npy", b"3"))
    assert (archive.members, archive.problems[0].n_files) == ({}, 3)


def test_bombs_are_refused_before_they_are_read(tmp_path: Path) -> None:
    zeros = bytes(20 << 20)
    archive = archive_of(tmp_path, (f"{SESSION}/alf/a.b.npy", zeros), (f"{SESSION}/alf/c.d.npy", DATA))
    assert set(archive.members) == {f"{SESSION}/alf/c.d.npy"}
    assert "times its size" in archive.problems[0].advice
    with pytest.raises(BadArchive, match="unpacks to 700 bytes"):
        archive_of(tmp_path, ("a.b.npy", DATA), limits=Limits(total_bytes=100))
    with pytest.raises(BadArchive, match="has 2 files"):
        archive_of(tmp_path, ("a.b.npy", DATA), ("c.d.npy", DATA), limits=Limits(n_files=1))


def test_files_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    archive_of(tmp_path, ("a.b.npy", DATA), ("c.d.npy", DATA)).close()
    data = bytearray((tmp_path / "sessions.zip").read_bytes())
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = struct.pack("<L", 0)
    (tmp_path / "sessions.zip").write_bytes(data)
    with pytest.raises(BadArchive, match="overlap"):
        Archive.open(tmp_path / "sessions.zip", Limits())


def test_encrypted_and_unknown_methods_are_refused(tmp_path: Path) -> None:
    archive_of(tmp_path, ("a.b.npy", DATA)).close()
    original = (tmp_path / "sessions.zip").read_bytes()
    for offset, value, advice in ((8, 1, "encrypted"), (10, 97, "method 97")):
        data = bytearray(original)
        at = data.index(b"PK\x01\x02") + offset
        data[at : at + 2] = struct.pack("<H", value)
        (tmp_path / "sessions.zip").write_bytes(data)
        archive = Archive.open(tmp_path / "sessions.zip", Limits())
        assert (archive.members, advice in archive.problems[0].advice) == ({}, True)


@pytest.mark.parametrize("size", [len(DATA) - 1, len(DATA) + 1, 1, 10_000])
def test_a_declared_size_that_is_wrong_is_never_exceeded_and_is_refused(tmp_path: Path, size: int) -> None:
    archive = archive_of(tmp_path, ("a/b.c.npy", DATA))
    archive.members["a/b.c.npy"].file_size = size
    blocks: list[bytes] = []
    with pytest.raises(Damaged, match="pack it again"):
        blocks.extend(archive.read("a/b.c.npy"))
    assert sum(map(len, blocks)) <= size


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cut=st.integers(0, 1_500),
    flips=st.lists(st.tuples(st.integers(0, 1_500), st.integers(1, 255)), max_size=4),
)
def test_a_damaged_zip_gives_equal_bytes_or_a_reason_and_leaves_nothing(
    tmp_path: Path, cut: int, flips: list[tuple[int, int]]
) -> None:
    buffer = io.BytesIO()
    contents = {f"{SESSION}/alf/a.b.npy": DATA, f"{SESSION}/alf/c.d.npy": bytes(range(256)) * 3}
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in contents.items():
            zipped.writestr(name, content)
    data = bytearray(buffer.getvalue())
    for at, change in flips:
        if at < len(data):
            data[at] ^= change
    if cut < len(data):
        del data[len(data) - cut :]
    path, work = tmp_path / "any.zip", tmp_path / "work"
    path.write_bytes(data)
    work.mkdir(exist_ok=True)
    try:
        archive = Archive.open(path, Limits())
    except BadArchive:
        return
    with ZipSource(archive, work).opened() as unpacked:
        for name, info in archive.members.items():
            try:
                file = unpacked(name)
            except (Damaged, OSError):
                continue
            assert file.stat().st_size == info.file_size
            if name in contents and zlib.crc32(contents[name]) == info.CRC:
                assert (file.root / file.relative_path).read_bytes() == contents[name]
    archive.close()
    assert list(work.iterdir()) == []
    assert {entry.name for entry in tmp_path.iterdir()} == {"any.zip", "work"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.text(min_size=1, max_size=30), min_size=1, max_size=5, unique=True))
def test_no_name_becomes_a_name_on_the_disk(tmp_path: Path, names: list[str]) -> None:
    path = tmp_path / "names.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        for name in names:
            try:
                zipped.writestr(raw_name(name), DATA)
            except UnicodeEncodeError:
                continue
    archive, work = Archive.open(path, Limits()), tmp_path / "unpacked"
    work.mkdir(exist_ok=True)
    with ZipSource(archive, work).opened() as unpacked:
        for name in archive.members:
            assert unpacked(name).relative_path.isdecimal()
    archive.close()
    assert {entry.name for entry in tmp_path.iterdir()} == {"names.zip", "unpacked"}


def test_files_of_a_zip_are_recognised_as_a_scan_recognises_them(tmp_path: Path) -> None:
    archive = archive_of(
        tmp_path,
        ("README.txt", DATA),
        (f"export/{SESSION}/alf/spikes.times.npy", DATA),
        (f"export/{SESSION}/alf/Spikes.times.npy", DATA),
        (f"export/{SESSION}/alf/con.times.npy", DATA),
        (f"export/{SESSION}/alf/wheel position.npy", DATA),
        (f"export/{SESSION}/transfer_me.flag", b""),
    )
    tree = ZipSource(archive).read()
    assert [str(session.session) for session in tree.sessions] == [SESSION]
    assert sorted(tree.ignored) == ["README.txt", f"export/{SESSION}/transfer_me.flag"]
    assert {problem.path.rpartition("/")[2] for problem in tree.problems} >= {
        "con.times.npy",
        "wheel position.npy",
    }
    assert tree.n_files == 1
