"""The Helm chart, rendered by Helm's own code."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import helm_python as helm
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "cingulum"
FULL: dict[str, Any] = yaml.safe_load((ROOT / "tests" / "deploy" / "full-values.yaml").read_text())
RELEASE = "lab"


def render(values: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """The objects of a release; do not change them. Raises helm.HelmError as `helm template` would."""
    return _rendered(json.dumps(values))


@cache
def _rendered(text: str) -> list[dict[str, Any]]:
    values = json.loads(text)
    chart = helm.Chart.load(CHART)
    chart.validate_schema(values)
    texts = chart.render(values, name=RELEASE, namespace="cingulum")
    manifests = (text for name, text in sorted(texts.items()) if not name.endswith("NOTES.txt"))
    return [manifest for text in manifests for manifest in yaml.safe_load_all(text) if manifest]


def notes(values: dict[str, Any] | None = None) -> str:
    """What Helm says after an install."""
    rendered = helm.Chart.load(CHART).render(values, name=RELEASE, namespace="cingulum")
    return rendered["cingulum/templates/NOTES.txt"]


def complaints(values: dict[str, Any] | None = None) -> list[str]:
    """What `helm lint` warns of, but for the missing icon."""
    result = helm.lint(CHART, values, strict=True)
    return [m["error"] for m in result["messages"] if "icon" not in m["error"]] + list(result["errors"])


def one(objects: list[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    """The object of that kind and name."""
    (manifest,) = (o for o in objects if o["kind"] == kind and o["metadata"]["name"] == f"{RELEASE}-{name}")
    return manifest


def pods(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Name → pod specification of everything that runs."""
    return {
        o["metadata"]["name"]: o["spec"]["template"]["spec"]
        for o in objects
        if o["kind"] in {"Deployment", "Job"}
    }


def containers(pod: dict[str, Any]) -> list[dict[str, Any]]:
    """All of a pod, those that run first included."""
    containers: list[dict[str, Any]] = pod.get("initContainers", []) + pod["containers"]
    return containers


def environment(container: dict[str, Any], secret: dict[str, str]) -> dict[str, str]:
    """What the container's program finds in its environment."""
    return {
        entry["name"]: entry["value"]
        if "value" in entry
        else secret[entry["valueFrom"]["secretKeyRef"]["key"]]
        for entry in container.get("env", [])
    }


def secret_keys(objects: list[dict[str, Any]]) -> set[str]:
    """Every key of the Secret that any pod reads as a variable."""
    return {
        entry["valueFrom"]["secretKeyRef"]["key"]
        for pod in pods(objects).values()
        for container in containers(pod)
        for entry in container.get("env", [])
        if "valueFrom" in entry
    }
