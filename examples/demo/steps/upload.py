"""Step 3: each lab's agent uploads the registered files to the central store."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from examples.demo.screen import StepFailed, check
from examples.demo.world import CINGULUM, COAST, HILL, World, environment, last_lines, program

LABS = (HILL, COAST)
PATIENCE_S = 600.0


def run(world: World) -> None:
    """Start both agents; all copies become verified, in the store and at the labs."""
    before = _states(world)
    world.screen.say(f"before: {_summary_of(before)}")
    began = time.monotonic()
    with ExitStack() as running:
        agents = {lab: running.enter_context(_agent(world, lab)) for lab in LABS}
        with world.screen.bar("copies verified", before.total()) as bar:
            while any(agent.poll() is None for agent in agents.values()):
                bar.reach(_states(world)["verified"])
                if time.monotonic() - began > PATIENCE_S:
                    raise StepFailed(f"the agents are not done within {PATIENCE_S:.0f} s")
                time.sleep(0.5)
            after = _settled(world)
            bar.reach(after["verified"])
        for lab, agent in agents.items():
            lines = last_lines(_log(world, lab))
            check(agent.returncode == 0, f"the agent of {lab} ended with {agent.returncode}:\n{lines}")
    check(set(after) == {"verified"}, f"after the agents: {_summary_of(after)}")
    world.screen.say(f"after: {_summary_of(after)}")


def _agent(world: World, lab: str) -> AbstractContextManager[subprocess.Popen[str]]:
    scopes = [f"lab:{lab}:read", f"lab:{lab}:transfer", f"repository:{lab}_server:prove"]
    token = world.machine_token(f"agent of {lab}", scopes)
    arguments = ["agent", "run", "--url", world.login.base_url, "--token-file", str(token)]
    arguments += ["--repository", f"{lab}_server", "--root", str(world.server_of(lab))]
    arguments += ["--journal", str(world.folder / f"{lab}_agent.sqlite"), "--once"]
    return program([CINGULUM, *arguments], environment(world.folder / f"{lab}_agent"), _log(world, lab))


def _log(world: World, lab: str) -> Path:
    return world.log(f"{lab}_agent")


def _settled(world: World) -> Counter[str]:
    """The states when all copies are verified, or after 20 s."""
    for _ in range(40):
        states = _states(world)
        if set(states) == {"verified"}:
            break
        time.sleep(0.5)
    return states


def _states(world: World) -> Counter[str]:
    """Numbers of copies of the labs' files, by state."""
    counted: Counter[str] = Counter()
    for lab in LABS:
        for repository in ("central", f"{lab}_server"):
            for row in world.connection.rows("/copies", repository=repository, lab=lab):
                if (world.server_of(lab) / row["relative_path"]).exists():
                    counted[row["state"]] += 1
    return counted


def _summary_of(states: Counter[str]) -> str:
    return ", ".join(f"{n} copies {state}" for state, n in sorted(states.items())) or "no copies"
