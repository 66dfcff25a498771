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


def test_the_secret_key_is_never_written_where_the_public_one_belongs(work: Path) -> None:
    refused = run("keygen", "--out", "mine.pub", "--no-password")
    assert (refused.exit_code, Path("mine.pub").exists()) == (2, False)
    for name in ("release-2026.1", "release-2026.2"):
        assert run("keygen", "--out", name, "--no-password").exit_code == 0
        assert "secret" in Path(name).read_text()
        assert "public key" in Path(f"{name}.pub").read_text()


def test_a_key_that_cannot_be_written_leaves_no_public_part(work: Path) -> None:
    Path("dangling.key").symlink_to(work / "no" / "folder")
    refused = run("keygen", "--out", "dangling.key", "--no-password")
    assert refused.exit_code == 1
    assert refused.output.startswith("dangling.key cannot be written")
    assert not Path("dangling.pub").exists()


def test_a_signature_by_another_key_is_replaced_only_on_demand(work: Path) -> None:
    assert run("sign", "manifest.json", "--key", "lab.key").exit_code == 0
    assert run("sign", "manifest.json", "--key", "lab.key").exit_code == 0
    run("keygen", "--out", "other.key", "--no-password")
    before = Path("manifest.json.minisig").read_bytes()
    refused = run("sign", "manifest.json", "--key", "other.key")
    assert refused.exit_code == 2
    assert "--replace" in refused.output
    assert Path("manifest.json.minisig").read_bytes() == before
    assert run("sign", "manifest.json", "--key", "other.key", "--replace").exit_code == 0


@pytest.mark.parametrize("words", [["--key", "lab.pub"], []])
def test_a_signature_that_is_no_text_is_refused(work: Path, words: list[str]) -> None:
    Path("manifest.json.minisig").write_bytes(b"\xff\xfe")
    refused = run("verify", "manifest.json", "paper", *words)
    assert refused.exit_code in {1, 2}
    assert "is not UTF-8 text" in refused.output


def test_a_linked_folder_is_not_exact(work: Path) -> None:
    elsewhere = work / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.b.npy").write_bytes(b"newer")
    alf = work / "paper" / Path(PATH).parent
    (alf / "#v9#").symlink_to(elsewhere)
    assert run("verify", "manifest.json", "paper").exit_code == 0
    strict = run("verify", "manifest.json", "paper", "--strict")
    assert strict.exit_code == 1
    assert "#v9# (is a link to a folder)" in strict.output
