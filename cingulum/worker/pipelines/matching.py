"""Which datasets a declared pattern matches, and which task produces the input of another one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase, translate
from functools import lru_cache
from typing import Final

from cingulum.worker.pipelines.declaration import DatasetPattern, TaskDeclaration

_PROBE: Final = "{probe}"


@dataclass(frozen=True, order=True)
class TaskScope:
    """What one job works on: a session, or one probe of it (`probe` is '' for the whole session)."""

    session: str
    probe: str = ""


ANY: Final = TaskScope("")


def _fill(text: str, scope: TaskScope) -> str:
    return text.replace(_PROBE, scope.probe or "*")


def _regex(glob: str) -> str:
    """A glob as a regular expression without its ends."""
    return translate(glob).removeprefix("(?s:").removesuffix(r")\Z")


def probe_of(pattern: DatasetPattern, collection: str) -> str | None:
    """The probe of a collection, if the pattern contains `{probe}` and matches.

    >>> probe_of(DatasetPattern("raw_ephys_data/{probe}", "*.bin"), "raw_ephys_data/probe00")
    'probe00'
    """
    regex = _probe_regex(pattern.collection)
    match = regex and regex.match(collection)
    return match["probe"] if match else None


@lru_cache(maxsize=1_000)
def _probe_regex(glob: str) -> re.Pattern[str] | None:
    before, is_of_probe, after = glob.partition(_PROBE)
    if not is_of_probe:
        return None
    return re.compile(_regex(before) + r"(?P<probe>[^/]+)" + _regex(after) + r"\Z")


def path_text(pattern: DatasetPattern, scope: TaskScope) -> str:
    """A pattern for people: the path below the session.

    >>> path_text(DatasetPattern("alf/{probe}", "spikes.*.npy"), TaskScope("s1", "probe00"))
    'alf/probe00/spikes.*.npy'
    """
    return f"{_fill(pattern.collection, scope)}/{pattern.name}".lstrip("/")


def matches(pattern: DatasetPattern, scope: TaskScope, collection: str, name: str) -> bool:
    """Whether a dataset is one of those declared.

    >>> matches(DatasetPattern("alf/{probe}", "spikes.*.npy"), ANY, "alf/probe01", "spikes.times.npy")
    True
    """
    return fnmatchcase(collection, _fill(pattern.collection, scope)) and fnmatchcase(name, pattern.name)


def _overlap(glob: str, other: str) -> bool:
    return fnmatchcase(glob, other) or fnmatchcase(other, glob)


def makes(maker: TaskDeclaration, maker_scope: TaskScope, pattern: DatasetPattern, scope: TaskScope) -> bool:
    """Whether a task, run on `maker_scope`, produces an input of another one, run on `scope`."""
    collection = _fill(pattern.collection, scope)
    return any(
        _overlap(_fill(output.collection, maker_scope), collection) and _overlap(output.name, pattern.name)
        for output in maker.outputs
    )


def feeds(maker: TaskDeclaration, task: TaskDeclaration) -> bool:
    """Whether a task produces an input of another one, for any scopes."""
    return any(makes(maker, ANY, pattern, ANY) for pattern in task.inputs)


def is_same(output: DatasetPattern, other: DatasetPattern) -> bool:
    """Whether two outputs may be the same file."""
    return _overlap(_fill(output.collection, ANY), _fill(other.collection, ANY)) and _overlap(
        output.name, other.name
    )
