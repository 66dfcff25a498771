"""What each call of Alyx's contract does to versions, copies and `exists`, as in the table of the registry's README.

A client's claim never makes a copy verified: where bytes can be read it orders a proof, else the copy is `claimed`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cingulum.digests import Digests
from libs.common.problem import Forbidden
from libs.common.schemas.states import CopyState
from services.registry.domain.copies import CopyFact, Place, Version, VersionCopy, after
from services.registry.domain.hash_comparison import HashComparison, compare_hash, is_first_hash
from services.registry.domain.retirement import RetirementDecision


class ProtectedDataset(Forbidden):
    """A protected tag forbids overwriting or deleting the dataset: register another revision."""

    slug = "protected"
    detail = "One or more datasets is protected"


class ProvedCopy(Forbidden):
    """Only callers who may retire a copy, or the agent of its repository, may mark a verified copy as missing."""

    slug = "proved-copy"
    detail = "A client cannot change the state of a verified copy."

    def __init__(self, repository: str) -> None:
        super().__init__(
            f"The copy in {repository} is verified and was not changed. Only the token of that repository's agent, or "
            "a user who may retire copies of its lab (permission transfer there), can mark it as missing."
        )


@dataclass(frozen=True)
class RepositoryTarget:
    """A repository that gets a record: those of the labs (no personal ones if `server_only`), and the named one."""

    repository: str
    place: Place
    is_named: bool = False


@dataclass(frozen=True)
class Registration:
    """One file of a register-file call. `size_bytes` and `md5` are null if unknown."""

    size_bytes: int | None
    md5: str | None
    exists: bool = True
    server_only: bool = False

    def claims_present(self, target: RepositoryTarget) -> bool:
        """Whether the client claims that the file is there: on all with `server_only`, else on the named one only.

        >>> Registration(3, "aa").claims_present(RepositoryTarget("central", Place.STORE))
        False
        """
        return self.exists and (self.server_only or target.is_named)


@dataclass(frozen=True)
class Effect:
    """What to write: the current version, every copy of the dataset, and the repositories whose file must be read."""

    version: Version
    copies: tuple[VersionCopy, ...]
    proofs_ordered: tuple[str, ...] = ()
    is_new_version: bool = False


def effect_of_register(
    current: Version | None,
    copies: Sequence[VersionCopy],
    registration: Registration,
    targets: Sequence[RepositoryTarget],
    *,
    is_protected: bool = False,
) -> Effect:
    """register-file for one file. Raises ProtectedDataset before anything is written, whatever the hash.

    >>> lab, central = RepositoryTarget("lab", Place.UNMANAGED, is_named=True), RepositoryTarget("central", Place.STORE)
    >>> first = effect_of_register(None, [], Registration(3, "aa"), [lab, central])
    >>> [(copy.repository, copy.state.value) for copy in first.copies], first.proofs_ordered
    ([('lab', 'claimed'), ('central', 'expected')], ())
    >>> effect_of_register(first.version, first.copies, Registration(3, "bb"), [lab, central]).version.generation
    2
    """
    if is_protected and current is not None:
        raise ProtectedDataset
    if current is not None and compare_hash(current, registration.md5) is HashComparison.SAME:
        return _same_bytes(current, copies, registration, targets)
    if current is not None and is_first_hash(current, copies, registration.size_bytes, registration.md5):
        return _same_bytes(replace(current, md5=registration.md5), copies, registration, targets)
    version = Version(
        1 if current is None else current.generation + 1, registration.size_bytes, registration.md5
    )
    new = tuple(_new_copy(version, registration, target) for target in targets)
    before = tuple(_superseded(copy, registration, targets) for copy in copies)
    # Alyx resets every record of the dataset, also on repositories that this call does not name.
    left = tuple(
        VersionCopy(copy.repository, copy.place, version.generation, CopyState.EXPECTED)
        for copy in copies
        if current is not None
        and copy.generation == current.generation
        and copy.state not in {CopyState.RETIRING, CopyState.RETIRED}
        and copy.repository not in {target.repository for target in targets}
    )
    ordered = tuple(t.repository for t in targets if t.place.is_managed and registration.claims_present(t))
    return Effect(version, (*before, *new, *left), ordered, is_new_version=True)


def effect_of_new_file(
    generation: int, copies: Sequence[VersionCopy], target: RepositoryTarget, *, exists: bool
) -> Effect:
    """`POST /files`: one more record of the current version, whose bytes stay as they are.

    >>> target = RepositoryTarget("central", Place.STORE, is_named=True)
    >>> effect_of_new_file(2, [], target, exists=True).proofs_ordered
    ('central',)
    """
    return _same_bytes(Version(generation), copies, Registration(None, None, exists=exists), [target])


def effect_of_publication(
    current: Version | None,
    copies: Sequence[VersionCopy],
    digests: Digests,
    target: RepositoryTarget,
    *,
    is_protected: bool = False,
) -> Effect:
    """An output of one of our jobs: landed in our store, so read in full; verified at once. Same bytes: no new version.

    `target` is the store. Copies of older versions there stay, since objects are never overwritten.
    Raises ProtectedDataset if other bytes would replace those of a protected dataset.
    """
    if current is not None and current.sha256 == digests.sha256:
        others = tuple(copy for copy in copies if not _is_at(copy, target, current))
        verified = VersionCopy(target.repository, target.place, current.generation, CopyState.VERIFIED)
        return Effect(current, (*others, verified))
    if is_protected and current is not None:
        raise ProtectedDataset
    generation = 1 if current is None else current.generation + 1
    version = Version(generation, digests.size_bytes, digests.md5, digests.sha256)
    verified = VersionCopy(target.repository, target.place, generation, CopyState.VERIFIED)
    return Effect(version, (*copies, verified), is_new_version=True)


def effect_of_patch_file(
    copy: VersionCopy, *, exists: bool, was_proved: bool = False, may_doubt: bool = False
) -> tuple[VersionCopy, bool]:
    """`PATCH /files/{id} {"exists": …}`: the copy, and whether a proof is ordered. Raises ProvedCopy.

    True is a claim. False makes a verified copy suspect until it is read again, if the caller may retire it or is the
    agent of its repository (`may_doubt`): otherwise any client could make data unreadable.

    >>> proved = VersionCopy("central", Place.STORE, 1, CopyState.VERIFIED)
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
        return replace(copy, state=after(copy.state, CopyFact.EXPECTED)), copy.state is not CopyState.VERIFIED
    is_proved = copy.state in {CopyState.VERIFIED, CopyState.LANDED}
    if not may_doubt and (is_proved or (was_proved and copy.state is CopyState.EXPECTED)):
        raise ProvedCopy(copy.repository)
    ordered = is_proved or copy.state is CopyState.SUSPECT
    return replace(copy, state=after(copy.state, CopyFact.DOUBTED)), ordered


