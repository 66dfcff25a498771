"""All services in one process behind the gateway: `python -m deploy.local.mounted` (the default)."""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Mapping
from typing import Any

from starlette.types import ASGIApp

from deploy.image.serve import serve
from libs.common.catalogue import Service
from libs.common.client import InProcess
from services.gateway import app as gateway


def parts() -> dict[Service, Any]:
    """Every service but the gateway, by name."""
    names: list[Service] = [
        s for s in Service if s is not Service.GATEWAY and importlib.util.find_spec(f"services.{s}.app")
    ]
    return {service: importlib.import_module(f"services.{service}.app").build() for service in names}


def build() -> ASGIApp:
    """The whole system as one ASGI application."""
    return behind_gateway(parts())


def behind_gateway(apps: Mapping[Service, Any]) -> ASGIApp:
    """The gateway with services of this process; the portal calls it within the process."""
    whole = gateway.build(apps=apps)
    if portal := apps.get(Service.PORTAL):
        portal.state.api = InProcess(whole)
    return whole


def main() -> None:
    """Serve on loopback at CINGULUM_PORT."""
    serve(build(), int(os.environ.get("CINGULUM_PORT", "8000")), behind_gateway=False)


if __name__ == "__main__":
    main()
