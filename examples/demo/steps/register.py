"""Step 2: rigs register their sessions with the unmodified ONE client."""

from __future__ import annotations

import numpy as np

from examples.demo.screen import check
from examples.demo.world import COAST, COASTAL_SUBJECT, HILL, PROBE, SUBJECT, World, environment, facts
from examples.ibl_sessions import cache_folder, fetch_wheel, read_probe, write_alf
from examples.synthetic_recording import write_recording

COASTAL_DATE = "2020-09-07"


def run(world: World) -> None:
    """Write the sessions into the folders of the rigs, then register them."""
    _write_hill(world)
    _write_coast(world)
    n_files = _register(world, HILL, "demo_experimenter", len(world.source))
    check(set(world.eids) >= set(world.source), "not all sessions were registered")
    sessions = list(world.connection.rows("/sessions", subject=SUBJECT))
    check(len(sessions) == len(world.source), f"{SUBJECT} has {len(sessions)} sessions")
    n_registered = sum(world.connection.get(f"/sessions/{each['id']}")["n_trials"] or 0 for each in sessions)
    n_trials = sum(session.n_trials for session in world.source.values())
    check(
        n_registered == n_trials, f"on the server there are {n_registered} trials, the source has {n_trials}"
    )
    world.screen.say(f"{HILL}: {len(sessions)} sessions of {SUBJECT}, {n_registered} trials, {n_files} files")
    n_files = _register(world, COAST, "demo_coastal", 1)
    world.screen.say(f"{COAST}: 1 session of {COASTAL_SUBJECT}, {n_files} files")


def _write_hill(world: World) -> None:
    for session in write_alf(world.server_of(HILL), HILL):
        (session.path / "task_protocol.flag").write_text(session.protocol)
    raw = world.recording()
    size_bytes = round(world.seconds * 30_000) * 385 * 2
    if not (raw.exists() and raw.stat().st_size == size_bytes):
        world.screen.say(
            f"making {world.seconds:g} s of a Neuropixels-like recording, {size_bytes / 1e6:.0f} MB"
        )
        raw.parent.mkdir(parents=True, exist_ok=True)
        write_recording(raw, world.seconds, seed=54)


def _write_coast(world: World) -> None:
    """Write 120 s of sorted spikes of a real probe as ALF files."""
    session = world.server_of(COAST) / COAST / "Subjects" / COASTAL_SUBJECT / COASTAL_DATE / "001"
    folder = session / "alf" / PROBE
    folder.mkdir(parents=True, exist_ok=True)
    (session / "task_protocol.flag").write_text("passiveChoiceWorld")
    probe = read_probe(fetch_wheel(cache_folder()))
    np.save(folder / "spikes.times.npy", probe.times_s)
    np.save(folder / "spikes.clusters.npy", probe.clusters)


def _register(world: World, lab: str, user: str, n_sessions: int) -> int:
    """Run the rig's program in its own home folder; returns the number of registered files."""
    arguments = ["-m", "examples.demo.rig", world.login.base_url, user, world.password_of(user)]
    arguments += [str(world.server_of(lab)), f"{lab}_server", lab, "demo_decisions"]
    home = world.folder / f"{lab}_rig"
    n_files = 0
    with world.screen.bar(f"{lab} registers with one-api", n_sessions) as bar:
        lines = facts(arguments, environment(home), world.log(f"{lab}_rig"))
        for n, fact in enumerate(lines, start=1):
            world.eids[fact["date"]] = fact["eid"]
            n_files += len(fact["datasets"])
            bar.reach(n)
    return n_files