def effect_of_delete_file(
    copy: VersionCopy, decision: RetirementDecision, *, is_claimed: bool = False, is_protected: bool = False
) -> VersionCopy:
    """`DELETE /files/{id}`: forget a record on an unmanaged repository, retire a managed copy.

    Only a copy without known bytes goes without a decision that allows it: lost, or expected while no client claims
    (`is_claimed`) that it is there. Raises ProtectedDataset, MayNotRetire.
    """
    if is_protected:
        raise ProtectedDataset
    if not copy.place.is_managed:
        return replace(copy, state=CopyState.RETIRED)
    is_empty = copy.state is CopyState.LOST or (copy.state is CopyState.EXPECTED and not is_claimed)
    if not is_empty:
        decision.check()
    return replace(copy, state=after(copy.state, CopyFact.RETIRE))


def effect_of_move(version: Version, copies: Sequence[VersionCopy]) -> Effect:
    """`PATCH /datasets/{id}` of the collection or the revision: a file that an agent reads is expected at its new path.

    The store finds bytes by their hash, and a claim moves with its file.

    >>> proved = VersionCopy("lab", Place.AGENT, 1, CopyState.VERIFIED)
    >>> effect = effect_of_move(Version(1, sha256="ff"), [proved])
    >>> effect.copies[0].state.value, effect.proofs_ordered
    ('suspect', ('lab',))
    """
    current = [copy for copy in copies if copy.generation == version.generation and copy.place is Place.AGENT]
    moved = {copy: replace(copy, state=after(copy.state, CopyFact.DOUBTED)) for copy in current}
    ordered = tuple(copy.repository for copy in moved.values() if copy.state is CopyState.SUSPECT)
    return Effect(version, tuple(moved.get(copy, copy) for copy in copies), ordered)


def check_change_dataset(*, is_protected: bool) -> None:
    """`DELETE /datasets/{id}`: soft, copies stay as they are; or a move of one. Raises ProtectedDataset."""
    if is_protected:
        raise ProtectedDataset


def _same_bytes(
    current: Version,
    copies: Sequence[VersionCopy],
    registration: Registration,
    targets: Sequence[RepositoryTarget],
) -> Effect:
    if registration.size_bytes is not None and current.sha256 is None:
        current = replace(current, size_bytes=registration.size_bytes)  # the newer of two claims
    all_copies, ordered = list(copies), list[str]()
    for target in targets:
        here = [i for i, copy in enumerate(all_copies) if _is_at(copy, target, current)]
        if not here:
            all_copies.append(_new_copy(current, registration, target))
        elif all_copies[here[0]].state is CopyState.RETIRED:
            all_copies[here[0]] = _new_copy(current, registration, target)
        elif target.place.is_managed and registration.claims_present(target):
            copy = all_copies[here[0]]
            all_copies[here[0]] = replace(copy, state=after(copy.state, CopyFact.EXPECTED))
        copy = next(c for c in all_copies if _is_at(c, target, current))
        waits = copy.state in {CopyState.EXPECTED, CopyState.ARRIVING, CopyState.LANDED}
        if target.place.is_managed and registration.claims_present(target) and waits:
            ordered.append(target.repository)
    return Effect(current, tuple(all_copies), tuple(ordered))


def _is_at(copy: VersionCopy, target: RepositoryTarget, version: Version) -> bool:
    return copy.repository == target.repository and copy.generation == version.generation


def _new_copy(version: Version, registration: Registration, target: RepositoryTarget) -> VersionCopy:
    claimed = registration.claims_present(target) and not target.place.is_managed
    state = CopyState.CLAIMED if claimed else CopyState.EXPECTED
    return VersionCopy(target.repository, target.place, version.generation, state)


def _superseded(
    copy: VersionCopy, registration: Registration, targets: Sequence[RepositoryTarget]
) -> VersionCopy:
    """An older copy once new bytes are registered: objects stay, a file where others write may be overwritten."""
    if copy.place is Place.STORE:
        return copy
    overwritten = any(t.repository == copy.repository and registration.claims_present(t) for t in targets)
    fact = CopyFact.OVERWRITTEN if overwritten or copy.place is Place.UNMANAGED else CopyFact.DOUBTED
    return replace(copy, state=after(copy.state, fact))
