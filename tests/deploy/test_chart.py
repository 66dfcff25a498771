"""The chart as Helm renders it: valid for Kubernetes, strict about values, and what the services can read."""

from __future__ import annotations

import importlib
import importlib.util
import re
from collections.abc import Mapping
from typing import Any

import helm_python as helm
import kubernetes_validate
import pytest
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from deploy.image.secrets import secret_entries
from libs.common.catalogue import STATEFUL, Service
from libs.common.settings import StoreSettings
from tests.support.chart import (
    FULL,
    ROOT,
    complaints,
    containers,
    environment,
    notes,
    one,
    pods,
    render,
    secret_keys,
)

OWNER = "postgresql://owner:secret@db.databases:5432/cingulum?ssl=require"
OUTSIDE = {
    "nats-url": "nats://cingulum:word@nats.nats:4222",
    "s3-access-key": "access",
    "s3-secret-key": "hidden",
    "oidc-client-secret": "as the provider gave it",
}
BUILT = [service for service in Service if importlib.util.find_spec(f"services.{service}.settings")]
SETS = pytest.mark.parametrize("values", [None, FULL], ids=["default", "full"])


def _settings_of(service: Service) -> type[BaseSettings]:
    matches: type[BaseSettings] = importlib.import_module(f"services.{service}.settings").Settings
    return matches


def _variables(fields: Mapping[str, FieldInfo]) -> set[str]:
    """The names under which a Settings class reads these fields."""
    return {
        str(field.validation_alias) if field.validation_alias else f"CINGULUM_{name.upper()}"
        for name, field in fields.items()
    }


def _secret_variables(service: Service) -> list[str]:
    """The variables of settings that are secrets or contain one."""
    settings = _settings_of(service)
    secret_fields = {
        name: field for name, field in settings.model_fields.items() if "SecretStr" in str(field.annotation)
    }
    return sorted(_variables(secret_fields))


@pytest.fixture(scope="module")
def secret() -> dict[str, str]:
    return secret_entries(OWNER) | OUTSIDE


@SETS
def test_helm_has_nothing_to_complain_of(values: dict[str, Any] | None) -> None:
    assert complaints(values) == []


@SETS
@pytest.mark.parametrize("version", ["1.25", "1.30", "1.34", "1.37"])
def test_kubernetes_knows_every_field(values: dict[str, Any] | None, version: str) -> None:
    for manifest in render(values):
        kubernetes_validate.validate(manifest, version, strict=True)


@SETS
def test_each_service_is_a_deployment_behind_a_service(values: dict[str, Any] | None) -> None:
    objects = render(values)
    for service in Service:
        one(objects, "Deployment", service)
        ports = one(objects, "Service", service)["spec"]["ports"]
        assert ports == [{"name": "http", "port": 8000, "targetPort": "http", "protocol": "TCP"}]


@SETS
def test_no_pod_has_more_rights_than_it_needs(values: dict[str, Any] | None) -> None:
    for pod in pods(render(values)).values():
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in containers(pod):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert {"requests", "limits"} <= container["resources"].keys()
            assert "tmp" in {mount["name"] for mount in container["volumeMounts"]}


def test_every_service_is_probed() -> None:
    objects = render()
    for service in Service:
        (container,) = one(objects, "Deployment", service)["spec"]["template"]["spec"]["containers"]
        assert container["livenessProbe"]["httpGet"]["path"] == "/health/live"
        # The gateway's readiness asks everybody: it would leave with the first service that does.
        ready = "/health/live" if service is Service.GATEWAY else "/health/ready"
        assert container["readinessProbe"]["httpGet"]["path"] == ready


def test_only_what_runs_more_than_once_has_a_disruption_budget() -> None:
    assert not [o for o in render() if o["kind"] == "PodDisruptionBudget"]
    several = {o["metadata"]["name"] for o in render(FULL) if o["kind"] == "PodDisruptionBudget"}
    assert several == {f"lab-{service}" for service in Service} | {"lab-worker"}


def test_the_migration_comes_first_and_brings_every_service_with_tables() -> None:
    job = one(render(), "Job", "migrate")
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    pod = job["spec"]["template"]["spec"]
    assert [c["command"][-1] for c in pod["initContainers"]] == ["step-zero"]
    assert [c["name"] for c in pod["containers"]] == [str(service) for service in STATEFUL]
    assert {c["command"][-1] for c in pod["containers"]} == {"migrate"}


