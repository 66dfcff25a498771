"""No copy is retired before its content is verified elsewhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.schemas.files.retirement import GroundKind, Obstacle
from libs.common.schemas.states import CopyState
from services.registry.domain.copies import CopyFact, after
from services.registry.domain.holdings import File, Holding, Policy
from services.registry.domain.retirement import CompressedForm, MayNotRetire, RetirementCase, decide

NOW = datetime(2026, 11, 28, tzinfo=UTC)
RAW, CGL, CBIN, CH = "aa" * 32, "cc" * 32, "bb" * 32, "dd" * 32
VERIFIED, SUSPECT, RETIRING = CopyState.VERIFIED, CopyState.SUSPECT, CopyState.RETIRING


def a_copy(n: int, where: str = "central", state: CopyState = VERIFIED, days_ago: float = 1) -> Holding:
    """A copy that was proved yesterday, in a location of its own."""
    return Holding(UUID(int=n), where, where, state, NOW - timedelta(days=days_ago))


def a_file(n: int, name: str, sha256: str | None, *copies: Holding) -> File:
    return File(UUID(int=n), name, sha256, copies)


IN_TWO = (a_copy(11, "lab"), a_copy(12, "central"))
FORM = CompressedForm(RAW, CGL, is_proved=True, file=a_file(2, "a.ap.cgl", CGL, *IN_TWO))
PAIR = replace(
    FORM,
    sha256=CBIN,
    file=a_file(3, "a.ap.cbin", CBIN, *IN_TWO),
    ch_sha256=CH,
    ch=a_file(4, "a.ap.ch", CH, *IN_TWO),
)
CASE = RetirementCase(UUID(int=1), a_file(1, "a.ap.bin", RAW, a_copy(1, "lab")))
PACKED = replace(CASE, forms=(FORM,))


def obstacles(case: RetirementCase) -> list[str]:
    return [str(reason.obstacle) for reason in decide(case, Policy(), NOW).reasons]


def with_copies(*copies: Holding) -> RetirementCase:
    """The case with these copies of its version."""
    return replace(CASE, file=replace(CASE.file, holdings=copies))


def test_two_other_verified_copies_of_the_same_bytes_suffice() -> None:
    decision = decide(with_copies(a_copy(1, "lab"), a_copy(2, "central"), a_copy(3, "attic")), Policy(), NOW)
    assert decision.may_retire
    assert decision.rests_on is not None
    assert [copy.repository for copy in decision.rests_on.counted] == ["attic", "central"]


def test_two_verified_copies_of_a_compressed_form_suffice_also_in_the_location_of_the_raw_one() -> None:
    decision = decide(PACKED, Policy(), NOW)
    assert decision.may_retire
    assert decision.rests_on is not None
    assert (decision.rests_on.kind, decision.rests_on.dataset_id) == (GroundKind.COMPRESSED, UUID(int=2))


def test_one_of_each_is_not_two() -> None:
    one_form = replace(FORM, file=a_file(2, "a.ap.cgl", CGL, a_copy(12)))
    mixed = replace(with_copies(a_copy(1, "lab"), a_copy(2, "attic")), forms=(one_form,))
    assert obstacles(mixed) == ["too-few-copies", "too-few-copies"]


@pytest.mark.parametrize(
    ("form", "why"),
    [
        (replace(FORM, is_proved=False), Obstacle.FORM_UNPROVED),
        (replace(FORM, raw_sha256="ee" * 32), Obstacle.OTHER_ORIGINAL),
        (replace(FORM, file=replace(FORM.file, sha256="ee" * 32)), Obstacle.FORM_REPLACED),
        (replace(FORM, file=replace(FORM.file, sha256=None)), Obstacle.FORM_REPLACED),
        (replace(FORM, file=replace(FORM.file, is_deleted=True)), Obstacle.FORM_REPLACED),
        (replace(PAIR, ch=None), Obstacle.FORM_REPLACED),
        (replace(PAIR, ch_sha256=None), Obstacle.FORM_REPLACED),
        (replace(PAIR, ch=a_file(4, "a.ap.ch", "ee" * 32, *IN_TWO)), Obstacle.FORM_REPLACED),
        (replace(PAIR, ch=a_file(4, "a.ap.ch", CH, a_copy(12))), Obstacle.TOO_FEW),
        (replace(FORM, file=a_file(2, "a.ap.cgl", CGL, a_copy(11), a_copy(12))), Obstacle.TOO_FEW),
    ],
)
def test_a_form_that_is_not_proved_and_stored_twice_is_not_a_ground(
    form: CompressedForm, why: Obstacle
) -> None:
    assert str(why) in obstacles(replace(CASE, forms=(form,)))


def test_a_pair_of_cbin_and_ch_that_is_whole_is_a_ground() -> None:
    assert obstacles(replace(CASE, forms=(PAIR,))) == []


@pytest.mark.parametrize(
    ("case", "why"),
    [
        (replace(PACKED, is_protected=True), Obstacle.PROTECTED),
        (replace(PACKED, file=replace(PACKED.file, is_deleted=True)), Obstacle.DELETED),
        (replace(PACKED, jobs=("Job spike_sorting reads it now",)), Obstacle.IN_USE),
    ],
)
def test_some_reasons_hold_whatever_other_copies_there_are(case: RetirementCase, why: Obstacle) -> None:
    assert obstacles(case) == [str(why)]


def test_bytes_that_were_never_read_cannot_be_compared() -> None:
    unread = replace(PACKED, file=replace(PACKED.file, sha256=None))
    assert {"unread", "other-original"} <= set(obstacles(unread))


@pytest.mark.parametrize("state", sorted(set(CopyState) - {VERIFIED}))
def test_only_a_verified_copy_is_retired(state: CopyState) -> None:
    case = replace(with_copies(a_copy(1, "lab", state)), forms=(FORM,))
    expected = "leaving" if state in {RETIRING, CopyState.RETIRED} else "unproved"
    assert obstacles(case) == [expected]


@pytest.mark.parametrize("state", sorted(set(CopyState) - {VERIFIED}))
def test_only_verified_copies_count(state: CopyState) -> None:
    case = with_copies(a_copy(1, "lab"), a_copy(2, "central"), a_copy(3, "attic", state))
    assert "too-few-copies" in obstacles(case)


def test_an_old_proof_does_not_count_and_the_reason_has_the_next_step() -> None:
    case = with_copies(a_copy(1, "lab"), a_copy(2, "central"), a_copy(3, "attic", days_ago=91))
    texts = [reason.text for reason in decide(case, Policy(), NOW).reasons]
    assert "The copy of a.ap.bin in attic was verified more than 90 days ago: have it read again." in texts
    assert decide(case, Policy(proof_days=100), NOW).may_retire


def test_repositories_of_one_store_are_one_location() -> None:
    here, same, other = a_copy(1, "hill"), a_copy(2, "zador"), a_copy(3, "attic")
    store = [replace(copy, location="store s3") for copy in (here, same)]
    assert "too-few-copies" in obstacles(with_copies(*store, other))
    two_of_one_location = [a_copy(1, "lab"), *(replace(copy, location="store s3") for copy in (same, other))]
    texts = [reason.text for reason in decide(with_copies(*two_of_one_location), Policy(), NOW).reasons]
    assert any("zador is in the same location as the copy in attic" in text for text in texts)


def test_one_copy_must_remain_in_a_shared_repository() -> None:
    personal = [replace(a_copy(n, name), is_personal=True) for n, name in ((2, "pc1"), (3, "pc2"))]
    case = with_copies(a_copy(1, "lab"), *personal)
    assert obstacles(case)[0] == "too-few-copies"
    assert decide(case, Policy(shared=0), NOW).may_retire


def test_a_policy_of_one_copy_is_invalid() -> None:
    with pytest.raises(ValueError, match="two"):
        Policy(copies=1)


def test_a_refusal_lists_every_reason() -> None:
    with pytest.raises(MayNotRetire) as refusal:
        decide(replace(CASE, is_protected=True), Policy(), NOW).check()
    body = refusal.value.body()
    assert (body["status_code"], body["type"]) == (409, "may-not-retire")
    listed = [reason["obstacle"] for reason in body["reasons"]]
    assert listed == ["protected", "too-few-copies", "too-few-copies", "no-compressed-form"]
    assert all(reason["text"] in body["detail"] for reason in body["reasons"])


locations = st.sampled_from(["lab", "central", "attic", "cave"])
holdings = st.builds(
    lambda where, state, days, personal: replace(a_copy(0, where, state, days), is_personal=personal),
    locations,
    st.sampled_from([VERIFIED, VERIFIED, VERIFIED, *CopyState]),
    st.integers(0, 120),
    st.booleans(),
)


@st.composite
def files(draw: st.DrawFn, n: int, name: str, sha256: str) -> File:
    """A file with up to six copies, whose ids are its own."""
    drawn = draw(st.lists(holdings, max_size=6))
    known = draw(st.sampled_from([sha256, sha256, sha256, "ee" * 32]))
    copies = tuple(
        replace(copy, id=UUID(int=100 * n + i), repository=f"{copy.location}{i}")
        for i, copy in enumerate(drawn)
    )
    return File(UUID(int=n), name, known, copies, draw(st.integers(0, 9)) == 0)


@st.composite
def cases(draw: st.DrawFn) -> RetirementCase:
    """A copy beside others, with up to two compressed forms in any condition."""
    raw = draw(files(1, "a.ap.bin", RAW).filter(lambda file: bool(file.holdings)))
    proved, raws = st.sampled_from([True, True, False]), st.sampled_from([RAW, RAW, "ee" * 32])
    forms = [CompressedForm(draw(raws), CGL, draw(proved), draw(files(2, "a.ap.cgl", CGL)))]
    ch = draw(st.one_of(st.none(), files(4, "a.ap.ch", CH)))
    forms.append(CompressedForm(draw(raws), CBIN, draw(proved), draw(files(3, "a.ap.cbin", CBIN)), CH, ch))
    jobs = draw(st.sampled_from([(), (), ("Job x reads it now",)]))
    return RetirementCase(
        raw.holdings[0].id, raw, draw(st.integers(0, 9)) == 0, tuple(draw(st.permutations(forms))), jobs
    )


policies = st.builds(Policy, st.integers(2, 3), st.integers(0, 2), st.integers(1, 120))


def places(file: File | None, policy: Policy) -> set[str]:
    """Locations of a file's verified copies, computed independently of the rule."""
    return {
        copy.location
        for copy in (file.holdings if file else ())
        if copy.state is VERIFIED and copy.proved_at and (NOW - copy.proved_at).days <= policy.proof_days
    }


