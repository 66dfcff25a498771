"""Every module of the published package can be imported on Windows, where rigs use it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

# Refuses to modules of cingulum what Windows does not have, and imports them all.
IMPORT_ALL = """
import builtins, importlib, os, pkgutil

import cingulum

POSIX_ONLY = {"fcntl", "resource", "pwd", "grp", "termios"}
real_import = builtins.__import__

def checked_import(name, globals=None, locals=None, fromlist=(), level=0):
    importer = (globals or {}).get("__name__", "")
    if importer.split(".")[0] == "cingulum" and name.split(".")[0] in POSIX_ONLY:
        raise ImportError(f"{importer} imports {name}")
    return real_import(name, globals, locals, fromlist, level)

builtins.__import__ = checked_import
names = [module.name for module in pkgutil.walk_packages(cingulum.__path__, "cingulum.")]
del os.fork, os.pread, os.sched_getaffinity, os.getuid, os.fchmod
for name in names:
    importlib.import_module(name)
print(len(names))
"""


def test_no_module_needs_what_windows_does_not_have() -> None:
    result = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL],
        cwd=ROOT,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},  # compiling takes half a minute
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) > 150
