"""Byte ranges of local files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cingulum.codec import LocalFile


@pytest.mark.parametrize("has_pread", [True, False])
def test_a_range_is_read_with_and_without_pread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, has_pread: bool
) -> None:
    (tmp_path / "a.bin").write_bytes(b"0123456789")
    if not has_pread:  # as on Windows
        monkeypatch.delattr(os, "pread")
    with LocalFile(tmp_path / "a.bin") as file:
        assert (file(7, 2), file(0, 3), file(8, 9)) == (b"78", b"012", b"89")