@SETS
def test_the_owner_of_the_database_is_known_to_the_migration_alone(values: dict[str, Any] | None) -> None:
    for name, pod in pods(render(values)).items():
        keys = {
            e["valueFrom"]["secretKeyRef"]["key"]
            for c in containers(pod)
            for e in c["env"]
            if "valueFrom" in e
        }
        private = {"database-owner-url", "roles-secret"}
        assert keys == private if name == "lab-migrate" else not keys & private


@SETS
@pytest.mark.parametrize("service", BUILT)
def test_a_service_reads_the_rendered_settings(
    service: Service, values: dict[str, Any] | None, secret: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings_class = _settings_of(service)
    pod = pods(render(values))[f"lab-{service}"]
    keys = environment(pod["containers"][0], secret)
    unknown = keys.keys() - _variables(settings_class.model_fields)
    assert not unknown, f"{service} has no such settings"
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    settings = settings_class()
    assert settings.model_dump()["log_level"] == ("WARNING" if values else "INFO")
    mounted = {mount["mountPath"] for mount in pod["containers"][0]["volumeMounts"]}
    if isinstance(settings, StoreSettings):
        assert settings.store_kind == ("s3" if values else "local")
        assert values or str(settings.store_folder) in mounted
    else:
        assert "/store" not in mounted


@SETS
def test_the_key_that_hashes_tokens_is_known_to_metadata_and_the_gateway_alone(
    values: dict[str, Any] | None,
) -> None:
    variables = {
        name
        for name, pod in pods(render(values)).items()
        for container in containers(pod)
        for entry in container.get("env", [])
        if entry.get("valueFrom", {}).get("secretKeyRef", {}).get("key") == "secret-key"
    }
    assert variables == {"lab-metadata", "lab-gateway"}


def test_a_service_finds_its_own_role_in_its_address(secret: dict[str, str]) -> None:
    for service in (*STATEFUL, Service.GATEWAY):
        address = secret[f"{service}-database-url"]
        assert re.fullmatch(
            rf"postgresql://cingulum_{service}:\w{{40}}@db\.databases:5432/cingulum\?ssl=require", address
        )


def test_an_owners_address_without_a_database_is_refused() -> None:
    for wrong in ("db:5432", "postgresql://db", "mysql://db/cingulum"):
        with pytest.raises(ValueError, match="has the form postgresql://"):
            secret_entries(wrong)


def test_the_gateway_knows_all_other_services(
    secret: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    container = pods(render())["lab-gateway"]["containers"][0]
    for name, value in environment(container, secret).items():
        monkeypatch.setenv(name, value)
    addresses = _settings_of(Service.GATEWAY)().model_dump()["services"]
    assert addresses == {s: f"http://lab-{s}:8000" for s in Service if s is not Service.GATEWAY}


def test_each_key_of_the_secret_is_made_or_named_in_the_handbook(secret: dict[str, str]) -> None:
    required = secret_keys(render()) | secret_keys(render(FULL))
    assert required == secret.keys()
    handbook = (ROOT / "docs" / "how-to" / "operate.md").read_text()
    assert [key for key in sorted(required) if f"`{key}`" not in _with_services(handbook)] == []


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"replicas": 3}, "replicas"),
        ({"services": {"metadata": {"replicas": "two"}}}, "replicas"),
        ({"services": {"metadata": {"replica": 2}}}, "replica"),
        ({"services": {"mail": {"replicas": 1}}}, "mail"),
        ({"services": {"portal": {"env": {"PATH": "/"}}}}, "PATH"),
        ({"services": {"portal": {"resources": {"limits": {"memory": "much"}}}}}, "memory"),
        ({"store": {"kind": "ftp"}}, "kind"),
        ({"store": {"kind": "s3"}}, "endpoint"),
        ({"store": {"s3": {"secretKey": "x"}}}, "secretKey"),
        ({"nats": {"url": "http://nats:4222"}}, "url"),
        ({"ingress": {"enabled": True}}, "host"),
        ({"trustedProxies": ["everybody"]}, "trustedProxies"),
        ({"worker": {"replicas": 1}}, "tokenSecret"),
        ({"worker": {"site": "lab_server"}}, "filesClaim"),
        ({"secretName": ""}, "secretName"),
    ],
)
def test_a_wrong_value_is_refused_by_name(values: dict[str, Any], reason: str) -> None:
    with pytest.raises(helm.HelmError, match=reason):
        render(values)


