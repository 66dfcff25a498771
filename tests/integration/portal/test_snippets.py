"""The Python that each page shows runs as pasted, on a computer whose ONE client never saw this server."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

from tests.support.portal import LOGIN, Browser

_CODE = re.compile(r'<pre class="code"[^>]*><code>(.*?)</code></pre>', re.DOTALL)


async def pasted(page: str, home: Path, *, typed: str = "", shows: str) -> str:
    """What a page's snippet shows when it is run in this home, with something typed where it asks."""
    [code] = [unescape(code) for code in _CODE.findall(page)]
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", f"{code}\nprint({shows})"],
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        input=typed,
        capture_output=True,
        text=True,
        start_new_session=True,  # no terminal: what is typed comes by standard input
    )
    assert done.returncode == 0, f"{code}\n{done.stdout}{done.stderr}"
    return done.stdout.splitlines()[-1]


@pytest.fixture
def pages(browser: Browser) -> dict[str, str]:
    """Path of a page → what its snippet is asked to show."""
    session = browser.made["sessions"][1]["id"]
    return {
        f"/app/sessions/{session}": "len(trials['choice']) > 0",
        "/app/subjects/KS014": f"{session!r} in map(str, eids)",
        "/app/sessions?subject=KS014": f"{session!r} in map(str, eids)",
    }


async def test_each_snippet_runs_on_a_computer_that_never_saw_this_server(
    browser: Browser, pages: dict[str, str], tmp_path: Path
) -> None:
    for n, (path, shows) in enumerate(pages.items()):
        page = (await browser.get(path)).text
        (home := tmp_path / str(n)).mkdir()
        assert await pasted(page, home, typed=f"{LOGIN['password']}\n", shows=shows) == "True"
        assert await pasted(page, home, shows=shows) == "True", "the second time it asks for nothing"
