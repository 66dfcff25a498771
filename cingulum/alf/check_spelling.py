"""Folders and files that are spellings of one name, such as the session folders `1` and `001`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from cingulum.alf.spelling import is_number_at, name_key, normal, why_unportable

Key = tuple[str, ...]


class Spelling(NamedTuple):
    """Advice on the spelling of a file's path; `is_wrong` if another file has the same path."""

    is_wrong: bool
    advice: str


def check_portable(path: str) -> str:
    """Advice for a path with a folder or file that some file system cannot have; empty if all can.

    >>> check_portable("m1/2024-01-02/001/#v1.#/a.b.npy"), check_portable("a.b.npy")
    ("'v1.' ends with a dot: Windows drops it: write `v1`", '')
    """
    wrong = next(filter(None, (why_unportable(part.strip("#")) for part in path.split("/"))), None)
    return f"{wrong.problem}: {wrong.advice}" if wrong else ""


def check_spellings(paths: Iterable[str]) -> dict[str, Spelling]:
    """Advice for the paths that are spellings of another one, or not spelled as on a server.

    >>> check_spellings(["m1/2024-01-02/1/a.b.npy", "m1/2024-01-02/001/a.b.npy"])["m1/2024-01-02/1/a.b.npy"].advice
    'the same file as in `001`, for `1` and `001` are one session: keep one of them, in `001`'
    >>> check_spellings(["m1/2024-01-02/1/a.b.npy"])["m1/2024-01-02/1/a.b.npy"].advice
    'folder `1` is session `001`: it is found as it is, other programs expect `001`'
    >>> check_spellings(["a/x.y.npy", "a/X.y.npy"])["a/x.y.npy"].advice
    'the same name as `X.y.npy` where case is ignored: keep one of them, or rename one'
    """
    split = {path: path.split("/") for path in sorted(paths)}
    spellings: dict[Key, set[str]] = defaultdict(set)
    same: dict[Key, list[str]] = defaultdict(list)
    usual: dict[str, list[str]] = {}
    for path, parts in split.items():
        key = _key(parts)
        same[key].append(path)
        for at, part in enumerate(parts):
            spellings[key[: at + 1]].add(part)
    for path, parts in split.items():
        key = _key(parts)
        usual[path] = [_usual(parts, at, spellings[key[: at + 1]]) for at in range(len(parts))]
    advised = {}
    for path, parts in split.items():
        key = _key(parts)
        twin = min(same[key], key=lambda other: (_n_different(split[other], usual[other]), other))
        is_twin = twin != path
        target = split[twin] if is_twin else usual[path]
        first = next((at for at, part in enumerate(parts) if part != target[at]), None)
        if first is not None:
            is_alone = len(spellings[key[: first + 1]]) == 1
            is_number = is_number_at(parts, first)
            advice = _advice(
                parts[first], target[first], is_number=is_number, is_alone=is_alone, is_twin=is_twin
            )
            advised[path] = Spelling(is_twin, advice)
    return advised


def _n_different(parts: list[str], others: list[str]) -> int:
    return sum(part != other for part, other in zip(parts, others, strict=True))


def _key(parts: list[str]) -> Key:
    return tuple(
        f"{int(part):03d}" if is_number_at(parts, at) and part.isdecimal() else name_key(part)
        for at, part in enumerate(parts)
    )


def _usual(parts: list[str], at: int, spellings: set[str]) -> str:
    """The spelling to keep: a number of three digits, else the first one in composed form."""
    if is_number_at(parts, at) and parts[at].isdecimal():
        return f"{int(parts[at]):03d}"
    return min(spellings, key=lambda name: (normal(name) != name, name))


def _advice(part: str, usual: str, *, is_number: bool, is_alone: bool, is_twin: bool) -> str:
    if is_number:
        if is_twin:
            same = f"`{part}` and `{usual}` are one session"
            return f"the same file as in `{usual}`, for {same}: keep one of them, in `{usual}`"
        advice = "it is found as it is, other programs expect" if is_alone else "put its files into"
        return f"folder `{part}` is session `{usual}`: {advice} `{usual}`"
    how = "where case is ignored" if normal(part) != normal(usual) else "in other code points"
    if is_twin:
        return f"the same name as `{usual}` {how}: keep one of them, or rename one"
    return f"folder `{part}` is `{usual}` {how}: put its files there"
