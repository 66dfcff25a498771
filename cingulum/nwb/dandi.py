"""What `dandi validate` says of files: the program has an environment of its own, since it holds zarr 2."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

PROGRAM: Final = "CINGULUM_DANDI"  # the executable `dandi`, where it is not on the PATH
NOT_INSTALLED: Final = "dandi validate: not installed"
_MUST_FIX: Final = frozenset({"ERROR", "CRITICAL"})


class DandiMessage(NamedTuple):
    """One message: `must_fix` if DANDI refuses the file, otherwise a suggestion; `path` is below the folder."""

    must_fix: bool
    check: str
    path: str
    text: str


class DandiReport(NamedTuple):
    """The version of dandi and its messages; `problem` is why there are none: not installed, or it failed."""

    version: str | None
    messages: tuple[DandiMessage, ...]
    problem: str | None = None

    @property
    def passes(self) -> bool | None:
        """Whether DANDI would accept all files; None if they were not validated."""
        return None if self.problem else not any(message.must_fix for message in self.messages)


def find_dandi(environment: Mapping[str, str] | None = None) -> str | None:
    """The executable of `CINGULUM_DANDI`, else `dandi` of the PATH; None if there is none.

    >>> find_dandi({"CINGULUM_DANDI": "/no/such/dandi", "PATH": ""}) is None
    True
    """
    values = os.environ if environment is None else environment
    return shutil.which(values.get(PROGRAM) or "dandi", path=values.get("PATH"))


def validate(folder: Path, dandi: str | None, *, time_out_s: float = 3600) -> DandiReport:
    """Run `dandi validate` on a folder with `dandiset.yaml`. A failure of the program is the problem of the report."""
    if dandi is None:
        return DandiReport(None, (), NOT_INSTALLED)
    with tempfile.TemporaryDirectory() as state:
        # No look for newer versions, and no logs in the home folder, which a pod may lack.
        quiet = {"DANDI_NO_ET": "1", "XDG_STATE_HOME": state, "XDG_CACHE_HOME": state, "HOME": state}
        environment = os.environ | quiet
        environment.pop("PYTHONPATH", None)  # of our environment: dandi has its own packages
        try:
            done = subprocess.run(
                [dandi, "validate", "--format", "json_lines", str(folder)],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=time_out_s,
            )
            version = subprocess.run(
                [dandi, "--version"],
                env=environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=600,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return DandiReport(None, (), f"dandi validate: it failed: {error}")
    known = version.stdout.strip().rpartition(" ")[2] or None
    try:
        messages = [
            _message(json.loads(line), folder) for line in done.stdout.splitlines() if line.startswith("{")
        ]
    except (ValueError, KeyError, TypeError) as error:
        return DandiReport(known, (), f"dandi validate: its output cannot be read: {error!r}")
    # Exit code 1 is that of invalid files; without a message the program itself failed.
    if done.returncode and not any(message.must_fix for message in messages):
        last = (done.stderr.strip().splitlines() or ["no output"])[-1]
        return DandiReport(known, (), f"dandi validate: it ended with {done.returncode}: {last}")
    return DandiReport(
        known, tuple(sorted(messages, key=lambda message: (not message.must_fix, *message[1:])))
    )


@contextmanager
def organised(file: Path, name: Path, session: Path) -> Iterator[Path]:
    """A temporary folder in which `file` has its organised `name`, such as `sub-m1/sub-m1_ses-1_behavior.nwb`.

    What the file names beside it as `../folder/…`, such as videos, are those of `session`.
    """
    with tempfile.TemporaryDirectory(dir=file.parent.parent.parent) as root:
        folder = Path(root)
        (folder / "dandiset.yaml").write_text("identifier: DANDI:000000\nname: check of one file\n")
        place = folder / name
        place.parent.mkdir(parents=True)
        try:
            os.link(file, place)
        except OSError:
            place.symlink_to(file.resolve())
        for beside in session.glob("raw_video_data*"):
            (folder / beside.name).symlink_to(beside.resolve())
        yield folder


def _message(record: Mapping[str, Any], folder: Path) -> DandiMessage:
    path = str(record.get("path") or "")
    root = str(folder.resolve())
    text = str(record.get("message") or "")
    for prefix in {f"{folder}/", f"{root}/"}:
        path, text = path.removeprefix(prefix), text.replace(prefix, "")
    return DandiMessage(record.get("severity") in _MUST_FIX, str(record["id"]), path, text)
