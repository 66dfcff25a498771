"""Step 1: labs, people and an animal by a load file, its weights and water by API calls."""

from __future__ import annotations

import subprocess
from typing import Any

import httpx

from cingulum.client.loading import Action, plan, read_load_file
from examples.demo.screen import check
from examples.demo.world import CINGULUM, LOAD_FILE, PROJECT, SUBJECT, World


def run(world: World) -> None:
    """Load the file twice: the second time nothing changes. Then record weights and water as a rig does."""
    login = world.login
    command = [CINGULUM, "load", str(LOAD_FILE.relative_to(PROJECT))]
    sign_in = ["--url", login.base_url, "--user", login.username, "--password", login.password]
    loaded = subprocess.run([*command, *sign_in], cwd=PROJECT, capture_output=True, text=True, check=False)
    check(loaded.returncode == 0, f"cingulum load: {loaded.stderr or loaded.stdout}")
    world.screen.say(f"[dim]$[/] cingulum load {LOAD_FILE.relative_to(PROJECT)}")
    steps = plan(world.connection, read_load_file(LOAD_FILE.read_text()))
    left = [step.row.place for step in steps if step.action is not Action.SAME]
    check(not left, f"after loading, these rows are not as declared: {', '.join(left)}")
    world.screen.say(f"{len(steps)} declared rows are there, and loading again changes nothing")
    n = _weigh_and_water(world)
    mouse = world.connection.get(f"/subjects/{SUBJECT}")
    days = len(world.source)
    check(len(mouse["weighings"]) >= days, f"{SUBJECT} has {len(mouse['weighings'])} weighings")
    check(len(mouse["water_administrations"]) == days, "water of the session days is missing")
    check(mouse["reference_weight"] is not None, f"{SUBJECT} has no reference weight")
    world.screen.say(
        f"{SUBJECT}: {len(mouse['weighings'])} weighings, {days} times water ({n} API calls), "
        f"reference {mouse['reference_weight']} g"
    )


def _weigh_and_water(world: World) -> int:
    """Record what does not exist yet, by plain HTTP as a script would."""
    user = "demo_technician"
    form = {"username": user, "password": world.password_of(user)}
    base_url = world.login.base_url
    calls = 0
    with httpx.Client(base_url=base_url) as http:
        token = http.post("/auth-token", data=form).raise_for_status().json()["token"]
        http.headers["Authorization"] = f"Token {token}"
        known = http.get(f"/subjects/{SUBJECT}").raise_for_status().json()
        for n, (date, session) in enumerate(world.source.items()):
            weighing: dict[str, Any] = {"weight": round(19.6 + 0.12 * (n % 4) + 0.05 * n, 2)}
            water: dict[str, Any] = {"water_administered": round(0.9 + session.n_trials * 0.0004, 3)}
            for path, field, what, at in (
                ("/weighings", "weighings", weighing, f"{date}T09:00:00"),
                ("/water-administrations", "water_administrations", water, f"{date}T17:30:00"),
            ):
                if at not in {each["date_time"] for each in known[field]}:
                    body = {"subject": SUBJECT, "user": user, "date_time": at, **what}
                    http.post(path, json=body).raise_for_status()
                    calls += 1
    return calls
