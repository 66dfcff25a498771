"""Why a dataset of a session loads or not: reasons with their next steps, from what is known of its files.

The registry answers with it, and a client can use it on a folder or on cache tables, where no copies are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from cingulum.alf.name_patterns import NamePattern
from cingulum.alf.problems import RevisionNotFound, SeveralDefaults
from cingulum.alf.revisions import Choice, Rule, choose_revision
from cingulum.qc import QC_NAMES

MOST_FILES: Final = 50  # explained in one answer


@dataclass(frozen=True)
class LoadReason:
    """One reason, in a sentence, with what to do about it.

    blocks  the dataset cannot be loaded for this reason; otherwise it is worth knowing
    path    below the session's folder; empty where it is about no registered file
    """

    slug: str
    sentence: str
    next_step: str = ""
    path: str = ""
    blocks: bool = True
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class LoadCopy:
    """A copy of the current version of a file; `state` as the registry names it."""

    repository: str
    state: str
    since: str = ""
    notice: str = ""
    is_ordered: bool = False


@dataclass(frozen=True)
class LoadFile:
    """A registered file: one revision of a dataset.

    is_served  a server that clients download from holds it, or it is in the folder
    doubts     why its content is doubted
    notices    titles of notices about it
    """

    collection: str
    name: str
    revision: str
    is_default: bool
    path: str
    is_served: bool
    qc: int = 0
    copies: tuple[LoadCopy, ...] = ()
    doubts: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


def explain_loading(
    files: Sequence[LoadFile],
    pattern: NamePattern,
    *,
    revision: str | None = None,
    worst_qc: int | None = None,
) -> list[LoadReason]:
    """The reasons, those that concern all files first; of a dataset that loads, which revision and why.

    `files` are all files of the session that the caller may know of.

    >>> file = LoadFile("alf", "spikes.times.npy", "", True, "alf/spikes.times.npy", is_served=True)
    >>> [reason.slug for reason in explain_loading([file], NamePattern("spikes.times"))]
    ['loads']
    >>> explain_loading([file], NamePattern("spike.times"))[0].facts["near"]
    ['alf/spikes.times.npy']
    """
    groups: dict[tuple[str, str], list[LoadFile]] = {}
    effective = pattern if revision is None else replace(pattern, path="")
    for file in effective.among(files, lambda file: (file.collection, file.revision, file.name)):
        groups.setdefault((file.collection, file.name), []).append(file)
    if not groups:
        return [_not_registered(files, pattern)]
    n_named = len({collection for collection, _ in groups} if pattern.is_object else groups)
    reasons = [_several(groups)] if n_named > 1 and "*" not in pattern.name else []
    for key in sorted(groups)[:MOST_FILES]:
        reasons += _of_dataset(groups[key], revision, worst_qc)
    return reasons


def _not_registered(files: Iterable[LoadFile], pattern: NamePattern) -> LoadReason:
    elsewhere = sorted({file.collection for file in files if pattern.names(file.name)})
    near = pattern.near(file.path for file in files)
    text = pattern.path or pattern.name
    if elsewhere:
        step = f"It is in {', '.join(name or 'the folder of the session' for name in elsewhere)}: name that."
    elif near:
        step = f"Perhaps {', '.join(near)} is meant."
    else:
        step = "Register it, if the file exists; otherwise it was not made yet."
    return LoadReason(
        "not-registered",
        f"No file of this session is registered as {text}.",
        step,
        facts={"near": near, "other_collections": elsewhere},
    )


def _several(groups: Iterable[tuple[str, str]]) -> LoadReason:
    paths = [f"{collection}/{name}".lstrip("/") for collection, name in sorted(groups)][:MOST_FILES]
    return LoadReason(
        "several-files",
        f"{len(paths)} files have this name.",
        "Name one of them with its collection.",
        facts={"files": paths},
    )


def _of_dataset(files: Sequence[LoadFile], revision: str | None, worst_qc: int | None) -> list[LoadReason]:
    by_revision = {file.revision: file for file in files}
    plain = f"{files[0].collection}/{files[0].name}".lstrip("/")
    defaults = [file.revision for file in files if file.is_default]
    try:
        choice = choose_revision(by_revision, requested=revision, defaults=defaults)
    except (RevisionNotFound, SeveralDefaults) as problem:
        slug = "no-such-revision" if isinstance(problem, RevisionNotFound) else "several-defaults"
        facts = {"revisions": sorted(by_revision)}
        return [LoadReason(slug, f"{plain}: {problem}.", "Name one of its revisions.", plain, facts=facts)]
    file = by_revision[choice.revision]
    blocking = [*_of_qc(file, worst_qc), *([] if file.is_served else _of_copies(file, files))]
    loads = [] if blocking else [_loads(file, choice)]
    return [*_of_revision(file, choice, revision, sorted(by_revision)), *blocking, *_of_content(file), *loads]


def _of_revision(
    file: LoadFile, choice: Choice, requested: str | None, revisions: list[str]
) -> list[LoadReason]:
    facts = {"revisions": revisions, "revision": choice.revision}
    if choice.rule is Rule.BEFORE:
        sentence = f"There is no revision {requested!r}; the last one before it is {_name(choice.revision)}."
        step = "Name an existing revision to load another one."
        return [LoadReason("earlier-revision", sentence, step, file.path, blocks=False, facts=facts)]
    newest = revisions[-1]
    if choice.rule is Rule.DEFAULT and newest != choice.revision:
        sentence = f"{_name(choice.revision)} is the default revision, not the newest, {_name(newest)}."
        step = f"Name the revision {newest!r} to load that one."
        return [LoadReason("other-default", sentence, step, file.path, blocks=False, facts=facts)]
    return []


def _of_qc(file: LoadFile, worst_qc: int | None) -> list[LoadReason]:
    if worst_qc is None or file.qc <= worst_qc:
        return []
    own, limit = QC_NAMES[file.qc], QC_NAMES[worst_qc]
    facts = {"qc": own, "limit": limit}
    step = "Accept a worse QC to load it."
    return [LoadReason("qc", f"Its QC is {own}, worse than {limit}.", step, file.path, facts=facts)]


def _of_copies(file: LoadFile, revisions: Iterable[LoadFile]) -> list[LoadReason]:
    others = sorted(other.revision for other in revisions if other.is_served)
    hint = f" The revision {_name(others[-1])} can be loaded meanwhile." if others else ""
    if not file.copies:
        step = "Send it again from the computer that has it." + hint
        return [LoadReason("no-copy", "It is registered, but no repository has it.", step, file.path)]
    holders = sorted({copy.repository for copy in file.copies if copy.state in _HELD})
    ordered = sorted(file.copies, key=lambda copy: (_ORDER.index(copy.state), copy.repository))
    reasons = [_of_copy(file, copy, holders, hint) for copy in ordered if copy.state not in _HELD]
    if not reasons:
        where = ", ".join(holders)
        step = "Order its transfer to a server, or read it there." + hint
        sentence = f"Only {where} has it, which no client downloads from."
        reasons = [LoadReason("not-on-a-server", sentence, step, file.path, facts={"repositories": holders})]
    return reasons


def _of_copy(file: LoadFile, copy: LoadCopy, holders: list[str], hint: str) -> LoadReason:
    slug, sentence = _OF_STATE[copy.state]
    if copy.is_ordered and copy.state == "expected":
        sentence = "{} is reported to have it, and has not read it yet"
    since = f" since {copy.since[:16]}" if copy.since else ""
    notice = f" ({copy.notice})" if copy.notice else ""
    facts = {
        "repository": copy.repository,
        "state": copy.state,
        "since": copy.since or None,
        "notice": copy.notice,
        "is_proof_ordered": copy.is_ordered,
        "holders": holders,
    }
    step = f"{', '.join(holders)} has it. " if holders else ""
    step += _STEPS[slug] + hint
    text = sentence.format(copy.repository) + since + notice + "."
    return LoadReason(slug, text, step, file.path, facts=facts)


def _of_content(file: LoadFile) -> list[LoadReason]:
    doubts = [
        LoadReason("doubted", f"Its content is doubted: {doubt}", _DOUBTED, file.path, blocks=False)
        for doubt in file.doubts
    ]
    return doubts + [
        LoadReason("notice", f"There is a notice about it: {notice}", _NOTICE, file.path, blocks=False)
        for notice in file.notices
    ]


def _loads(file: LoadFile, choice: Choice) -> LoadReason:
    facts = {"revision": choice.revision, "rule": choice.rule.value, "why": choice.reason}
    sentence = f"Nothing is wrong: {file.path} loads ({choice.reason})."
    return LoadReason("loads", sentence, path=file.path, blocks=False, facts=facts)


def _name(revision: str) -> str:
    return repr(revision) if revision else "without a name"


_HELD: Final = frozenset({"verified", "claimed"})
_OF_STATE: Final = {
    "suspect": ("suspect-copy", "The copy on {} is doubted"),
    "lost": ("lost-copy", "The copy on {} is lost"),
    "landed": ("not-arrived", "{} has all of its bytes and verifies them"),
    "arriving": ("not-arrived", "{} has received a part of it"),
    "expected": ("not-arrived", "{} expects it"),
    "retiring": ("retired-copy", "The copy on {} is being removed"),
    "retired": ("retired-copy", "The copy on {} was removed"),
}
_ORDER: Final = [*_OF_STATE, *sorted(_HELD)]
_STEPS: Final = {
    "suspect-copy": "Order it again (POST /sync-file-status), or look at the file there.",
    "lost-copy": "Order it again (POST /sync-file-status), or send it from another copy.",
    "not-arrived": "Wait for the transfer; if it does not move, see that the agent of the repository runs.",
    "retired-copy": "Order a transfer from a repository that has it.",
}
_DOUBTED: Final = "Compare the recording with its files before it is used."
_NOTICE: Final = "Read it in /data-notices."
