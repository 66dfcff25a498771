"""The commands `up`, `down`, `status` and `logs` of the local system; each returns its exit code."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from deploy.local.children import Child, children
from deploy.local.console import OURSELVES, Console
from deploy.local.home import Home, State
from deploy.local.keys import login_file
from deploy.local.places import open_private
from deploy.local.settings import LocalSettings, SetUpError
from deploy.local.supervisor import Supervisor
from deploy.local.system import PROJECT, System

PrintLine = Callable[[str], None]
STARTS_WITHIN_S = 180.0
ENDS_WITHIN_S = 15.0


def up(settings: LocalSettings, print_line: PrintLine, *, detached: bool = False) -> int:
    """Run the system in this terminal until Ctrl-C; with `detached`, in the background process of `up_detached`."""
    home = _home(settings)
    if not home.take():
        state = _wait(home, lambda _state: True)
        print_line(_already(home, state))
        return 1
    settings.check()
    everyone = _chosen(children(System(settings)), settings.only)
    console = Console(home.logs, [child.name for child in everyone], None if detached else sys.stdout)
    supervisor = Supervisor(everyone, home, console, settings.base_url)
    try:
        return asyncio.run(supervisor.run(ready_note=f" (login: {login_file(settings)})"))
    finally:
        console.close()


def up_detached(settings: LocalSettings, print_line: PrintLine) -> int:
    """Start the system in the background and return when it is ready; 0 also if it was running."""
    home = _home(settings)
    already = home.holder() is not None
    behind = None
    if not already:
        settings.check()
        behind = _start_behind(settings, home)
    state = _wait(home, lambda state: state.condition in ("ready", "failed"), behind)
    if already:
        print_line(_already(home, state))
        return 0
    if state is not None and state.condition == "ready":
        where = f"{state.base_url} (login: {login_file(settings)})"
        print_line(f"Cingulum is ready in {state.ready_after_s:.1f} s at {where}")
        print_line("`make status` shows its processes, `make logs` their logs, `make down` stops it.")
        return 0
    problem = state.problem if state is not None and state.problem else "no reason was reported"
    print_line(f"Cingulum did not start: {problem}")
    print_line(f"See also {home.logs / OURSELVES}.log.")
    return 1


def down(settings: LocalSettings, print_line: PrintLine) -> int:
    """Stop the system; 0 also if it is not running."""
    home = Home(settings.home)
    pid = home.holder()
    if pid is None:
        print_line(f"Cingulum is not running here (CINGULUM_HOME={settings.home}).")
        return 0
    for ending, patience_s in ((signal.SIGTERM, ENDS_WITHIN_S), (signal.SIGKILL, 2.0)):
        if not _signal(home, ending):
            raise SetUpError(f"Process {pid} belongs to another user: ask them, or use `sudo make down`.")
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if home.holder() is None:
                print_line("Cingulum has stopped.")
                return 0
            time.sleep(0.05)
    raise SetUpError(f"Process {pid} does not exit: inspect it with `ps -fp {pid}`.")


def status(settings: LocalSettings, print_line: PrintLine) -> int:
    """Show the processes of the running system; 0 if all are ready, 1 if not, 3 if it is not running."""
    home = Home(settings.home)
    state = _wait(home, lambda _state: True)
    if state is None:
        print_line(f"Cingulum is not running here (CINGULUM_HOME={settings.home}): `make up` starts it.")
        return 3
    print_line(f"Cingulum is {state.condition} at {state.base_url} (process {state.pid}, {settings.home})")
    width = max(map(len, state.children))
    for name, child in state.children.items():
        since = (
            "" if child.since is None else f"since {time.strftime('%H:%M:%S', time.localtime(child.since))}"
        )
        process = f"process {child.pid}" if child.pid else ""
        again = f"{child.restarts} restarts" if child.restarts else ""
        print_line(f"  {name:<{width}}  {child.condition:<10}  {since}  {process}  {again}".rstrip())
    good = all(child.condition in ("ready", "done") for child in state.children.values())
    return 0 if good and state.condition == "ready" else 1


def logs(
    settings: LocalSettings, print_line: PrintLine, names: list[str], *, lines: int = 20, follow: bool = False
) -> int:
    """Print the end of each log, with the child's name before each line; with `follow` also new lines, until Ctrl-C."""
    folder = Home(settings.home).logs
    there = sorted(path.stem for path in folder.glob("*.log"))
    unknown = [name for name in names if name not in there]
    if unknown or not there:
        print_line(
            f"There is no log of {', '.join(unknown) or 'anything'} in {folder}, but of: {', '.join(there) or 'none'}."
        )
        return 1
    chosen = names or there
    width = max(map(len, chosen))
    tails = {name: _Tail(folder / f"{name}.log", lines) for name in chosen}
    while True:
        for name, tail in tails.items():
            for line in tail.new_lines():
                print_line(f"{name:<{width}} | {line}")
        if not follow:
            return 0
        time.sleep(0.2)


