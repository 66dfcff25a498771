"""What each program of a local system is told, and when the migration may be left out."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from deploy.local.settings import LocalSettings
from deploy.local.system import System, built


@pytest.fixture
def system(tmp_path: Path) -> System:
    """A system whose servers were prepared once, and whose services know their database."""
    system = System(LocalSettings(home=tmp_path, port=8123))
    assert system.postgres is not None
    assert system.nats is not None
    for server, port in ((system.postgres, "5001"), (system.nats, "5002")):
        server.folder.mkdir()
        (server.folder / "port").write_text(port)
    system.postgres.data.mkdir()
    system.services_file.write_text(
        "CINGULUM_METADATA_DATABASE_URL=postgresql://metadata@127.0.0.1:5001/cingulum\n"
    )
    return system


def test_only_the_migration_knows_the_owner_and_only_the_gateway_signs(system: System) -> None:
    migration, service = system.owner_environment(), system.service_environment()
    assert migration["CINGULUM_DATABASE_URL"].startswith("postgresql://postgres:")
    assert "CINGULUM_DATABASE_URL" not in service
    assert service["CINGULUM_METADATA_DATABASE_URL"] == "postgresql://metadata@127.0.0.1:5001/cingulum"
    assert "CINGULUM_IDENTITY_SIGNING_KEY" not in service
    assert "CINGULUM_ADMIN_PASSWORD" not in system.gateway_environment()
    assert "PRIVATE KEY" in system.gateway_environment()["CINGULUM_IDENTITY_SIGNING_KEY"]
    assert system.metadata_environment()["CINGULUM_ADMIN_USERNAME"] == "admin"
    assert service["CINGULUM_NATS_URL"].endswith("@127.0.0.1:5002")


def test_what_the_operator_sets_reaches_the_services(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CINGULUM_RATE_LIMIT", "0")
    monkeypatch.setenv("CINGULUM_DATABASE_URL", "postgresql://owner@elsewhere/cingulum")
    environment = system.service_environment()
    assert environment["CINGULUM_RATE_LIMIT"] == "0"
    assert "CINGULUM_DATABASE_URL" not in environment


def test_keys_are_made_once_and_are_private(system: System) -> None:
    again = System(system.settings)
    assert (again.keys, again.login) == (system.keys, system.login)
    modes = {
        file.stat().st_mode & 0o777
        for file in (system.settings.home / "keys").iterdir()
        if file != system.services_file
    }
    assert modes == {0o600}


def test_a_removed_login_file_is_restored_with_its_password(system: System) -> None:
    file = system.settings.home / "login.json"
    before = file.read_text()
    file.unlink()
    assert System(system.settings).login == system.login
    assert file.read_text() == before


def test_the_migration_is_left_out_until_the_data_folder_is_another_one(system: System) -> None:
    assert system.postgres is not None
    assert system.is_behind()
    system.remember_migration()
    assert not system.is_behind()
    system.postgres.data.rename(system.settings.home / "set aside")
    system.postgres.data.mkdir()
    assert system.is_behind()


def test_an_external_database_is_always_migrated(tmp_path: Path) -> None:
    system = System(LocalSettings(home=tmp_path, database_url="postgresql://owner@elsewhere/cingulum"))
    system.remember_migration()
    assert system.is_behind()


def test_the_key_that_hashes_tokens_is_for_metadata_and_the_gateway(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CINGULUM_SECRET_KEY", "from outside")
    system.services_file.parent.mkdir(exist_ok=True)
    system.services_file.write_text("CINGULUM_REGISTRY_DATABASE_URL=postgresql://r@h/d\n")
    for environment in (system.environment(), system.service_environment(), system.worker_environment()):
        assert "CINGULUM_SECRET_KEY" not in environment
        assert system.keys.secret_key not in environment.values()
    for environment in (system.metadata_environment(), system.gateway_environment()):
        assert environment["CINGULUM_SECRET_KEY"] == system.keys.secret_key


def test_the_worker_gets_no_key(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = {
        (str(field.validation_alias or f"CINGULUM_{name.upper()}"))
        for service in built()
        for name, field in import_module(f"services.{service}.settings").Settings.model_fields.items()
        if "SecretStr" in str(field.annotation)
    }
    secrets = {*fields, "CINGULUM_S3_ACCESS_KEY"}
    assert {"CINGULUM_OIDC_CLIENT_SECRET", "CINGULUM_METRICS_TOKEN"} < secrets
    for name in secrets:
        monkeypatch.setenv(name, "an operator's secret")
    environment = system.worker_environment()
    assert "an operator's secret" not in environment.values(), [
        name for name in secrets if name in environment
    ]
    assert environment["CINGULUM_BASE_URL"] == "http://127.0.0.1:8123"
    assert system.keys.secret_key not in environment.values()
    assert not [key for key in environment if "DATABASE" in key or "IDENTITY" in key]