@given(cases(), policies)
def test_a_retired_copy_has_as_many_others_in_other_locations(case: RetirementCase, policy: Policy) -> None:
    if not decide(case, policy, NOW).may_retire:
        return
    copy = case.copy
    assert copy.state is VERIFIED
    assert not case.is_protected
    assert not case.file.is_deleted
    assert not case.jobs
    same = places(case.file, policy) - {copy.location}
    forms = [
        min(len(places(form.file, policy)), len(places(form.ch, policy)) if form.ch_sha256 else 9)
        for form in case.forms
        if form.is_proved
        and form.raw_sha256 == case.file.sha256
        and form.file.sha256 == form.sha256
        and not form.file.is_deleted
        and (form.ch is None or (form.ch.sha256 == form.ch_sha256 and not form.ch.is_deleted))
    ]
    assert max([len(same), *forms]) >= policy.copies


@given(cases(), policies)
def test_a_refusal_has_sentences_as_reasons_and_a_permission_has_none(
    case: RetirementCase, policy: Policy
) -> None:
    decision = decide(case, policy, NOW)
    assert decision.may_retire == (not decision.reasons)
    assert decision.may_retire <= (decision.rests_on is not None)
    for reason in decision.reasons:
        assert reason.text[0].isupper()
        assert reason.text.endswith(".")
        assert ":" in reason.text, "a next step follows"
    texts = [reason.text for reason in decision.reasons]
    assert len(set(texts)) == len(texts)