def manage_datajoint(settings: LocalSettings, words: list[str]) -> int:
    """Grant and revoke roles for DataJoint in the running system's database, as its owner."""
    from deploy.image import datajoint

    if settings.database_url is None and Home(settings.home).holder() is None:
        raise SetUpError(
            f"Cingulum is not running here (CINGULUM_HOME={settings.home}): `make up` starts it."
        )
    return asyncio.run(datajoint.run(words, System(settings).owner_environment()["CINGULUM_DATABASE_URL"]))


class _Tail:
    """Reads lines that are appended to a file, also after it was rotated."""

    def __init__(self, path: Path, lines: int) -> None:
        self._path = path
        self._file = path.open("rb")
        ends = [match.end() for match in re.finditer(rb"\n", self._file.read())]
        self._file.seek(0 if len(ends) <= lines else ends[-lines - 1])
        self._rest = b""

    def new_lines(self) -> Iterator[str]:
        """Complete lines that were appended since the last call."""
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        yield from (line.decode(errors="replace") for line in lines)
        if self._path.exists() and self._path.stat().st_ino != os.fstat(self._file.fileno()).st_ino:
            self._file.close()
            self._file = self._path.open("rb")


def _chosen(everyone: list[Child], only: tuple[str, ...]) -> list[Child]:
    names = [child.name for child in everyone]
    unknown = set(only) - set(names)
    if unknown:
        raise SetUpError(f"There is no process {', '.join(sorted(unknown))}: there are {', '.join(names)}.")
    chosen = only or tuple(names)
    return [
        replace(child, after=tuple(need for need in child.after if need in chosen))
        for child in everyone
        if child.name in chosen
    ]


def _repeated(settings: LocalSettings) -> list[str]:
    return [*(["--split"] if settings.split else []), *(["--only", *settings.only] if settings.only else [])]


def _home(settings: LocalSettings) -> Home:
    settings.check_home()
    return Home(settings.home)


def _start_behind(settings: LocalSettings, home: Home) -> subprocess.Popen[bytes]:
    home.logs.mkdir(mode=0o700, exist_ok=True)
    environment = os.environ | {"CINGULUM_HOME": str(settings.home)}
    argv = [sys.executable, "-m", "deploy.local", "up", "--behind", *_repeated(settings)]
    with open_private(home.logs / f"{OURSELVES}.log") as log:
        return subprocess.Popen(
            argv,
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _wait(
    home: Home, enough: Callable[[State], bool], behind: subprocess.Popen[bytes] | None = None
) -> State | None:
    """The state written by the supervisor of the folder, once `enough` accepts it; the last state if it has exited."""
    deadline = time.monotonic() + STARTS_WITHIN_S
    state = None
    while time.monotonic() < deadline:
        newest = home.read_state(behind.pid if behind else home.holder())
        if newest is not None:
            state = newest
            if enough(state):
                break
        ended = home.holder() is None if behind is None else behind.poll() is not None
        if ended:
            break
        time.sleep(0.05)
    return state


def _already(home: Home, state: State | None) -> str:
    where = f"at {state.base_url} (process {state.pid})" if state else f"(CINGULUM_HOME={home.folder})"
    return f"Cingulum already runs {where}. `make status` shows its processes, `make down` stops it."


def _signal(home: Home, number: signal.Signals) -> bool:
    pid = home.holder()
    if not pid:
        return True
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return True
