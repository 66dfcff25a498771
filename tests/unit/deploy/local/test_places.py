"""Ports, private files, and programs that every account can reach."""

from __future__ import annotations

import socket
import sys
import tempfile
from pathlib import Path

import pytest

from deploy.local import places


def test_a_port_is_free_until_a_process_listens() -> None:
    with socket.socket() as server:
        server.bind((places.LOOPBACK, 0))
        server.listen()
        port = server.getsockname()[1]
        assert not places.port_is_free(port)
    assert places.port_is_free(port)


def test_a_remembered_port_changes_only_when_taken(tmp_path: Path) -> None:
    file = tmp_path / "port"
    first = places.remembered_port(file)
    assert places.remembered_port(file) == first
    with socket.create_server((places.LOOPBACK, first)):
        second = places.remembered_port(file)
    assert second != first
    assert places.remembered_port(file) == second


@pytest.mark.skipif(sys.platform != "linux", reason="a port is reserved on Linux only")
def test_a_chosen_port_is_taken_by_no_other_program_before_its_server_listens(tmp_path: Path) -> None:
    chosen = [places.free_port(), places.remembered_port(tmp_path / "port")]
    for port in chosen:
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind((places.LOOPBACK, port))
        with pytest.raises(OSError, match="in use"):  # nor as the near end of a connection
            socket.create_connection((places.LOOPBACK, 9), source_address=(places.LOOPBACK, port))
        for _ in range(2):
            with socket.create_server((places.LOOPBACK, port)) as server:
                assert server.getsockname()[1] == port


def test_a_private_file_is_private_from_its_first_moment_and_replaced_whole(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("old")
    file.chmod(0o644)
    places.write_private(file, "new")
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("new", 0o600)
    assert list(tmp_path.iterdir()) == [file]


def test_a_secret_is_long_and_kept(tmp_path: Path) -> None:
    secret = places.kept_secret(tmp_path / "one")
    assert len(secret) >= 43
    assert places.kept_secret(tmp_path / "one") == secret
    assert places.kept_secret(tmp_path / "two") != secret


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Packages below a folder that only its owner may enter; copies go to a temporary folder."""
    (tmp_path / "temp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temp"))
    root = tmp_path / "closed" / "packages"
    for file in ("server/bin/tool", "server/include/tool.h", "server.libs/tool.so"):
        (root / file).parent.mkdir(parents=True)
        (root / file).write_text(file)
        (root / file).chmod(0o700)
    (tmp_path / "closed").chmod(0o700)
    return root


def test_an_inaccessible_program_is_copied_once_with_its_libraries(packages: Path) -> None:
    copy = places.readable_copy(packages, ["server", "server.libs", "server.dylibs"])
    files = {
        str(path.relative_to(copy)): path.stat().st_mode & 0o777 for path in copy.rglob("*") if path.is_file()
    }
    assert files == {"server/bin/tool": 0o755, "server.libs/tool.so": 0o755}
    assert places.readable_copy(packages, ["server", "server.libs", "server.dylibs"]) == copy


def test_an_incomplete_copy_is_made_again(packages: Path) -> None:
    copy = places.readable_copy(packages, ["server"])
    (copy / "server" / "bin" / "tool").unlink()
    assert (places.readable_copy(packages, ["server"]) / "server" / "bin" / "tool").exists()


def test_a_copy_that_others_can_write_is_not_trusted(packages: Path) -> None:
    planted = places.readable_copy(packages, ["server"])
    planted.chmod(0o777)
    copy = places.readable_copy(packages, ["server"])
    assert copy != planted
    assert copy.stat().st_mode & 0o022 == 0


def test_a_temporary_folder_stays_while_its_process_lives_and_is_then_removed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(places, "_MEMORY", tmp_path)
    monkeypatch.setattr(places, "_ENOUGH", 0)
    killed = tmp_path / "server-killed"
    killed.mkdir()
    (killed / "held").touch()
    with places.temporary_folder("server-") as first:
        assert first.parent == tmp_path
        assert not killed.exists()
        with places.temporary_folder("server-"):
            assert first.exists()
    assert [*tmp_path.iterdir()] == []


def test_without_room_in_memory_a_temporary_folder_is_where_others_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(places, "_MEMORY", tmp_path)
    monkeypatch.setattr(places, "_ENOUGH", 1 << 80)
    with places.temporary_folder("server-") as folder:
        assert folder.parent == Path(tempfile.gettempdir())
