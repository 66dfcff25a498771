"""What each call of Alyx's contract does to versions, copies and `exists`. The table of it is in the registry's README.

A client's word never makes a copy verified: where bytes can be read it orders a proof, elsewhere it is `claimed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from cingulum.digests import Digests
from libs.common.problem import Forbidden
from libs.common.schemas.states import CopyState
from services.registry.domain.copies import Copy, CopyFact, Place, Version, after
from services.registry.domain.retirement import Decision


class ProtectedDataset(Forbidden):
    """A protected tag forbids writing over the dataset or deleting it: register another revision."""

    slug = "protected"
    detail = "One or more datasets is protected"


class ProvedCopy(Forbidden):
    """Only whoever may give a copy up, or holds its repository's files, says of a proved one that it is gone."""

    slug = "proved-copy"
    detail = "A copy that was read is kept as it is by others' word."

    def __init__(self, repository: str) -> None:
        super().__init__(
            f"The copy in {repository} was read and is kept as it is. Only the token of that repository's agent, or "
            "somebody who may give up copies of its lab (with the permission transfer there), says that it is gone."
        )


class HashGiven(StrEnum):
    """How the MD5 of a registration compares with that of the dataset's current version."""

    NEW = "new dataset"
    SAME = "same"
    OTHER = "other"  # also: one is given where none was known
    NONE = "none given"


@dataclass(frozen=True)
class Target:
    """A repository that gets a record: those of the labs (no personal ones if `server_only`), and the named one."""

    repository: str
    place: Place
    is_named: bool = False


@dataclass(frozen=True)
class Registration:
    """One file of a register-file call. `size_bytes` and `md5` are null where not given."""

    size_bytes: int | None
    md5: str | None
    exists: bool = True
    server_only: bool = False

    def says_present(self, target: Target) -> bool:
        """Whether the client says that the file lies there: on all with `server_only`, else on the named one only.

        >>> Registration(3, "aa").says_present(Target("central", Place.STORE))
        False
        """
        return self.exists and (self.server_only or target.is_named)


@dataclass(frozen=True)
class Effect:
    """What to write: the current version, every copy of the dataset, and the repositories whose file must be read."""

    version: Version
    copies: tuple[Copy, ...]
    proofs_ordered: tuple[str, ...] = ()
    is_new_version: bool = False


def compare_hash(current: Version | None, md5: str | None) -> HashGiven:
    """Alyx's rule: only an MD5 that is given and equal is the same file; anything else is a patched one.

    >>> compare_hash(Version(1, md5="aa"), "aa").value, compare_hash(Version(1), "aa").value
    ('same', 'other')
    """
    if current is None:
        return HashGiven.NEW
    if md5 is None:
        return HashGiven.NONE
    return HashGiven.SAME if current.md5 == md5 else HashGiven.OTHER


def effect_of_register(
    current: Version | None,
    copies: Sequence[Copy],
    said: Registration,
    targets: Sequence[Target],
    *,
    is_protected: bool = False,
) -> Effect:
    """register-file for one file. Raises ProtectedDataset before anything is written, whatever the hash.

    >>> lab, central = Target("lab", Place.UNMANAGED, is_named=True), Target("central", Place.STORE)
    >>> first = effect_of_register(None, [], Registration(3, "aa"), [lab, central])
    >>> [(copy.repository, copy.state.value) for copy in first.copies], first.proofs_ordered
    ([('lab', 'claimed'), ('central', 'expected')], ())
    >>> effect_of_register(first.version, first.copies, Registration(3, "bb"), [lab, central]).version.generation
    2
    """
    if is_protected and current is not None:
        raise ProtectedDataset
    if current is not None and compare_hash(current, said.md5) is HashGiven.SAME:
        return _same_bytes(current, copies, said, targets)
    version = Version(1 if current is None else current.generation + 1, said.size_bytes, said.md5)
    fresh = tuple(_fresh(version, said, target) for target in targets)
    before = tuple(_passed_over(copy, said, targets) for copy in copies)
    # Alyx resets every record of the dataset, also on repositories that this call does not name.
    left = tuple(
        Copy(copy.repository, copy.place, version.generation, CopyState.EXPECTED)
        for copy in copies
        if current is not None
        and copy.generation == current.generation
        and copy.state not in {CopyState.RETIRING, CopyState.RETIRED}
        and copy.repository not in {target.repository for target in targets}
    )
    ordered = tuple(t.repository for t in targets if t.place.is_managed and said.says_present(t))
    return Effect(version, (*before, *fresh, *left), ordered, is_new_version=True)


