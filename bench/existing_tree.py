"""`cingulum scan` of a tree of 62,000 datasets: how long until all of them can be searched: `make bench-scan`.

A system of its own is started, as `make up` does. Beside the scan, in the same run: reading the tree alone, and a
`POST /register-file` of a single session's files, as a rig sends it, times the number of sessions. The limit is by the
clock, so an idle machine of two cores is needed; the processor times tell what other programs took.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from bench.api.processor_time import spent
from cingulum.http import Connection
from cingulum.scan import FileAction, Scanner, Server, read_tree
from cingulum.worker.lab.journal import Journal
from tests.faults.system import System, running

T = TypeVar("T")
WITHIN_S = 60.0
SPIKES = ("times", "clusters", "amps", "depths", "samples", "templates")
CLUSTERS = ("amps", "depths", "channels", "peakToTrough", "waveforms")
TRIALS = ("choice", "feedbackType", "goCue_times", "response_times", "contrastLeft", "contrastRight")
NAMES = (
    *(f"alf/probe{probe:02d}/spikes.{name}.npy" for probe in range(4) for name in SPIKES),
    *(f"alf/probe{probe:02d}/clusters.{name}.npy" for probe in range(4) for name in CLUSTERS),
    *(f"alf/#2024-{month:02d}-01#/_ibl_trials.{name}.npy" for month in range(1, 13) for name in TRIALS),
    *(f"raw_behavior_data/_iblrig_{name}.raw.jsonable" for name in ("taskData", "taskSettings")),
)


def _write(root: Path, sessions: int) -> list[str]:
    """A tree of so many sessions of ten subjects; the folders of the sessions."""
    folders = []
    for n in range(sessions):
        folder = f"SCAN_{n % 10:03d}/2024-{n // 280 % 12 + 1:02d}-{n // 10 % 28 + 1:02d}/001"
        folders.append(folder)
        for name in NAMES:
            file = root / "scanlab" / "Subjects" / folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"x")
    return folders


def _timed(action: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    value = action()
    return time.perf_counter() - began, value


def _register_as_rig(connection: Connection, times: int) -> float:
    """Seconds of a registration of a session's files, the best of several."""
    best = float("inf")
    for n in range(times):
        session = {"subject": "RIG", "number": n, "start_time": "2024-01-01T10:00:00"}
        connection.post("/sessions", session)
        body = {"path": f"RIG/2024-01-01/{n:03d}", "name": "scan_nas", "filenames": list(NAMES)}
        seconds, _ = _timed(
            lambda body=body: connection.post("/register-file", body | {"filesizes": [1] * len(NAMES)})
        )
        best = min(best, seconds)
    return best


def _measure(system: System, root: Path, connection: Connection, sessions: int) -> bool:
    connection.post("/data-repository", {"name": "scan_nas", "globus_is_personal": False})
    connection.post("/labs", {"name": "scanlab", "repositories": ["scan_nas"]})
    for nickname in ("RIG", *(f"SCAN_{n:03d}" for n in range(10))):
        connection.post("/subjects", {"nickname": nickname, "lab": "scanlab"})
    one_s = _register_as_rig(connection, 5)
    before, own_before = spent(system.children()), time.process_time()
    tree_s, tree = _timed(lambda: read_tree(root))
    server = Server(connection)
    journal = Journal(root.parent / "scan.sqlite")
    scanner = Scanner(server, tree, server.find_repository("scan_nas"), journal)
    plan_s, plan = _timed(scanner.plan)
    register_s, result = _timed(lambda: scanner.carry_out(plan, hash_first=False))
    used, own_s = spent(system.children()) - before, time.process_time() - own_before
    searchable = connection.get("/datasets", lab="scanlab", limit="1")["count"] - 5 * len(NAMES)
    hash_s, hashed = _timed(lambda: scanner.add_hashes(plan, [FileAction.REGISTER]))
    again_s, again = _timed(Scanner(server, tree, scanner.repository, journal).plan)
    journal.close()
    total_s = tree_s + plan_s + register_s
    print(
        f"{searchable:,} datasets of {result.n_sessions:,} sessions can be searched after {total_s:.1f} s"
        f" (limit {WITHIN_S:g} s)"
    )
    print(f"  reading the tree {tree_s:.1f} s, comparing {plan_s:.1f} s, registering {register_s:.1f} s")
    print(
        f"  processor time: application {used.application_s:.1f} s, database {used.database_s:.1f} s, scan"
        f" {own_s:.1f} s"
    )
    print(
        f"  one session as a rig registers it {one_s * 1e3:.0f} ms: the scan takes {total_s / (one_s * sessions):.2f} ×"
    )
    print(f"  the same, per time of reading the tree: {total_s / tree_s:.1f} ×")
    print(f"hashes of {hashed.n_hashed:,} small files {hash_s:.1f} s; again, nothing to do: {again_s:.1f} s")
    is_complete = searchable == tree.n_files == again.count(FileAction.SAME)
    return is_complete and total_s * (62_000 / tree.n_files) <= WITHIN_S


def main() -> bool:
    """Whether all is searchable within the limit, and a repeated scan has nothing to do."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=62_000 // len(NAMES))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cingulum-bench-") as place:
        root = Path(place, "data")
        _write(root, options.sessions)
        with running(Path(place, "system"), is_split=False) as system:
            with Connection.sign_in(system.url, **system.login()) as signed_in:
                token = signed_in.token
            with Connection.unattended(system.url, token or "") as connection:
                return _measure(system, root, connection, options.sessions)


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
