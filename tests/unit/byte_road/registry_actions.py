"""What registry does in a world, and what the raw file's agent and its readers do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial

from libs.common.schemas.states import CopyState, UploadState
from services.registry.domain.alyx_calls import Effect, Registration
from services.registry.domain.copies import Copy, CopyFact, Read, after, is_readable
from services.registry.domain.publication import Answer, PublishedOutput
from services.scheduler.domain.graph import DatasetFact
from tests.unit.byte_road.world import NAMES, RAW, STORE, Dataset, Sent, State, World, sent_of, spend


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
    version = state.datasets[RAW].version
    if version is not None:
        yield f"agent uploads raw {version.generation}", upload_raw
    for sent in state.uploads:
        if not sent.token:
            yield f"registry hears of raw {sent.generation}", partial(hear_landed, sent=sent)
    if state.left.registrations:
        yield "rig registers raw again", register_again
    if state.left.doubts:
        for i, _ in enumerate(state.datasets):
            yield f"scrub doubts {NAMES[i]}", partial(doubt, i=i)
    for i, _ in enumerate(state.datasets):
        yield f"scrub reads {NAMES[i]}", partial(read_again, i=i)


@cache
def facts(datasets: tuple[Dataset, ...]) -> tuple[DatasetFact, ...]:
    """What the published views say of the session's datasets; an absent one is unreadable and has no SHA-256."""
    return tuple(
        DatasetFact("", NAMES[i], d.version.sha256, is_readable(d.version, list(d.copies)), bool(d.made_by))
        for i, d in enumerate(datasets)
        if d.version is not None
    )


def readable_sha256(dataset: Dataset) -> str | None:
    """The SHA-256 of a dataset that a job may read now."""
    version = dataset.version
    return version.sha256 if version is not None and is_readable(version, list(dataset.copies)) else None


def _with(state: State, i: int, dataset: Dataset) -> State:
    return state._replace(datasets=(*state.datasets[:i], dataset, *state.datasets[i + 1 :]))


def _take(state: State, i: int, effect: Effect, made_by: int) -> State:
    """Write an effect. Copies of older generations are history that nothing here asks for again."""
    copies = tuple(copy for copy in effect.copies if copy.generation == effect.version.generation)
    return _with(state, i, Dataset(effect.version, copies, made_by))


def hear_publishing(world: World, state: State, token: int, objection: str = "") -> State | None:
    """Registry hears that an attempt wants its outputs registered; it decides and writes in one transaction."""
    attempt = state.attempts[token - 1]
    outputs = []
    for output in attempt.outputs:
        sent = sent_of(state, output.upload_id.int // 100 - 10)
        seen = (sent.state, sent.sha256, sent.token) if sent else (None, None, None)
        outputs.append(PublishedOutput(output.name, output.sha256, *seen))
    was_answered = token in dict(state.answers)
    decision = world.rules.decide(
        token, attempt.state, outputs, was_answered=was_answered, objection=objection
    )
    if objection:
        state = spend(state, "refusals")
    if decision.answer is Answer.REFUSE:
        return state._replace(answers=(*state.answers, (token, False)))
    if decision.answer is not Answer.REGISTER:
        return None
    for output in attempt.outputs:
        i = NAMES.index(output.name)
        old = state.datasets[i]
        effect = world.rules.publish(old.version, old.copies, _whole(output.sha256), STORE)
        state = _take(state, i, effect, token)
        if _was_read(state, token, output.sha256):
            state = state._replace(read=state.read | {(i, effect.version.generation)})
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
    if version is None or version.sha256 not in state.objects or copies[0].state is not CopyState.SUSPECT:
        return None
    return _prove(world, state, i, version.generation, _whole(version.sha256 or ""))


def _prove(world: World, state: State, i: int, generation: int, read: Read) -> State | None:
    version, copies, made_by = state.datasets[i]
    if version is None or version.generation != generation:
        return None
    proof = world.rules.prove(version, copies[0].state, read)
    proved = Dataset(proof.version, (replace(copies[0], state=proof.state),), made_by)
    return _with(state, i, proved)._replace(read=state.read | {(i, generation)})


def register_again(world: World, state: State) -> State | None:
    """A rig registers the raw file anew, by register-file."""
    old = state.datasets[RAW]
    if old.version is None or old.version.generation >= len(world.raw):
        return None
    said = Registration(1, world.claimed[old.version.generation])
    effect = world.rules.register(old.version, old.copies, said, [STORE])
    return _take(spend(state, "registrations"), RAW, effect, 0)


def doubt(world: World, state: State, i: int) -> State | None:
    """A scrub fails on a verified copy: it is suspect until it is read again."""
    dataset = state.datasets[i]
    if not dataset.copies:
        return None
    doubted: tuple[Copy, ...] = tuple(
        replace(copy, state=after(copy.state, CopyFact.DOUBTED)) for copy in dataset.copies
    )
    if doubted == dataset.copies:
        return None
    return _with(spend(state, "doubts"), i, dataset._replace(copies=doubted))


def _whole(sha256: str) -> Read:
    return Read(1, sha256, sha256)
