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
    Target,
    check_delete_dataset,
    effect_of_delete_file,
    effect_of_patch_file,
    effect_of_publication,
    effect_of_register,
)
from services.registry.domain.copies import Copy, Place, Version, is_shown
from services.registry.domain.holdings import Reason
from services.registry.domain.retirement import Decision, MayNotRetire

CLAIMED, EXPECTED, VERIFIED = CopyState.CLAIMED, CopyState.EXPECTED, CopyState.VERIFIED
SUSPECT, LOST = CopyState.SUSPECT, CopyState.LOST
RETIRING, RETIRED = CopyState.RETIRING, CopyState.RETIRED
OPEN, AGENT, STORE = Place.UNMANAGED, Place.AGENT, Place.STORE
V1 = Version(1, 3, "aa", "ff")
REFUSED = Decision((Reason(Obstacle.TOO_FEW, "Bring another copy."),), ())


def here(place: Place, state: CopyState, generation: int = 1) -> Copy:
    """A copy in the one repository of these tests."""
    return Copy("r", place, generation, state)


def at(place: Place, *, named: bool = True) -> list[Target]:
    """The one repository, named by the call or not."""
    return [Target("r", place, is_named=named)]


@pytest.mark.parametrize(
    ("place", "named", "state", "shown", "ordered"),
    [
        (OPEN, True, CLAIMED, True, ()),
        (OPEN, False, EXPECTED, False, ()),
        (AGENT, True, EXPECTED, False, ("r",)),
        (STORE, True, EXPECTED, False, ("r",)),
        (STORE, False, EXPECTED, False, ()),
    ],
)
def test_a_new_dataset_is_claimed_or_expected_and_never_verified(
    place: Place, named: bool, state: CopyState, shown: bool, ordered: tuple[str, ...]
) -> None:
    effect = effect_of_register(None, [], Registration(3, "aa"), at(place, named=named))
    assert effect.version == Version(1, 3, "aa", None)
    assert [copy.state for copy in effect.copies] == [state]
    assert is_shown(effect.copies[0], 1) is shown
    assert effect.proofs_ordered == ordered


def test_server_only_says_present_on_all_repositories_and_exists_false_on_none() -> None:
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
def test_the_same_hash_said_present_on_a_managed_repository_orders_a_proof_unless_verified(
    before: CopyState, after: CopyState, ordered: tuple[str, ...]
) -> None:
    effect = effect_of_register(V1, [here(STORE, before)], Registration(3, "aa"), at(STORE))
    assert (effect.copies, effect.proofs_ordered) == ((here(STORE, after),), ordered)


@pytest.mark.parametrize("said", [True, False])
def test_the_same_hash_adds_a_record_where_there_was_none(said: bool) -> None:
    registration = Registration(3, "aa", exists=said)
    open_one = effect_of_register(V1, [], registration, at(OPEN))
    managed = effect_of_register(V1, [], registration, at(STORE))
    assert open_one.copies == (here(OPEN, CLAIMED if said else EXPECTED),)
    assert (managed.copies, managed.proofs_ordered) == ((here(STORE, EXPECTED),), ("r",) if said else ())


@pytest.mark.parametrize("md5", ["bb", None])
@pytest.mark.parametrize(
    ("place", "said", "old", "new"),
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
    md5: str | None, place: Place, said: bool, old: CopyState, new: CopyState
) -> None:
    before = here(place, VERIFIED if place.is_managed else CLAIMED)
    effect = effect_of_register(V1, [before], Registration(4, md5, exists=said), at(place))
    assert effect.version == Version(2, 4, md5, None)
    assert effect.copies == (here(place, old), here(place, new, 2))
    assert effect.is_new_version


def test_another_hash_resets_records_on_repositories_that_the_call_does_not_reach() -> None:
    effect = effect_of_register(V1, [here(OPEN, CLAIMED)], Registration(4, "bb"), [])
    assert effect.copies == (here(OPEN, LOST), here(OPEN, EXPECTED, 2))


def test_a_protected_dataset_is_neither_written_over_nor_deleted() -> None:
    with pytest.raises(ProtectedDataset):
        effect_of_register(V1, [], Registration(3, "aa"), at(STORE), is_protected=True)
    with pytest.raises(ProtectedDataset):
        effect_of_publication(
            V1, [], Digests(size_bytes=4, sha256="ee", md5="bb"), at(STORE)[0], is_protected=True
        )
    with pytest.raises(ProtectedDataset):
        effect_of_delete_file(here(OPEN, CLAIMED), REFUSED, is_protected=True)
    with pytest.raises(ProtectedDataset):
        check_delete_dataset(is_protected=True)


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
def test_patching_exists_is_a_word_and_not_a_proof(
    place: Place, before: CopyState, exists: bool, after: CopyState, ordered: bool
) -> None:
    effect = effect_of_patch_file(here(place, before), exists=exists, may_doubt=True)
    assert effect == (here(place, after), ordered)


@pytest.mark.parametrize("state", [VERIFIED, CopyState.LANDED])
def test_the_word_of_who_may_not_doubt_it_leaves_a_proved_copy(state: CopyState) -> None:
    with pytest.raises(ProvedCopy, match="transfer"):
        effect_of_patch_file(here(STORE, state), exists=False)


@pytest.mark.parametrize(
    ("place", "state", "said", "after"),
    [
        (OPEN, CLAIMED, False, RETIRED),
        (AGENT, EXPECTED, False, RETIRING),
        (STORE, LOST, False, RETIRING),
        (AGENT, EXPECTED, True, None),
        (AGENT, SUSPECT, False, None),
        (STORE, VERIFIED, False, None),
    ],
)
def test_what_may_hold_bytes_is_deleted_only_if_it_may_be_given_up(
    place: Place, state: CopyState, said: bool, after: CopyState | None
) -> None:
    copy = here(place, state)
    if after is None:
        with pytest.raises(MayNotRetire):
            effect_of_delete_file(copy, REFUSED, is_said=said)
        after = RETIRING
        assert effect_of_delete_file(copy, Decision((), ()), is_said=said).state is after
    else:
        assert effect_of_delete_file(copy, REFUSED, is_said=said).state is after
