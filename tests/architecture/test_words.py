"""Names and public texts use the standard terms of the field; a few words that hide them are refused."""

from __future__ import annotations

import ast
import doctest
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("cingulum", "libs", "services", "deploy", "tests", "bench", "examples")

# Of any bound name: class, function, parameter, variable, also as a part (`wanted_rows`).
WORDS = frozenset(
    {
        "asked",
        "desk",
        "dock",
        "doorman",
        "found",
        "given",
        "heard",
        "house",
        "said",
        "says",
        "seen",
        "shelf",
        "tell",
        "told",
        "wanted",
        "which",
        "who",
        "whoever",
    }
)
# Of variables and parameters only, and only as the whole name: functions may well be called `read`.
VARIABLES = frozenset({"one", "read", "kept", "held"})
_USES_ONE = re.compile(r"^ *from one\b", re.MULTILINE)  # `one = ONE()` is the usual name of the ONE client
# Terms that contain one of the words; `given_water` is Alyx's.
STANDARD = re.compile("not_found|NotFound|given_water")
# Keys of JSON bodies and events: clients and neighbours know them by these names.
PUBLIC = frozenset(
    {
        "found_sha256",
        "said_at",
        "seen_at",
    }
)


def _words(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)}


def _bound(tree: ast.AST) -> Iterator[tuple[int, str, bool]]:
    """Line, name, and whether it is a variable or parameter, of every name that a module binds itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id, True
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg, True
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name, False
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs) and node.name:
            yield node.lineno, node.name, True
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.attr, True
        elif isinstance(node, ast.alias) and node.asname:
            yield node.lineno, node.asname, True


_EXAMPLES = doctest.DocTestParser()


def _doctests(tree: ast.AST) -> Iterator[tuple[int, str, bool]]:
    """The names that the doctests of a module bind, at the line of their docstring."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and ">>>" in node.value:
            for example in _EXAMPLES.get_examples(node.value):
                for _, name, is_variable in _bound(ast.parse(example.source)):
                    yield node.lineno, name, is_variable


def refused_names(source: str) -> list[str]:
    """The refused names of a module's text, each with its line."""
    variables = VARIABLES - {"one"} if _USES_ONE.search(source) else VARIABLES
    tree = ast.parse(source)
    return [
        f"{line} {name}"
        for line, name, is_variable in sorted((*_bound(tree), *_doctests(tree)), key=lambda item: item[0])
        if name not in PUBLIC
        and (_words(STANDARD.sub("", name)) & WORDS or (is_variable and name.strip("_") in variables))
    ]


def test_a_refused_name_is_noticed() -> None:
    source = "def shown(row, said):\n    found_rows = [one for one in row]\nclass NotFound(Exception): ..."
    assert refused_names(source) == ["1 said", "2 found_rows", "2 one"]
    source = 'import numpy as house\nself._heard = 1\ndef f():\n    """>>> seen = 1"""'
    assert refused_names(source) == ["1 house", "2 _heard", "4 seen"]


def _modules(package: str) -> list[Path]:
    return [path for path in sorted((ROOT / package).rglob("*.py")) if "versions" not in path.parts]


def test_names_are_standard_terms() -> None:
    refused = [
        f"{path.relative_to(ROOT)}:{name}"
        for package in PACKAGES
        for path in _modules(package)
        for name in refused_names(path.read_text(encoding="utf-8"))
    ]
    assert refused == []


# Of texts: documentation, pages, the chart, and every string of the code (docstrings, problems, help, summaries).
PHRASES = re.compile(
    r"\b(said|told|somebody|whoever|anew|written down|writes? [^.]{0,40} down|(?:out of|in) sight|doorman|shelf"
    r"|doorbell|clock on the wall|looks? again|is away|anybody|everybody|does not answer|hangs? up|hung up|of ours"
    r"|exists? already|(?:is|are) there already)\b"
    r"|(?<!account )(?<!/)\bnobody\b(?!@)",
    re.IGNORECASE,
)
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
TEXTS = ("*.md", "docs/**/*.md", "services/*/README.md", "deploy/**/*.md", "deploy/helm/**/*.yaml")
PAGES = "services/portal/templates/*.html"


def refused_phrases(text: str) -> list[str]:
    """The refused words and phrases of a text, without what it quotes as code."""
    return [match[0] for match in PHRASES.finditer(_CODE.sub("", text))]


def test_a_refused_phrase_is_noticed() -> None:
    assert refused_phrases("Write a lab down: `said` is told to nobody.") == [
        "Write a lab down",
        "told",
        "nobody",
    ]
    assert refused_phrases("The account nobody reads it.") == []


def test_documentation_and_pages_are_in_plain_terms() -> None:
    files = [path for pattern in (*TEXTS, PAGES) for path in sorted(ROOT.glob(pattern))]
    assert len(files) > 60
    refused = {
        str(path.relative_to(ROOT)): phrases
        for path in files
        if (phrases := refused_phrases(path.read_text(encoding="utf-8")))
    }
    assert refused == {}


def _texts(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of every string and comment of a module."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value != "nobody":
            yield node.lineno, node.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


@pytest.mark.parametrize("package", ["cingulum", "libs", "services", "deploy", "bench", "examples"])
def test_texts_of_the_code_are_in_plain_terms(package: str) -> None:
    refused = [
        f"{path.relative_to(ROOT)}:{line} {phrases}"
        for path in _modules(package)
        for line, text in _texts(path.read_text(encoding="utf-8"))
        if (phrases := refused_phrases(text))
    ]
    assert refused == []
