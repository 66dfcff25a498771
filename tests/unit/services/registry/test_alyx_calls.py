"""Each row of the table in the registry's README, as a test."""

from __future__ import annotations

import pytest

from cingulum.digests import Digests
from libs.common.schemas.files.retirement import Obstacle
from libs.common.schemas.states import CopyState
from services.registry.domain.alyx_calls import (
    ProtectedDataset,
    ProvedCopy,
    Registration,
    RepositoryTarget,
    check_change_dataset,
    effect_of_delete_file,
    effect_of_patch_file,
    effect_of_publication,
    effect_of_register,
)
from services.registry.domain.copies import Place, Version, VersionCopy
from services.registry.domain.holdings import Reason
from services.registry.domain.retirement import MayNotRetire, RetirementDecision

CLAIMED, EXPECTED, VERIFIED = CopyState.CLAIMED, CopyState.EXPECTED, CopyState.VERIFIED
SUSPECT, LOST = CopyState.SUSPECT, CopyState.LOST
RETIRING, RETIRED = CopyState.RETIRING, CopyState.RETIRED
OPEN, AGENT, STORE = Place.UNMANAGED, Place.AGENT, Place.STORE
V1 = Version(1, 3, "aa", "ff")
REFUSED = RetirementDecision((Reason(Obstacle.TOO_FEW, "Bring another copy."),), ())


def here(place: Place, state: CopyState, generation: int = 1) -> VersionCopy:
    """A copy in the one repository of these tests."""
    return VersionCopy("r", place, generation, state)


def at(place: Place, *, named: bool = True) -> list[RepositoryTarget]:
    """The one repository, named by the call or not."""
    return [RepositoryTarget("r", place, is_named=named)]


@pytest.mark.parametrize(
    ("place", "named", "state", "ordered"),
    [
        (OPEN, True, CLAIMED, ()),
        (OPEN, False, EXPECTED, ()),
        (AGENT, True, EXPECTED, ("r",)),
        (STORE, True, EXPECTED, ("r",)),
        (STORE, False, EXPECTED, ()),
    ],
)
def test_a_new_dataset_is_claimed_or_expected_and_never_verified(
    place: Place, named: bool, state: CopyState, ordered: tuple[str, ...]
) -> None:
    effect = effect_of_register(None, [], Registration(3, "aa"), at(place, named=named))
    assert effect.version == Version(1, 3, "aa", None)
    assert [copy.state for copy in effect.copies] == [state]
    assert effect.proofs_ordered == ordered


def test_server_only_claims_all_repositories_and_exists_false_claims_none() -> None:
    unnamed = at(OPEN, named=False)
    everywhere = effect_of_register(None, [], Registration(3, "aa", server_only=True), unnamed)
    nowhere = effect_of_register(None, [], Registration(3, "aa", exists=False), at(OPEN))
    assert [copy.state for copy in (*everywhere.copies, *nowhere.copies)] == [CLAIMED, EXPECTED]


@pytest.mark.parametrize("state", [CLAIMED, EXPECTED, LOST])
def test_the_same_hash_leaves_a_record_on_an_unmanaged_repository_as_it_was(state: CopyState) -> None:
    effect = effect_of_register(V1, [here(OPEN, state)], Registration(3, "aa"), at(OPEN))
    assert (effect.version, effect.copies) == (V1, (here(OPEN, state),))


@pytest.mark.parametrize(
    ("before", "after", "ordered"),
    [
        (VERIFIED, VERIFIED, ()),
        (EXPECTED, EXPECTED, ("r",)),
        (LOST, EXPECTED, ("r",)),
        (SUSPECT, EXPECTED, ("r",)),
        (RETIRED, EXPECTED, ("r",)),
    ],
)
def test_the_same_hash_claimed_in_a_managed_repository_orders_a_proof_unless_verified(
    before: CopyState, after: CopyState, ordered: tuple[str, ...]
) -> None:
    effect = effect_of_register(V1, [here(STORE, before)], Registration(3, "aa"), at(STORE))
    assert (effect.copies, effect.proofs_ordered) == ((here(STORE, after),), ordered)


@pytest.mark.parametrize("claimed", [True, False])
def test_the_same_hash_adds_a_record_where_there_was_none(claimed: bool) -> None:
    registration = Registration(3, "aa", exists=claimed)
    unmanaged = effect_of_register(V1, [], registration, at(OPEN))
    managed = effect_of_register(V1, [], registration, at(STORE))
    assert unmanaged.copies == (here(OPEN, CLAIMED if claimed else EXPECTED),)
    assert (managed.copies, managed.proofs_ordered) == ((here(STORE, EXPECTED),), ("r",) if claimed else ())


