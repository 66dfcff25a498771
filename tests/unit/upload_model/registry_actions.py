"""What registry does in a world, and what the raw file's agent and its readers do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial

from cingulum.digests import Digests
from libs.common.schemas.states import CopyState, UploadState
from services.registry.domain.alyx_calls import Effect, Registration
from services.registry.domain.copies import CopyFact, Place, VersionCopy, after
from services.registry.domain.publications import PublicationAnswer
from services.registry.domain.uploads import UploadFact
from services.scheduler.domain.graph import DatasetFact
from services.scheduler.domain.sites import POOL
from tests.unit.upload_model.world import LAB, NAMES, RAW, STORE, Dataset, Sent, State, World, sent_of, spend


def all_actions(world: World, state: State) -> Iterator[tuple[str, Callable[[World, State], State | None]]]:
    """What may happen in registry next."""
    for attempt in state.attempts:
        if attempt.outputs:
            yield f"registry hears of {attempt.token}", partial(hear_publishing, token=attempt.token)
            if state.left.refusals:
                yield (
                    f"registry objects to {attempt.token}",
                    partial(hear_publishing, token=attempt.token, objection="Protected."),
                )
    yield from _raw_actions(world, state)
    if state.left.doubts:
        for i, dataset in enumerate(state.datasets):
            for n, copy in enumerate(dataset.copies):
                yield f"scrub doubts {NAMES[i]} at {copy.repository}", partial(doubt, i=i, n=n)
    for i, _ in enumerate(state.datasets):
        yield f"scrub reads {NAMES[i]}", partial(read_again, i=i)


def _raw_actions(world: World, state: State) -> Iterator[tuple[str, Callable[[World, State], State | None]]]:
    """What the lab's agent and the rig may do with the raw file, and what registry hears of it."""
    version = state.datasets[RAW].version
    if version is not None:
        yield f"agent uploads raw {version.generation}", upload_raw
        if world.lab:
            yield f"agent reads raw {version.generation}", read_at_lab
    for sent in state.uploads:
        if not sent.token:
            yield f"registry hears of raw {sent.generation}", partial(hear_landed, sent=sent)
    if state.left.registrations:
        yield "rig registers raw again", register_again


@cache
def facts(datasets: tuple[Dataset, ...]) -> tuple[DatasetFact, ...]:
    """What the published views say of the session's datasets; an absent one is unreadable and has no SHA-256."""
    return tuple(
        DatasetFact("", NAMES[i], d.version.sha256, bool(places(d)), bool(d.made_by), places(d))
        for i, d in enumerate(datasets)
        if d.version is not None
    )


@cache
def places(dataset: Dataset) -> frozenset[str]:
    """The sites where verified copies of the current version lie."""
    return frozenset(
        POOL if copy.place is Place.STORE else copy.repository
        for copy in dataset.copies
        if dataset.version is not None
        and copy.generation == dataset.version.generation
        and copy.state is CopyState.VERIFIED
    )


def readable_sha256(dataset: Dataset, site: str) -> str | None:
    """The SHA-256 of a dataset that a job may read now at a site."""
    if dataset.version is None or places(dataset).isdisjoint({POOL, site}):
        return None
    return dataset.version.sha256


def _with(state: State, i: int, dataset: Dataset) -> State:
    return state._replace(datasets=(*state.datasets[:i], dataset, *state.datasets[i + 1 :]))


def _take(state: State, i: int, effect: Effect, made_by: int) -> State:
    """Write an effect. Copies of older generations are history that nothing here asks for again."""
    copies = tuple(copy for copy in effect.copies if copy.generation == effect.version.generation)
    return _with(state, i, Dataset(effect.version, copies, made_by))


