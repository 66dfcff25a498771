"""The rules of uploads hold for any order of parts, repeats and sweeps."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from cingulum.digests import Digests, hash_bytes
from libs.common.schemas.states import AttemptState, UploadState
from services.transfer.domain import (
    AnnouncedUpload,
    BadBundle,
    BadPart,
    BundleEntry,
    HashDiffers,
    PartDiffers,
    PartMissing,
    UploadPart,
    UploadSwept,
    announce,
    check_bundle,
    land,
    may_sweep,
    missing_parts,
    part_span,
    put_part,
    sweep,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FILE = b"the bytes of a recording!"
SHA256 = hashlib.sha256(FILE).hexdigest()


def a_part(content: bytes) -> UploadPart:
    """The part that holds these bytes."""
    return UploadPart(len(content), hashlib.sha256(content).hexdigest())


def digests_of(content: bytes) -> Digests:
    """The digest of a full read of these bytes."""
    return hash_bytes(content)


def an_upload(**other: object) -> AnnouncedUpload:
    """An announced file of three parts of ten bytes, the last one of five."""
    return announce(AnnouncedUpload(UUID(int=1), len(FILE), 10, SHA256, **other), None, NOW)  # type: ignore[arg-type]


class UploadMachine(RuleBasedStateMachine):
    """The bytes that were stored, beside the state by the rules."""

    def __init__(self) -> None:
        super().__init__()
        self.upload = an_upload()
        self.stored: dict[int, bytes] = {}

    @rule(n=st.integers(0, 2))
    def put(self, n: int) -> None:
        start, size = part_span(self.upload, n)
        content = FILE[start : start + size]
        if self.upload.state is UploadState.SWEPT:
            with pytest.raises(UploadSwept):
                put_part(self.upload, n, a_part(content), NOW)
            return
        once = put_part(self.upload, n, a_part(content), NOW)
        assert put_part(once, n, a_part(content), NOW) == once
        self.upload = once
        self.stored[n] = content

    @rule(n=st.integers(0, 2))
    def put_other_bytes_over_it(self, n: int) -> None:
        if n in self.stored and self.upload.state is not UploadState.SWEPT:
            with pytest.raises(PartDiffers):
                put_part(self.upload, n, a_part(b"x" * len(self.stored[n])), NOW)

    @rule()
    def complete(self) -> None:
        whole = digests_of(b"".join(self.stored[n] for n in sorted(self.stored)))
        if self.upload.state is UploadState.SWEPT:
            with pytest.raises(UploadSwept):
                land(self.upload, SHA256, whole, NOW)
        elif len(self.stored) < 3:
            with pytest.raises(PartMissing):
                land(self.upload, SHA256, whole, NOW)
        else:
            self.upload, _ = land(self.upload, SHA256, whole, NOW)
            assert land(self.upload, SHA256, whole, NOW) == (self.upload, False)

    @rule(days=st.integers(0, 20))
    def sweep_after(self, days: int) -> None:
        if may_sweep(self.upload, None, frozenset(), NOW + timedelta(days=days)):
            assert days >= 7
            assert self.upload.state is not UploadState.LANDED
            self.upload = sweep(self.upload)

    @invariant()
    def missing_parts_were_not_stored(self) -> None:
        if self.upload.state not in {UploadState.SWEPT, UploadState.LANDED}:
            assert missing_parts(self.upload) == [n for n in range(3) if n not in self.stored]

    @invariant()
    def landed_means_all_bytes_were_read(self) -> None:
        if self.upload.state is UploadState.LANDED:
            assert self.upload.digests == digests_of(FILE)


UploadMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestUploads = UploadMachine.TestCase


def test_other_bytes_than_announced_reset_the_upload() -> None:
    upload = an_upload()
    for n in range(3):
        upload = put_part(upload, n, a_part(b"x" * part_span(upload, n)[1]), NOW)
    refused, is_new = land(upload, SHA256, digests_of(b"x" * 25), NOW)
    assert (refused.state, missing_parts(refused), is_new) == (UploadState.ANNOUNCED, [0, 1, 2], False)
    with pytest.raises(HashDiffers):
        land(upload, "0" * 64, digests_of(FILE), NOW)


def test_known_bytes_are_not_sent() -> None:
    assert announce(an_upload(), digests_of(FILE), NOW).state is UploadState.LANDED
    assert announce(an_upload(), digests_of(b"others"), NOW).state is UploadState.ANNOUNCED


@pytest.mark.parametrize("n", [-1, 3])
def test_a_part_that_the_file_does_not_have_is_refused(n: int) -> None:
    with pytest.raises(BadPart):
        part_span(an_upload(), n)


@pytest.mark.parametrize("state", list(AttemptState))
@pytest.mark.parametrize("is_named", [True, False])
def test_an_output_is_swept_once_its_attempt_ended_without_it(state: AttemptState, is_named: bool) -> None:
    upload = an_upload(job_id=UUID(int=2), token=7)
    outputs = frozenset({upload.id} if is_named else set())
    expected = state.has_ended and not (state is AttemptState.REGISTERED and is_named)
    assert may_sweep(upload, state, outputs, NOW) is expected
    assert not may_sweep(sweep(upload), state, outputs, NOW)


@given(st.lists(st.integers(0, 1_000), min_size=1, max_size=20))
def test_files_of_a_bundle_follow_one_another(sizes: list[int]) -> None:
    spans = check_bundle([BundleEntry(size, "a" * 64) for size in sizes])
    assert [end - start for start, end in spans] == sizes
    assert [start for start, _ in spans[1:]] == [end for _, end in spans[:-1]]


@pytest.mark.parametrize(
    "entries", [[], [BundleEntry(-1, "a" * 64)], [BundleEntry(1, "A" * 64)], [BundleEntry(2**29, "a" * 64)]]
)
def test_an_invalid_bundle_is_refused(entries: list[BundleEntry]) -> None:
    with pytest.raises(BadBundle):
        check_bundle(entries)
