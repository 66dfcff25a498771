"""One service in a process of its own: `python -m deploy.local.alone SERVICE PORT`."""

from __future__ import annotations

import importlib
import sys

from deploy.image.serve import serve


def main(service: str, port: str) -> None:
    """Serve it on loopback; its settings come from the environment."""
    serve(importlib.import_module(f"services.{service}.app").build(), int(port))


if __name__ == "__main__":
    main(*sys.argv[1:])
