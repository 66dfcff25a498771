"""`cingulum release keygen`, `sign`, `verify`."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cingulum.cli import build_app
from cingulum.digests import hash_bytes
from cingulum.manifests import ManifestEntry, build_manifest

PATH = "hilllab/Subjects/m1/2024-01-02/001/alf/a.b.npy"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a release of one file in `paper`, its manifest, and keys `lab.key` and `lab.pub`."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "paper" / PATH
    file.parent.mkdir(parents=True)
    file.write_bytes(b"voltage")
    digests = hash_bytes(b"voltage")
    entry = ManifestEntry(path=PATH, size=digests.size_bytes, sha256=digests.sha256)
    manifest = build_manifest("paper", datetime(2024, 5, 6, tzinfo=UTC), [entry])
    (tmp_path / "manifest.json").write_bytes(manifest.to_bytes())
    assert run("keygen", "--out", "lab.key", "--no-password").exit_code == 0
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(build_app(), ["release", *words])


def test_a_signed_release_is_checked_by_file_or_text_of_the_key(work: Path) -> None:
    assert stat.S_IMODE((work / "lab.key").stat().st_mode) == 0o600
    signed = run("sign", "manifest.json", "--key", "lab.key")
    assert signed.exit_code == 0, signed.output
    public = (work / "lab.pub").read_text().splitlines()[1]
    for key in (["--key", "lab.pub"], ["--public", public]):
        result = run("verify", "manifest.json", "paper", *key)
        assert result.exit_code == 0, result.output
        assert "is right: timestamp:" in result.output
        assert "paper: 1 ok; 7 B, root " in result.output
    unchecked = run("verify", "manifest.json", "paper")
    assert unchecked.exit_code == 0
    assert "not checked: signature by key" in unchecked.output


def test_a_wrong_file_or_signature_ends_with_1_and_its_name(work: Path) -> None:
    missing = run("verify", "manifest.json", "paper", "--key", "lab.pub")
    assert (missing.exit_code, missing.output) == (1, "there is no signature manifest.json.minisig\n")
    run("keygen", "--out", "other.key", "--no-password")
    run("sign", "manifest.json", "--key", "other.key")
    foreign = run("verify", "manifest.json", "paper", "--key", "lab.pub")
    assert foreign.exit_code == 1
    assert "was made by the key" in foreign.output
    (work / "paper" / PATH).write_bytes(b"Voltage")
    changed = run("verify", "manifest.json", "paper")
    assert changed.exit_code == 1
    assert f"hash differs  {PATH}" in changed.output


def test_other_files_fail_only_a_strict_check(work: Path) -> None:
    (work / "paper/extra.txt").write_text("x")
    assert "1 ok, 1 extra" in run("verify", "manifest.json", "paper").output
    strict = run("verify", "manifest.json", "paper", "--strict")
    assert strict.exit_code == 1
    assert "extra  extra.txt" in strict.output


def test_what_is_no_manifest_or_key_is_refused(work: Path) -> None:
    (work / "manifest.json").write_text("{}")
    for words in (["verify", "manifest.json", "paper"], ["sign", "manifest.json", "--key", "lab.key"]):
        result = run(*words)
        assert result.exit_code == 2
        assert "format None is unknown" in result.output
    again = run("keygen", "--out", "lab.key", "--no-password")
    assert again.exit_code == 2
    assert "a key is never replaced" in again.output
