"""What is left out of the images."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[4]
TESTING = Path("libs/common/testing")


def test_no_test_code_goes_into_an_image_and_nothing_there_needs_any() -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    assert rules.index(str(TESTING)) > rules.index("!libs")
    sources = [file for part in ("libs", "services", "deploy/image") for file in (ROOT / part).rglob("*.py")]
    assert sources
    outside = [file for file in sources if not file.is_relative_to(ROOT / TESTING)]
    assert [file for file in outside if "libs.common.testing" in file.read_text()] == []
