"""Ports, private files and folders for embedded servers."""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import secrets
import shutil
import socket
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from pathlib import Path
from typing import IO

from deploy.local.processes import User

LOOPBACK = "127.0.0.1"
_NOT_COPIED = ("include", "*.a")  # needed only for compiling
_MEMORY = Path("/dev/shm")  # noqa: S108 - Linux's folder in memory; the folders in it are of mode 0700
_ENOUGH = 4 << 30  # bytes
_HELD = "held"
_reserved: dict[int, int] = {}  # file descriptors of bound sockets by port, open until this process ends


def port_problem(port: int, host: str = LOOPBACK) -> OSError | None:
    """Why a server could not listen on the port now; None if it could."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # TIME_WAIT of a closed connection does not matter
        try:
            probe.bind((host, port))
            probe.listen()  # with SO_REUSEADDR, bind alone may succeed beside a listener on macOS
        except OSError as error:
            return error
    return None


def port_is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen on the port now."""
    return port_problem(port, host) is None


def free_port(host: str = LOOPBACK) -> int:
    """A port that is free, and that this process reserves for a server of its own until it ends.

    A server listens seconds after its port was chosen, and other programs could take the port until then, also as the
    near end of a connection. A bound socket that does not listen prevents this, and servers that set SO_REUSEADDR,
    as PostgreSQL, NATS and uvicorn do, can listen beside it. That is so on Linux; elsewhere the port is free just now.
    """
    return _reserve(0, host)


def _reserve(port: int, host: str = LOOPBACK) -> int:
    if port in _reserved:
        return port
    reserved = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind((host, port))
        port = reserved.getsockname()[1]
    except OSError:
        reserved.close()
        raise
    if sys.platform == "linux":
        _reserved[port] = reserved.detach()
    else:
        reserved.close()
    return port


def remembered_port(file: Path) -> int:
    """The port stored in `file` if it is free, else a new one, which is stored; reserved as by `free_port`."""
    if file.exists():
        port = int(file.read_text())
        with suppress(OSError):
            if port_is_free(port):
                return _reserve(port)
    port = free_port()
    write_private(file, f"{port}\n")
    return port


def write_private(file: Path, text: str, *, lasting: bool = True) -> None:
    """Replace a file atomically by one with mode 0600; `lasting` syncs it, against a power cut."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # created with mode 0600
    try:
        with os.fdopen(handle, "w") as new:
            new.write(text)
            new.flush()
            if lasting:
                os.fsync(new.fileno())
        Path(name).replace(file)
    except OSError:
        Path(name).unlink()
        raise


def open_private(file: Path) -> IO[bytes]:
    """Open a file for appending, with mode 0600, which is set on existing files too."""
    handle = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if os.fstat(handle).st_uid == os.geteuid():
        os.fchmod(handle, 0o600)
    return os.fdopen(handle, "ab", buffering=0)


def close_folder(folder: Path) -> None:
    """Set mode 0700 on a folder of the system; shared folders (/tmp, a home) are not changed."""
    status = folder.stat()
    shared = status.st_mode & stat.S_ISVTX or folder.resolve() in {Path("/"), Path.home().resolve()}
    if status.st_uid == os.geteuid() and not shared:
        folder.chmod(0o700)


@contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """A folder for the block: in memory if there is plenty, where a thousand small files take a tenth of the time."""
    memory = _MEMORY if _has_room(_MEMORY) else None
    if memory:
        _remove_abandoned(memory, prefix)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=memory) as name:
        folder = Path(name)
        with _locked(folder / "new"):
            (folder / "new").rename(folder / _HELD)  # it has that name only while it is locked
            yield folder


def _has_room(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK) and shutil.disk_usage(folder).free >= _ENOUGH


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold a lock, which ends with this process; BlockingIOError if another one holds it."""
    with file.open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def _remove_abandoned(parent: Path, prefix: str) -> None:
    """Remove the folders of processes that were killed: in memory they would stay until the next boot."""
    for file in parent.glob(f"{prefix}*/{_HELD}"):
        with suppress(OSError), _locked(file):
            shutil.rmtree(file.parent, ignore_errors=True)


def kept_secret(file: Path) -> str:
    """The secret stored in `file` (0600); created as 256 random bits in URL-safe text if missing."""
    if not file.exists():
        write_private(file, secrets.token_urlsafe(32) + "\n")
    return file.read_text().strip()


def unprivileged_user() -> User | None:
    """The account for servers that refuse root: `nobody` if this process runs as root, else None (the same account)."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return User(nobody.pw_uid, nobody.pw_gid)


def is_open_to_all_users(folder: Path) -> bool:
    """Whether any account may access `folder` and read it."""
    walk = all(part.stat().st_mode & 0o001 for part in folder.resolve().parents)
    return walk and folder.stat().st_mode & 0o005 == 0o005


def readable_copy(root: Path, parts: Sequence[str]) -> Path:
    """`root`, or a copy of its `parts` in the temporary folder if other accounts cannot access them.

    The copy is made once and reused, unless temporary files of it were removed. As its name can be guessed, it is
    used only if this account owns it and others cannot write to it.
    """
    there = [part for part in parts if (root / part).exists()]
    if all(is_open_to_all_users(root / part) for part in there):
        return root
    facts = [f"{(root / part).resolve()} {(root / part).stat().st_mtime_ns}" for part in there]
    mark = hashlib.sha256("\n".join(facts).encode()).hexdigest()[:12]
    copy = Path(tempfile.gettempdir()) / f"cingulum-{Path(parts[0]).name}-{mark}"
    if _is_ours(copy) and not _is_whole(copy, root, there):
        shutil.rmtree(copy)
    if not _is_ours(copy):
        fresh = Path(tempfile.mkdtemp(prefix=f"{copy.name}-"))
        for part in there:
            shutil.copytree(root / part, fresh / part, ignore=shutil.ignore_patterns(*_NOT_COPIED))
        _open_for_reading(fresh)
        if copy.is_symlink() or copy.exists():
            return fresh  # another process's: leave it
        return fresh.rename(copy)
    return copy


def _is_whole(copy: Path, root: Path, parts: Sequence[str]) -> bool:
    originals = (path.relative_to(root) for part in parts for path in (root / part).rglob("*"))
    return all(
        (copy / path).exists()
        for path in originals
        if not any(fnmatch(name, pattern) for name in path.parts for pattern in _NOT_COPIED)
    )


def _is_ours(folder: Path) -> bool:
    try:
        facts = folder.lstat()
    except FileNotFoundError:
        return False
    return folder.is_dir() and facts.st_uid == os.geteuid() and not facts.st_mode & 0o022


def _open_for_reading(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            mode = path.stat().st_mode & 0o755
            path.chmod(mode | (0o555 if mode & 0o100 else 0o444))
