"""The programs of a container image.

python -m deploy.image serve             serve the image's service (CINGULUM_SERVICE) at CINGULUM_PORT, 8000
python -m deploy.image step-zero         create schemas, roles and stand-ins of views, as the database's owner
python -m deploy.image migrate           migrate the image's service to its newest tables, as its owner role
python -m deploy.image datajoint …       grant PERSON, revoke PERSON, list, rebuild: roles for DataJoint, as the owner
python -m deploy.image secret NAME URL   print a new Secret for the chart; URL: the database, as its owner
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
from collections.abc import Sequence

from libs.common.catalogue import Service

DEFAULT_PORT = 8000
GRACE_S = 25  # the chart allows 40 s: 5 s until no more requests arrive, then these


def _service() -> Service:
    return Service(os.environ["CINGULUM_SERVICE"])


def _serve() -> None:
    from deploy.image.serve import serve

    service = _service()
    app = importlib.import_module(f"services.{service}.app").build()
    port = int(os.environ.get("CINGULUM_PORT", DEFAULT_PORT))
    serve(app, port, behind_gateway=service is not Service.GATEWAY, grace_s=GRACE_S)


def _migrate(*, first: bool) -> None:
    from libs.common.migrate import Addresses, step_zero, upgrade

    addresses = Addresses(os.environ["CINGULUM_DATABASE_URL"], os.environ["CINGULUM_ROLES_SECRET"])
    asyncio.run(step_zero(addresses) if first else upgrade(_service(), addresses))


def main(words: Sequence[str]) -> int:
    """Run one program; returns the exit code."""
    match words:
        case ["serve"]:
            _serve()
        case ["step-zero"]:
            _migrate(first=True)
        case ["migrate"]:
            _migrate(first=False)
        case ["datajoint", *command]:
            from deploy.image import datajoint

            return asyncio.run(datajoint.run(command, os.environ["CINGULUM_DATABASE_URL"]))
        case ["secret", name, owner_url]:
            from deploy.image.secrets import manifest, secret_entries

            sys.stdout.write(json.dumps(manifest(name, secret_entries(owner_url)), indent=2) + "\n")
        case _:
            sys.stderr.write(f"{__doc__}\n")
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