@pytest.mark.parametrize("md5", ["bb", None])
@pytest.mark.parametrize(
    ("place", "claimed", "old", "new"),
    [
        (OPEN, True, LOST, CLAIMED),
        (OPEN, False, LOST, EXPECTED),
        (AGENT, True, LOST, EXPECTED),
        (AGENT, False, SUSPECT, EXPECTED),
        (STORE, True, VERIFIED, EXPECTED),
        (STORE, False, VERIFIED, EXPECTED),
    ],
)
def test_another_or_no_hash_makes_a_new_unread_version(
    md5: str | None, place: Place, claimed: bool, old: CopyState, new: CopyState
) -> None:
    before = here(place, VERIFIED if place.is_managed else CLAIMED)
    effect = effect_of_register(V1, [before], Registration(4, md5, exists=claimed), at(place))
    assert effect.version == Version(2, 4, md5, None)
    assert effect.copies == (here(place, old), here(place, new, 2))
    assert effect.is_new_version


def test_another_hash_resets_records_on_repositories_that_the_call_does_not_reach() -> None:
    effect = effect_of_register(V1, [here(OPEN, CLAIMED)], Registration(4, "bb"), [])
    assert effect.copies == (here(OPEN, LOST), here(OPEN, EXPECTED, 2))


def test_a_protected_dataset_is_neither_overwritten_nor_deleted() -> None:
    with pytest.raises(ProtectedDataset):
        effect_of_register(V1, [], Registration(3, "aa"), at(STORE), is_protected=True)
    with pytest.raises(ProtectedDataset):
        effect_of_publication(
            V1, [], Digests(size_bytes=4, sha256="ee", md5="bb"), at(STORE)[0], is_protected=True
        )
    with pytest.raises(ProtectedDataset):
        effect_of_delete_file(here(OPEN, CLAIMED), REFUSED, is_protected=True)
    with pytest.raises(ProtectedDataset):
        check_change_dataset(is_protected=True)


def test_an_output_with_the_bytes_it_had_makes_no_version() -> None:
    effect = effect_of_publication(
        V1, [here(STORE, SUSPECT)], Digests(size_bytes=3, sha256="ff", md5="aa"), at(STORE)[0]
    )
    assert (effect.version, effect.copies) == (V1, (here(STORE, VERIFIED),))
    assert not effect.is_new_version


def test_an_output_with_other_bytes_is_verified_at_once_and_leaves_the_older_copy() -> None:
    effect = effect_of_publication(
        V1, [here(STORE, VERIFIED)], Digests(size_bytes=4, sha256="ee", md5="bb"), at(STORE)[0]
    )
    assert effect.version == Version(2, 4, "bb", "ee")
    assert effect.copies == (here(STORE, VERIFIED), here(STORE, VERIFIED, 2))


@pytest.mark.parametrize(
    ("place", "before", "exists", "after", "ordered"),
    [
        (OPEN, EXPECTED, True, CLAIMED, False),
        (OPEN, CLAIMED, False, LOST, False),
        (STORE, LOST, True, EXPECTED, True),
        (STORE, SUSPECT, True, EXPECTED, True),
        (STORE, VERIFIED, True, VERIFIED, False),
        (STORE, VERIFIED, False, SUSPECT, True),
        (STORE, SUSPECT, False, SUSPECT, True),
        (STORE, EXPECTED, False, EXPECTED, False),
        (STORE, RETIRING, True, RETIRING, False),
    ],
)
def test_patching_exists_is_a_claim_and_not_a_proof(
    place: Place, before: CopyState, exists: bool, after: CopyState, ordered: bool
) -> None:
    effect = effect_of_patch_file(here(place, before), exists=exists, may_doubt=True)
    assert effect == (here(place, after), ordered)


@pytest.mark.parametrize("state", [VERIFIED, CopyState.LANDED])
def test_a_verified_copy_is_not_doubted_without_permission(state: CopyState) -> None:
    with pytest.raises(ProvedCopy, match="transfer"):
        effect_of_patch_file(here(STORE, state), exists=False)


@pytest.mark.parametrize(
    ("place", "state", "claimed", "after"),
    [
        (OPEN, CLAIMED, False, RETIRED),
        (AGENT, EXPECTED, False, RETIRING),
        (STORE, LOST, False, RETIRING),
        (AGENT, EXPECTED, True, None),
        (AGENT, SUSPECT, False, None),
        (STORE, VERIFIED, False, None),
    ],
)
def test_a_copy_that_may_have_bytes_is_deleted_only_if_it_may_be_retired(
    place: Place, state: CopyState, claimed: bool, after: CopyState | None
) -> None:
    copy = here(place, state)
    if after is None:
        with pytest.raises(MayNotRetire):
            effect_of_delete_file(copy, REFUSED, is_claimed=claimed)
        after = RETIRING
        assert effect_of_delete_file(copy, RetirementDecision((), ()), is_claimed=claimed).state is after
    else:
        assert effect_of_delete_file(copy, REFUSED, is_claimed=claimed).state is after