def effect_of_publication(
    current: Version | None,
    copies: Sequence[Copy],
    read: Digests,
    target: Target,
    *,
    is_protected: bool = False,
) -> Effect:
    """An output of one of our jobs: landed in our store, so read in full; verified at once. Same bytes: no new version.

    `target` is the store. Copies of older versions there stay, since nobody overwrites objects.
    Raises ProtectedDataset where other bytes would take a protected dataset's place.
    """
    if current is not None and current.sha256 == read.sha256:
        others = tuple(copy for copy in copies if not _is_at(copy, target, current))
        verified = Copy(target.repository, target.place, current.generation, CopyState.VERIFIED)
        return Effect(current, (*others, verified))
    if is_protected and current is not None:
        raise ProtectedDataset
    generation = 1 if current is None else current.generation + 1
    version = Version(generation, read.size_bytes, read.md5, read.sha256)
    verified = Copy(target.repository, target.place, generation, CopyState.VERIFIED)
    return Effect(version, (*copies, verified), is_new_version=True)


def effect_of_patch_file(
    copy: Copy, *, exists: bool, was_proved: bool = False, may_doubt: bool = False
) -> tuple[Copy, bool]:
    """`PATCH /files/{id} {"exists": …}`: the copy, and whether a proof is ordered. Raises ProvedCopy.

    Yes is a claim. No takes a proved copy out of all counts until it is read again, if the caller may give it up or
    holds the repository's files (`may_doubt`): anybody else could make data unreadable by a word.

    >>> proved = Copy("central", Place.STORE, 1, CopyState.VERIFIED)
    >>> effect_of_patch_file(proved, exists=False, may_doubt=True)[0].state.value
    'suspect'
    """
    if copy.state in {CopyState.RETIRING, CopyState.RETIRED}:
        return copy, False
    if not copy.place.is_managed:
        if exists:
            return replace(copy, state=CopyState.CLAIMED), False
        return replace(copy, state=after(copy.state, CopyFact.GONE)), False
    if exists:
        return replace(copy, state=after(copy.state, CopyFact.WANTED)), copy.state is not CopyState.VERIFIED
    is_proved = copy.state in {CopyState.VERIFIED, CopyState.LANDED}
    if not may_doubt and (is_proved or (was_proved and copy.state is CopyState.EXPECTED)):
        raise ProvedCopy(copy.repository)
    ordered = is_proved or copy.state is CopyState.SUSPECT
    return replace(copy, state=after(copy.state, CopyFact.DOUBTED)), ordered


def effect_of_delete_file(
    copy: Copy, decision: Decision, *, is_said: bool = False, is_protected: bool = False
) -> Copy:
    """`DELETE /files/{id}`: forget a record on an unmanaged repository, retire a managed copy.

    Only a copy at which nothing is known to lie goes without a decision that lets it: lost, or expected while nobody
    says (`is_said`) that it is there. Raises ProtectedDataset, MayNotRetire.
    """
    if is_protected:
        raise ProtectedDataset
    if not copy.place.is_managed:
        return replace(copy, state=CopyState.RETIRED)
    is_empty = copy.state is CopyState.LOST or (copy.state is CopyState.EXPECTED and not is_said)
    if not is_empty:
        decision.check()
    return replace(copy, state=after(copy.state, CopyFact.RETIRE))


def check_delete_dataset(*, is_protected: bool) -> None:
    """`DELETE /datasets/{id}`: soft, copies stay as they are (it just shows no more). Raises ProtectedDataset."""
    if is_protected:
        raise ProtectedDataset


def _same_bytes(
    current: Version, copies: Sequence[Copy], said: Registration, targets: Sequence[Target]
) -> Effect:
    kept, ordered = list(copies), list[str]()
    for target in targets:
        here = [i for i, copy in enumerate(kept) if _is_at(copy, target, current)]
        if not here:
            kept.append(_fresh(current, said, target))
        elif kept[here[0]].state is CopyState.RETIRED:
            kept[here[0]] = _fresh(current, said, target)
        elif target.place.is_managed and said.says_present(target):
            copy = kept[here[0]]
            kept[here[0]] = replace(copy, state=after(copy.state, CopyFact.WANTED))
        copy = next(c for c in kept if _is_at(c, target, current))
        waits = copy.state in {CopyState.EXPECTED, CopyState.ARRIVING, CopyState.LANDED}
        if target.place.is_managed and said.says_present(target) and waits:
            ordered.append(target.repository)
    return Effect(current, tuple(kept), tuple(ordered))


def _is_at(copy: Copy, target: Target, version: Version) -> bool:
    return copy.repository == target.repository and copy.generation == version.generation


def _fresh(version: Version, said: Registration, target: Target) -> Copy:
    claimed = said.says_present(target) and not target.place.is_managed
    state = CopyState.CLAIMED if claimed else CopyState.EXPECTED
    return Copy(target.repository, target.place, version.generation, state)


def _passed_over(copy: Copy, said: Registration, targets: Sequence[Target]) -> Copy:
    """An older copy once new bytes are registered: objects stay, a file where others write may be written over."""
    if copy.place is Place.STORE:
        return copy
    overwritten = any(t.repository == copy.repository and said.says_present(t) for t in targets)
    fact = CopyFact.OVERWRITTEN if overwritten or copy.place is Place.UNMANAGED else CopyFact.DOUBTED
    return replace(copy, state=after(copy.state, fact))
