"""A class name means one thing: classes of one name in several packages are prefixed by their noun."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
MOST_MODULES = 2
# One per service, with the same meaning in each.
SAME_EVERYWHERE = {"Settings", "Base"}


def class_names(source: str) -> set[str]:
    """Names of a module's classes that other modules may import."""
    tree = ast.parse(source)
    return {
        node.name for node in tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    }


def test_classes_are_noticed() -> None:
    assert class_names("class Upload: ...\nclass _Read: ...") == {"Upload"}


def test_no_class_name_is_defined_in_three_modules() -> None:
    modules = defaultdict(list)
    for package in ("cingulum", "libs", "services", "deploy"):
        for path in (ROOT / package).rglob("*.py"):
            for name in class_names(path.read_text(encoding="utf-8")):
                modules[name].append(str(path.relative_to(ROOT)))
    repeated = {name: paths for name, paths in modules.items() if len(paths) > MOST_MODULES}
    assert {name: paths for name, paths in repeated.items() if name not in SAME_EVERYWHERE} == {}
