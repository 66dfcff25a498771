"""What tasks declare: inputs and outputs by patterns, and which task makes what another one reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase, translate

PROBE = "{probe}"


class Level(StrEnum):
    """What one job of a task works on."""

    SESSION = "session"
    INSERTION = "insertion"  # one job a probe: `{probe}` in a declared collection stands for its name


@dataclass(frozen=True, order=True)
class Scope:
    """What one job works on: a session, or one probe of it (`probe` is '' for the whole session)."""

    session: str
    probe: str = ""


@dataclass(frozen=True)
class Input:
    """A declared input: globs of collection and file name; every match is an input."""

    collection: str
    name: str
    required: bool = True


@dataclass(frozen=True)
class Output:
    """A declared output: collection and file name, globs where the name follows the input's."""

    collection: str
    name: str
    required: bool = True


@dataclass(frozen=True)
class TaskSpec:
    """What a task declares of itself. `code_version` changes when its numbers may change."""

    name: str
    code_version: str
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    level: Level = Level.SESSION
    parameters: Mapping[str, object] = field(default_factory=dict)


ANY = Scope("")


def regex(glob: str) -> str:
    """A glob pattern as a regular expression without its ends."""
    return translate(glob).removeprefix("(?s:").removesuffix(r")\Z")


def _fill(text: str, scope: Scope) -> str:
    return text.replace(PROBE, scope.probe or "*")


def shown(declared: Input, scope: Scope) -> str:
    """An input as people read it."""
    return f"{_fill(declared.collection, scope)}/{declared.name}".lstrip("/")


def matches(declared: Input | Output, scope: Scope, collection: str, name: str) -> bool:
    """Whether a dataset is one of those declared."""
    return fnmatchcase(collection, _fill(declared.collection, scope)) and fnmatchcase(name, declared.name)


def _overlap(one: str, other: str) -> bool:
    return fnmatchcase(one, other) or fnmatchcase(other, one)


def makes(maker: TaskSpec, of: Scope, declared: Input, scope: Scope) -> bool:
    """Whether a task, run on `of`, makes something that another one, run on `scope`, declares to read."""
    collection = _fill(declared.collection, scope)
    return any(
        _overlap(_fill(output.collection, of), collection) and _overlap(output.name, declared.name)
        for output in maker.outputs
    )


def feeds(maker: TaskSpec, task: TaskSpec) -> bool:
    """Whether a task makes something that another one reads, whatever they are run on."""
    return any(makes(maker, ANY, declared, ANY) for declared in task.inputs)


def is_same(one: Output, other: Output) -> bool:
    """Whether two outputs may be one file."""
    return _overlap(_fill(one.collection, ANY), _fill(other.collection, ANY)) and _overlap(
        one.name, other.name
    )