def hear_publishing(world: World, state: State, token: int, objection: str = "") -> State | None:
    """Registry hears that an attempt wants its outputs registered; it decides and writes in one transaction."""
    attempt = state.attempts[token - 1]
    uploads = {}
    for output in attempt.outputs:
        if sent := sent_of(state, output.upload_id.int // 100 - 10):
            digests = Digests(size_bytes=0, sha256=sent.sha256, md5=sent.sha256) if sent.sha256 else None
            uploads[output.upload_id] = UploadFact(output.upload_id, None, sent.state, sent.token, digests)
    was_answered = token in dict(state.answers)
    decision = world.rules.decide(
        token, attempt.state, attempt.outputs, uploads, was_answered=was_answered, objection=objection
    )
    if objection:
        state = spend(state, "refusals")
    if decision.answer is PublicationAnswer.REFUSE:
        return state._replace(answers=(*state.answers, (token, False)))
    if decision.answer is not PublicationAnswer.REGISTER:
        return None
    for output in attempt.outputs:
        i = NAMES.index(output.relative_path)
        old = state.datasets[i]
        effect = world.rules.publish(old.version, old.copies, _whole(output.sha256), STORE)
        state = _take(state, i, effect, token)
        if _was_read(state, token, output.sha256):
            state = state._replace(was_read=state.was_read | {(i, effect.version.generation)})
    answers = dict(state.answers) | {token: True}
    return state._replace(answers=tuple(answers.items()), registered=(*state.registered, token))


def _was_read(state: State, token: int, sha256: str) -> bool:
    sent = sent_of(state, token)
    return sent is not None and sent.state is UploadState.LANDED and sent.sha256 == sha256


def upload_raw(world: World, state: State) -> State | None:
    """The lab's agent uploads the raw file as it is now: transfer has read all bytes, registry has not heard."""
    version = state.datasets[RAW].version
    if version is None or sent_of(state, 0, version.generation):
        return None
    true = world.raw[version.generation - 1]
    sent = Sent(0, version.generation, true, UploadState.LANDED)
    return state._replace(uploads=(*state.uploads, sent), objects=state.objects | {true})


def hear_landed(world: World, state: State, sent: Sent) -> State | None:
    """Registry hears UploadCompleted of a raw generation, perhaps long after another was registered."""
    return _prove(world, state, RAW, sent.generation, _whole(sent.sha256))


def read_again(world: World, state: State, i: int) -> State | None:
    """A suspect copy is read in full again; its bytes are what the store has under the version's hash."""
    version, copies = state.datasets[i].version, state.datasets[i].copies
    is_suspect = any(
        copy.repository == STORE.repository and copy.state is CopyState.SUSPECT for copy in copies
    )
    if version is None or version.sha256 not in state.objects or not is_suspect:
        return None
    return _prove(world, state, i, version.generation, _whole(version.sha256 or ""))


def read_at_lab(world: World, state: State) -> State | None:
    """The lab's agent has read the file where it lies, and says what it found."""
    version = state.datasets[RAW].version
    if version is None:
        return None
    true = world.raw[version.generation - 1]
    return _prove(world, state, RAW, version.generation, _whole(true), LAB.repository)


def _prove(
    world: World, state: State, i: int, generation: int, digests: Digests, repository: str = STORE.repository
) -> State | None:
    version, copies, made_by = state.datasets[i]
    if version is None or version.generation != generation:
        return None
    [old] = [copy for copy in copies if copy.repository == repository]
    proof = world.rules.prove(version, old.state, digests)
    new = tuple(replace(copy, state=proof.state) if copy is old else copy for copy in copies)
    proved = Dataset(proof.version, new, made_by)
    return _with(state, i, proved)._replace(was_read=state.was_read | {(i, generation)})


def register_again(world: World, state: State) -> State | None:
    """A rig registers the raw file anew, by register-file."""
    old = state.datasets[RAW]
    if old.version is None or old.version.generation >= len(world.raw):
        return None
    claim = Registration(1, world.claimed[old.version.generation])
    effect = world.rules.register(old.version, old.copies, claim, world.targets)
    return _take(spend(state, "registrations"), RAW, effect, 0)


def doubt(world: World, state: State, i: int, n: int) -> State | None:
    """A scrub fails on a verified copy: it is suspect until it is read again."""
    dataset = state.datasets[i]
    doubted: tuple[VersionCopy, ...] = tuple(
        replace(copy, state=after(copy.state, CopyFact.DOUBTED)) if copy is dataset.copies[n] else copy
        for copy in dataset.copies
    )
    if doubted == dataset.copies:
        return None
    return _with(spend(state, "doubts"), i, dataset._replace(copies=doubted))


def _whole(sha256: str) -> Digests:
    return Digests(size_bytes=1, sha256=sha256, md5=sha256)