@given(cases(), policies, st.data())
def test_removing_another_copy_never_permits_a_retirement(
    case: RetirementCase, policy: Policy, data: st.DataObject
) -> None:
    others = [copy for copy in case.file.holdings if copy.id != case.copy_id]
    if not others or decide(case, policy, NOW).may_retire:
        return
    gone = data.draw(st.sampled_from(others))
    left = tuple(copy for copy in case.file.holdings if copy is not gone)
    assert not decide(replace(case, file=replace(case.file, holdings=left)), policy, NOW).may_retire


@given(cases(), policies, st.randoms())
def test_enough_copies_remain_however_many_are_retired(
    case: RetirementCase, policy: Policy, order: object
) -> None:
    file, decision = case.file, None
    for copy in file.holdings:
        now = replace(case, copy_id=copy.id, file=file)
        latest = decide(now, policy, NOW)
        if latest.may_retire:
            decision = latest
            leaving = replace(copy, state=after(copy.state, CopyFact.RETIRE))
            file = replace(file, holdings=tuple(leaving if h.id == copy.id else h for h in file.holdings))
    if decision is not None:
        remaining = max(
            len(places(file, policy)),
            *(
                min(len(places(form.file, policy)), len(places(form.ch, policy)) if form.ch else 9)
                for form in case.forms
            ),
        )
        assert remaining >= policy.copies
