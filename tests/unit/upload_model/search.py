"""Search all that can happen in a world, breadth first, and check every state that is reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from libs.common.problem import Problem
from libs.common.schemas.states import AttemptState, CopyState, JobState, UploadState
from services.registry.domain.copies import Place
from services.scheduler.domain.sites import POOL
from tests.support.job_states import FINISHED
from tests.unit.upload_model.actions import key_of, person, possible, steps
from tests.unit.upload_model.registry_actions import places, readable_sha256
from tests.unit.upload_model.world import LAB, LAST, MIDDLE, RAW, Budget, State, Work, World, sent_of

LOST: Final = "no acknowledged completion is lost"
ONCE: Final = "outputs are registered once"
LATE: Final = "a late token never publishes"
READ: Final = "verified means read in full"
THERE: Final = "what is referenced is there"
HELD: Final = "a token is held exactly while running"
START: Final = "no job starts before its inputs can be read"
ENDS_ONCE: Final = "an attempt ends once"
LIVE: Final = "from every state the jobs can end"
FRESH: Final = "in the end outputs are made of the inputs as they are"


class Broken(AssertionError):
    """An invariant does not hold; `path` names the steps that lead there, and is a shortest one."""

    def __init__(self, invariant: str, path: tuple[str, ...]) -> None:
        self.invariant, self.steps_taken = invariant, path
        super().__init__(f"{invariant}:\n  " + "\n  ".join(path))


@dataclass
class SearchResult:
    """What a search has seen."""

    states: int = 0
    transitions: int = 0
    ends: set[tuple[JobState, ...]] = field(default_factory=set)


def search(world: World, *, only: str | None = None, most: int = 400_000) -> SearchResult:
    """Visit every state of a world. Raises Broken with a shortest path; fails when the world is larger than `most`.

    `only`: look for breaches of this promise and of no other, since a wrong rule often breaks several.
    """
    judged = {only} if only else _INVARIANTS.keys() | {START, ENDS_ONCE, LIVE, FRESH}
    start = world.start()
    came: dict[State, tuple[State, str] | None] = {start: None}
    good: set[State] = set()
    result, queue = SearchResult(), [start]
    for state in queue:
        for name, after in steps(world, state):
            result.transitions += 1
            wrong = bad_step(world, state, name, after)
            if wrong in judged:
                raise Broken(wrong, (*_steps_to(came, state), name))
            if after not in came:
                came[after] = (state, name)
                queue.append(after)
                for invariant in broken(after) & judged:
                    raise Broken(invariant, _steps_to(came, after))
                assert len(queue) < most, "the world is too large to be searched whole"
    for state in queue:
        wrong = bad_end(world, state, good) if judged & {LIVE, FRESH} else ""
        if wrong in judged:
            raise Broken(wrong, _steps_to(came, state))
        if all(job is not None and job.state in FINISHED for job in state.jobs):
            result.ends.add(tuple(job.state for job in state.jobs if job is not None))
    result.states = len(queue)
    return result


def _steps_to(came: dict[State, tuple[State, str] | None], state: State) -> tuple[str, ...]:
    path: list[str] = []
    while (step := came[state]) is not None:
        state, name = step
        path.append(name)
    return tuple(reversed(path))


# --- what must hold in every state and at every step --------------------------------------------------------------


def broken(state: State) -> set[str]:
    """The invariants that do not hold in this state."""
    return {name for name, holds in _INVARIANTS.items() if not holds(state)}


def _no_acknowledged_completion_is_lost(state: State) -> bool:
    answers = dict(state.answers)
    for token in state.acknowledged:
        how = state.attempts[token - 1].state
        if how is AttemptState.REGISTERED and answers.get(token) is not True:
            return False
        if how is AttemptState.REFUSED and answers.get(token) is not False:
            return False
        if how not in {AttemptState.PUBLISHING, AttemptState.REGISTERED, AttemptState.REFUSED}:
            return False
    return True


def _outputs_are_registered_once(state: State) -> bool:
    return len(set(state.registered)) == len(state.registered)


def _a_late_token_never_publishes(state: State) -> bool:
    won = {AttemptState.PUBLISHING, AttemptState.REGISTERED}
    return all(state.attempts[token - 1].state in won for token in state.registered)


def _verified_means_read_in_full(state: State) -> bool:
    return all(
        (i, copy.generation) in state.was_read
        for i, dataset in enumerate(state.datasets)
        for copy in dataset.copies
        if copy.state is CopyState.VERIFIED
    )


def _what_is_referenced_is_there(state: State) -> bool:
    landed = {sent.sha256 for sent in state.uploads if sent.state is UploadState.LANDED}
    there = landed & state.objects
    registered = all(
        dataset.version is not None and dataset.version.sha256 in there
        for dataset in state.datasets
        for copy in dataset.copies
        if copy.place is Place.STORE and copy.state in {CopyState.VERIFIED, CopyState.SUSPECT}
    )
    waiting = [job for job in state.jobs if job is not None and job.state is JobState.PUBLISHING]
    return registered and all(
        sent is not None and sent.state is UploadState.LANDED and sent.sha256 in there
        for job in waiting
        for sent in [sent_of(state, job.token or 0)]
    )


def _a_token_is_held_exactly_while_running(state: State) -> bool:
    running = {attempt.token for attempt in state.attempts if not attempt.state.has_ended}
    tokens = {job.token for job in state.jobs if job is not None and job.token is not None}
    return running == tokens and all(
        (job.token is not None) == job.state.is_running for job in state.jobs if job is not None
    )


_INVARIANTS: dict[str, Callable[[State], bool]] = {
    LOST: _no_acknowledged_completion_is_lost,
    ONCE: _outputs_are_registered_once,
    LATE: _a_late_token_never_publishes,
    READ: _verified_means_read_in_full,
    THERE: _what_is_referenced_is_there,
    HELD: _a_token_is_held_exactly_while_running,
}


def bad_step(world: World, before: State, name: str, after: State) -> str:
    """What a single step did wrong: started a job on inputs that are not readable, or rewrote how an attempt ended."""
    if name.startswith("claim "):
        job, site = int(name.split()[1]), LAB.repository if name.endswith("at lab") else POOL
        row, sha256 = before.jobs[job], readable_sha256(before.datasets[job], site)
        is_stored = sha256 in before.objects or LAB.repository in places(before.datasets[job]) & {site}
        if row is None or sha256 is None or not is_stored or row.key != key_of(job, sha256):
            return START
    for old, new in zip(before.attempts, after.attempts, strict=False):
        if old.state.has_ended and old != new:
            return ENDS_ONCE
    return ""


# --- from every state a good end can be reached -------------------------------------------------------------------

_FAIR = (
    "registry hears",
    "scheduler hears",
    "agent uploads",
    "agent reads",
    "scrub reads",
    "look at graph",
    "complete",
    "land",
    "announce",
    "claim",
    "lease of",
)


def bad_end(world: World, state: State, good: set[State]) -> str:
    """Let only helpful things happen from here: every job must end, and on what the inputs are now.

    A person is asked only where a person, or a failure that only a person can judge, stopped a job.
    """
    path = [_calm(state)]
    while (now := path[-1]) not in good:
        following = _helpful(world, now)
        if following is None:
            if wrong := _end(world, now):
                return wrong
            break
        path.append(_calm(following, following.workers))
        if len(path) > 60:
            return LIVE
    good.update(path)
    return ""


_ALL_TOKENS = frozenset(range(20))
_ALL_GENERATIONS = frozenset((i, generation) for i in range(3) for generation in range(20))


def _calm(state: State, workers: tuple[Work | None, ...] = (None, None)) -> State:
    running = [
        w for w in workers if w is not None and state.attempts[w.token - 1].state is AttemptState.RUNNING
    ]
    workers = (*running, None, None)[:2]
    return state._replace(
        left=Budget(tokens=9, persons=9),
        workers=workers,
        to_sweep=frozenset(),
        acknowledged=_ALL_TOKENS,  # ghosts do not matter here, and full ones do not grow
        registered=(),
        was_read=_ALL_GENERATIONS,
    )


def _helpful(world: World, state: State) -> State | None:
    options = list(possible(world, state))
    for wish in _FAIR:
        for name, do in options:
            if not name.startswith(wish) or (wish == "lease of" and any(state.workers)):
                continue
            try:
                after = do(world, state)
            except Problem:
                continue
            if after is not None and after != state:
                return after
    for i, job in enumerate(state.jobs):
        if job is not None and (job.by_person or job.state in {JobState.ERRORED, JobState.ABANDONED}):
            return person(world, state, i, "release")
    return None


def _end(world: World, state: State) -> str:
    if any(job is None or job.state not in FINISHED for job in state.jobs):
        return LIVE
    if any(job is not None and job.reason.endswith("through /tasks.") for job in state.jobs):
        return ""  # a legacy runner's word stands, whatever the bytes are
    for job, (source, output) in enumerate(((RAW, MIDDLE), (MIDDLE, LAST))[: world.n_jobs]):
        source_version, made = state.datasets[source].version, state.datasets[output].version
        if source_version is None or made is None:
            return FRESH
        if not world.output_has_token and made.sha256 != world.made(job, 0, source_version.sha256 or ""):
            return FRESH
    return ""
