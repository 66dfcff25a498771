"""The code blocks of a page of documentation."""

from __future__ import annotations

import re
from pathlib import Path

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def code_blocks(page: Path) -> list[tuple[str, str]]:
    """Language and text of each fenced block, in order."""
    return _BLOCK.findall(page.read_text())


def commands(block: str) -> list[str]:
    """The commands of a shell block, without their comments.

    >>> commands("make demo   # everything\\n\\nmake up\\n")
    ['make demo', 'make up']
    """
    lines = (line.partition("  #")[0].strip() for line in block.splitlines())
    return [line for line in lines if line and not line.startswith("#")]
