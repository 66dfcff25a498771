"""Step 7: a session is released, and a stranger downloads, checks and opens it without an account."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import httpx
import numpy as np

import cingulum
from cingulum.sizes import format_size
from examples.demo.screen import check
from examples.demo.world import CINGULUM, PROJECT, SUBJECT, World

NAME = "demo-2020"
DAY = "2020-08-31"
OWNER = "demo_experimenter"


def run(world: World) -> None:
    """Publish a release unless an earlier demo did, then read it as a stranger does."""
    if not any(row["name"] == NAME for row in world.connection.rows("/releases")):
        _publish(world)
    _visit(world)


def address(world: World) -> str:
    """Where its zip is downloaded."""
    return f"{world.login.base_url}/releases/{NAME}/{NAME}.zip"


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
    folder = world.folder / "stranger"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    file = folder.with_suffix(".zip")
    with httpx.Client(timeout=60) as client, client.stream("GET", address(world)) as response:
        check(response.status_code == 200, f"{address(world)} answers {response.status_code}")
        with file.open("wb") as out:
            for piece in response.iter_bytes():
                out.write(piece)
    with zipfile.ZipFile(file) as archive:
        archive.extractall(folder)
    public = world.folder / "keys" / "demo.pub"
    _release("verify", str(folder / "manifest.json"), str(folder), "--key", str(public), "--strict")
    _check_trials(world, folder)
    world.screen.say(
        f"without an account: {format_size(file.stat().st_size)} downloaded, signature and every file verified, "
        "trials equal to the source"
    )


def _check_trials(world: World, folder: Path) -> None:
    loaded = cingulum.open(folder).search(subject=SUBJECT)[0].load("trials")
    for name, values in world.source[DAY].columns.items():
        same = np.array_equal(loaded[name], values, equal_nan=values.dtype.kind == "f")
        check(same, f"trials.{name} of the release is not what was recorded")


def _as(world: World, user: str, password: str) -> list[str]:
    return ["--url", world.login.base_url, "--user", user, "--password", password]


def _release(*arguments: str) -> str:
    """What a command of `cingulum release` prints. Raises StepFailed."""
    done = subprocess.run(
        [CINGULUM, "release", *arguments], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    check(done.returncode == 0, f"cingulum release {arguments[0]}: {done.stderr or done.stdout}")
    return done.stdout
