"""Step 5: an analyst searches, lists and loads with the unmodified ONE client, and reads raw voltage."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from examples.demo.screen import check
from examples.demo.world import CINGULUM, DAY_OF_RECORDING, PROJECT, SUBJECT, World, environment, facts

RATE_HZ, N_CHANNELS = 30_000, 385
USER = "demo_coastal"


def run(world: World) -> None:
    """A user of the other lab, on another computer, loads exactly what was recorded."""
    t0_s = max(0.0, world.seconds / 2 - 0.5)
    person = environment(world.folder / "analyst")
    _set_up(world, person)
    arguments = ["-m", "examples.demo.analyst", world.login.base_url, USER, world.password_of(USER)]
    arguments += [SUBJECT, world.eids[DAY_OF_RECORDING], str(t0_s)]
    results: dict[str, Any] = {}
    for fact in facts(arguments, person, world.log("analyst")):
        results |= fact
    mine = {world.eids[date] for date in world.source}
    check(set(results["sessions"]) == mine, f"ONE finds {len(results['sessions'])} sessions of {len(mine)}")
    world.screen.say(
        f"ONE finds {len(mine)} sessions, and {len(results['datasets'])} datasets in that of {DAY_OF_RECORDING}"
    )
    _check_trials(world, Path(results["trials"]))
    _check_voltage(world, Path(results["voltage"]), t0_s)


def _set_up(world: World, person: Mapping[str, str]) -> None:
    command = [CINGULUM, "setup-one", "--url", world.login.base_url]
    command += ["--user", USER, "--password", world.password_of(USER)]
    done = subprocess.run(command, cwd=PROJECT, env=dict(person), capture_output=True, text=True, check=False)
    check(done.returncode == 0, f"cingulum setup-one: {done.stderr or done.stdout}")


def _check_trials(world: World, file: Path) -> None:
    source = world.source[DAY_OF_RECORDING].columns
    with np.load(file) as loaded:
        check(set(loaded) == set(source), f"the loaded trials have the columns {', '.join(loaded)}")
        for name, values in source.items():
            same = np.array_equal(loaded[name], values, equal_nan=values.dtype.kind == "f")
            check(same, f"trials.{name} is not what was recorded")
    n_trials = world.source[DAY_OF_RECORDING].n_trials
    world.screen.say(f"load_object(eid, 'trials'): {n_trials} trials, every value equal to the source")


def _check_voltage(world: World, file: Path, t0_s: float) -> None:
    got = np.load(file)
    raw = np.memmap(world.recording(), dtype="<i2", mode="r").reshape(-1, N_CHANNELS)
    first = round(t0_s * RATE_HZ)
    original = raw[first : first + RATE_HZ]
    check(got.shape == original.shape, f"the slice has shape {got.shape}, not {original.shape}")
    check(got.astype("<i2").tobytes() == original.tobytes(), "the slice differs from the original recording")
    world.screen.say(
        f"one second of voltage out of the compressed file: {got.shape[0]} samples of {got.shape[1]} "
        "channels, every byte equal to the original"
    )
