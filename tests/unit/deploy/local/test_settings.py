"""Settings of the local system, and what would stop its start."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from deploy.local.places import free_port
from deploy.local.settings import LocalSettings, SetUpError


def test_the_defaults_are_var_and_port_8000(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = LocalSettings.from_environment({"CINGULUM_NATS_URL": " "})
    assert (settings.home, settings.base_url, settings.nats_url) == (
        tmp_path / "var",
        "http://127.0.0.1:8000",
        None,
    )


def test_a_new_state_folder_is_private(tmp_path: Path) -> None:
    fresh, ours, shared = tmp_path / "fresh", tmp_path / "ours", tmp_path / "shared"
    (ours / "keys").mkdir(parents=True)
    shared.mkdir()
    for folder in (ours, shared):
        folder.chmod(0o755)
    for folder in (fresh, ours, shared):
        LocalSettings(home=folder).check_home()
    modes = [folder.stat().st_mode & 0o777 for folder in (fresh, ours, shared)]
    assert modes == [0o700, 0o700, 0o755]


@pytest.mark.parametrize("port", ["http", "0", "65536", "-1", "80.5"])
def test_a_port_that_is_none_is_named(port: str) -> None:
    with pytest.raises(SetUpError, match=f"CINGULUM_PORT={port} is not a port"):
        LocalSettings.from_environment({"CINGULUM_PORT": port})


@pytest.mark.parametrize("variable", ["CINGULUM_DATABASE_URL", "CINGULUM_NATS_URL", "CINGULUM_S3_ENDPOINT"])
def test_an_external_server_that_does_not_answer_is_named(tmp_path: Path, variable: str) -> None:
    environment = {"CINGULUM_HOME": str(tmp_path), "CINGULUM_PORT": str(free_port())}
    address = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(SetUpError, match=f"{variable} names 127.0.0.1:.* does not respond"):
        LocalSettings.from_environment(environment | {variable: address}).check()
    with pytest.raises(SetUpError, match=f"{variable} is not a valid URL"):
        LocalSettings.from_environment(environment | {variable: "http://127.0.0.1:many"}).check()


def test_a_check_leaves_only_the_folder(tmp_path: Path) -> None:
    LocalSettings(home=tmp_path / "var", port=free_port()).check()
    assert list((tmp_path / "var").iterdir()) == []


def test_a_disk_without_room_is_named_with_what_a_start_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=20_000_000))
    with pytest.raises(
        SetUpError, match=r"has 20 MB left, and a start needs 100: free some space, or choose"
    ):
        LocalSettings(home=tmp_path, port=free_port()).check()
