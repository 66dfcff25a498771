"""Files and folders that documentation, docstrings and comments name exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("cingulum", "libs", "services", "deploy", "tests", "bench", "docs", "examples", "requirements")
PATH = re.compile(rf"`((?:{'|'.join(FOLDERS)})/[\w./*-]+)`")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
# Of decisions that are not implemented yet.
PLANNED = {"cingulum/nwb"}


def _texts() -> Iterator[Path]:
    yield from ROOT.glob("*.md")
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if (
                path.suffix in {".md", ".py"}
                and "__pycache__" not in path.parts
                and "versions" not in path.parts
            ):
                yield path


def missing_paths(text: str) -> list[str]:
    """Paths from the root in backticks that do not exist; `*` stands for any name."""
    return [
        path for path in PATH.findall(text) if path not in PLANNED and not list(ROOT.glob(path.rstrip("/")))
    ]


def missing_links(file: Path, text: str) -> list[str]:
    """Relative links of a Markdown file that lead nowhere."""
    relative = (link for link in LINK.findall(text) if "://" not in link and not link.startswith("mailto:"))
    return [link for link in relative if not (file.parent / link).exists()]


def test_a_path_that_does_not_exist_is_noticed() -> None:
    assert missing_paths("see `cingulum/alf` and `services/nothing/here.py`") == ["services/nothing/here.py"]
    assert missing_links(ROOT / "README.md", "[a](docs/index.md#b), [c](docs/nothing.md)") == [
        "docs/nothing.md"
    ]


def test_every_path_and_link_leads_somewhere() -> None:
    missing = []
    for file in _texts():
        text = file.read_text(encoding="utf-8")
        links = missing_links(file, text) if file.suffix == ".md" else []
        name = file.relative_to(ROOT)
        missing += [f"{name}: {path}" for path in [*missing_paths(text), *links] if file != Path(__file__)]
    assert missing == []
