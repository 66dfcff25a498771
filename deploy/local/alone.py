"""One service in a process of its own: `python -m deploy.local.alone SERVICE PORT`."""

from __future__ import annotations

import importlib
import sys

from deploy.image.serve import serve
from libs.common.catalogue import Service


def main(service: str, port: str) -> None:
    """Serve it on loopback; its settings come from the environment."""
    app = importlib.import_module(f"services.{service}.app").build()
    serve(app, int(port), behind_gateway=service != Service.GATEWAY)


if __name__ == "__main__":
    main(*sys.argv[1:])