def test_a_local_store_is_refused_where_several_would_use_it() -> None:
    with pytest.raises(
        helm.HelmError, match=r"transfer\.replicas is 2, but a local store is a volume of one node"
    ):
        render({"services": {"transfer": {"replicas": 2}}})


def test_a_local_store_keeps_its_readers_on_one_node_and_outlives_the_release() -> None:
    objects = render()
    claim = one(objects, "PersistentVolumeClaim", "store")
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    readers = {name for name, pod in pods(objects).items() if "affinity" in pod}
    assert readers == {"lab-metadata", "lab-registry", "lab-transfer", "lab-compressor"}
    objects = render({"store": {"local": {"existingClaim": "bytes"}}})
    assert not [o for o in objects if o["kind"] == "PersistentVolumeClaim"]


def test_the_worker_comes_with_its_token() -> None:
    assert "lab-worker" not in pods(render())
    assert "worker.tokenSecret" in notes()
    pod = pods(render(FULL))["lab-worker"]
    (container,) = pod["containers"]
    (token_file,) = (
        a.removeprefix("--token-file=") for a in container["args"] if a.startswith("--token-file=")
    )
    folder = {
        v["name"]: m["mountPath"]
        for v in pod["volumes"]
        for m in container["volumeMounts"]
        if m["name"] == v["name"]
    }
    assert token_file == f"{folder['token']}/token"
    assert not container.get("envFrom")


@pytest.mark.parametrize("service", BUILT)
def test_other_settings_are_accepted_as_values(service: Service) -> None:
    names = _variables(_settings_of(service).model_fields) - set(_secret_variables(service))
    render({"services": {service: {"env": dict.fromkeys(sorted(names), "1")}}})


def test_worker_of_a_site_reads_its_files_read_only() -> None:
    pod = pods(render(FULL))["lab-worker"]
    (container,) = pod["containers"]
    assert {"--site=cluster", "--tree=/files"} <= set(container["args"])
    (mount,) = (m for m in container["volumeMounts"] if m["mountPath"] == "/files")
    (volume,) = (v for v in pod["volumes"] if v["name"] == mount["name"])
    assert mount["readOnly"]
    assert volume["persistentVolumeClaim"] == {"claimName": "lab-files", "readOnly": True}


@pytest.mark.parametrize(
    ("service", "name"), [(service, name) for service in BUILT for name in _secret_variables(service)]
)
def test_secret_settings_come_from_the_secret_alone(service: Service, name: str) -> None:
    (container,) = pods(render(FULL))[f"lab-{service}"]["containers"]
    (entry,) = (entry for entry in container["env"] if entry["name"] == name)
    assert "secretKeyRef" in entry["valueFrom"]
    with pytest.raises(helm.HelmError, match=name):
        render({"services": {service: {"env": {name: "in plain text"}}}})


def test_the_ingress_leads_to_the_gateway() -> None:
    assert not [o for o in render() if o["kind"] == "Ingress"]
    (rule,) = one_ingress(render(FULL))["spec"]["rules"]
    assert rule["host"] == "cingulum.example.org"
    (path,) = rule["http"]["paths"]
    assert (path["path"], path["backend"]["service"]["name"]) == ("/", "lab-gateway")


def test_the_gateway_trusts_the_proxies_that_the_values_name_and_no_others(
    secret: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    open_to_all = {"ingress": {"enabled": True, "host": "cingulum.example.org"}}
    for values, trusted in ((None, []), (open_to_all, []), (FULL, FULL["trustedProxies"])):
        monkeypatch.delenv("CINGULUM_TRUSTED_PROXIES", raising=False)
        for name, value in environment(pods(render(values))["lab-gateway"]["containers"][0], secret).items():
            monkeypatch.setenv(name, value)
        networks = _settings_of(Service.GATEWAY)().model_dump()["trusted_proxies"]
        assert [str(network) for network in networks] == trusted
    assert "trustedProxies is empty" in notes(open_to_all)
    assert "trustedProxies is empty" not in notes(FULL)


def one_ingress(objects: list[dict[str, Any]]) -> dict[str, Any]:
    """The only Ingress."""
    (matches,) = (o for o in objects if o["kind"] == "Ingress")
    return matches


def _with_services(handbook: str) -> str:
    """The handbook names `<service>-database-url` once."""
    addresses = " ".join(f"`{service}-database-url`" for service in (*STATEFUL, Service.GATEWAY))
    return handbook.replace("`<service>-database-url`", addresses)
