"""The worker of the local system: `python -m deploy.local.worker`. It creates its token at the first start."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import httpx

from cingulum.cli import worker
from deploy.local.places import write_private

SCOPES = ["read", "register", "transfer", "work"]
# The supervisor stops the worker within a second, so that the whole system stops within five.
GRACE_S = 0.2


def keep_token(home: Path, base_url: str) -> Path:
    """Path of the file with the worker's token (0600); a missing or revoked token is replaced.

    Raises httpx.HTTPStatusError if the login in `login.json` is refused, and httpx.TransportError.
    """
    file = home / "keys" / "worker.token"
    with httpx.Client(base_url=base_url, timeout=10) as http:
        if file.exists():
            answer = http.get("/me", headers={"Authorization": f"Token {file.read_text().strip()}"})
            if answer.status_code == 200:
                return file
        login = json.loads((home / "login.json").read_text())
        body = {"name": "this machine's worker", "kind": "worker", "scopes": SCOPES}
        made = http.post("/tokens", json=body, auth=(login["username"], login["password"]))
        write_private(file, made.raise_for_status().json()["token"] + "\n")
    return file


def main() -> None:
    """Run jobs of the local system until it stops."""
    home, base_url = Path(os.environ["CINGULUM_HOME"]), os.environ["CINGULUM_BASE_URL"]
    try:
        token_file = keep_token(home, base_url)
    except httpx.HTTPError as error:
        sys.exit(f"The worker has no token ({error}): is the password in {home / 'login.json'} current?")
    worker.run(
        url=base_url,
        token_file=token_file,
        name="local",
        work=home / "work",
        slots=min(2, os.cpu_count() or 1),
        grace_s=GRACE_S,
    )


if __name__ == "__main__":
    main()
