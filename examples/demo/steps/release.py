"""Step 7: a session is released, and a stranger downloads, checks and opens it without an account."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np

import cingulum
from examples.demo.screen import check
from examples.demo.world import CINGULUM, PROJECT, SUBJECT, World, environment

NAME = "demo-2020"
DAY = "2020-08-31"
OWNER = "demo_experimenter"


def run(world: World) -> None:
    """Publish a release unless an earlier demo did, then read it as a stranger does."""
    if not any(row["name"] == NAME for row in world.connection.rows("/releases")):
        _publish(world)
    _visit(world)


def address(world: World) -> str:
    """Where it is downloaded: NAME.zip is below."""
    return f"{world.login.base_url}/releases/{NAME}"


def _publish(world: World) -> None:
    """Draft, consent of the experimenter, check, signature: each as the command that a person runs."""
    secret = world.folder / "keys" / "demo.key"
    secret.parent.mkdir(parents=True, exist_ok=True)
    if not secret.exists():
        _release("keygen", "--out", str(secret), "--no-password")
    administrator = _as(world, world.login.username, world.login.password)
    if not any(row["name"] == "demo" for row in world.connection.rows("/release-keys")):
        _release("add-key", str(secret.with_suffix(".pub")), "--name", "demo", *administrator)
    title = ["--title", f"{SUBJECT}, the session of {DAY}"]
    _release("create", NAME, *title, "--session", world.eids[DAY], *administrator)
    _release("consent", NAME, *_as(world, OWNER, world.password_of(OWNER)))
    _release("check", NAME, "--accept", "qc", *administrator)
    root = world.connection.get(f"/releases/{NAME}")["root"]
    published = _release("publish", NAME, "--key", str(secret), "--root", root, *administrator)
    world.screen.say(published.splitlines()[-1])


def _visit(world: World) -> None:
    """Download, check and open it, with no account and no server."""
    home = world.folder / "stranger"
    folder = home / NAME
    public = world.folder / "keys" / "demo.pub"
    got = _release("get", address(world), "--out", str(folder), "--key", str(public), at=home)
    world.screen.say(f"without an account: {got.splitlines()[-1]}")
    _check_trials(world, folder)
    world.screen.say("its signature is right, and its trials are equal to the source")


def _check_trials(world: World, folder: Path) -> None:
    loaded = cingulum.open(folder).search(subject=SUBJECT)[0].load("trials")
    for name, values in world.source[DAY].columns.items():
        same = np.array_equal(loaded[name], values, equal_nan=values.dtype.kind == "f")
        check(same, f"trials.{name} of the release is not what was recorded")


def _as(world: World, user: str, password: str) -> list[str]:
    return ["--url", world.login.base_url, "--user", user, "--password", password]


def _release(*arguments: str, at: Path | None = None) -> str:
    """What `cingulum release` prints; `at` is the home of a person without an account. Raises StepFailed."""
    done = subprocess.run(
        [CINGULUM, "release", *arguments],
        cwd=at or PROJECT,
        env=environment(at) if at else None,
        capture_output=True,
        text=True,
        check=False,
    )
    check(done.returncode == 0, f"cingulum release {arguments[0]}: {done.stderr or done.stdout}")
    return done.stdout
