"""What a caller can see, as a value; `visible` turns it into SQL."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from libs.common.permissions import Principal, Reach, may_oversee, reach_of
from libs.common.scopes import Permission

_KEY = object()


@dataclass(frozen=True, slots=True)
class Visibility:
    """Which rows a caller can see. Only `visibility` makes one, so no query can forget it.

    `everything` for administrators; otherwise rows of private projects show only for `projects`, or with
    `every_project` to an administrator's narrowed token; `caller_id` is the person, whom no narrowing hides;
    `public_only` shows what a public tag or release covers and nothing else; `every_email` shows other people's e-mail
    addresses. `labs` and `only_projects`, where not None, are the limits of a narrowed token. `user_id`,
    `member_labs` and `work_labs` decide on jobs that have no session: the caller (None where a narrowed token hides
    the caller's own), the labs whose jobs the caller knows as a member, and those whose jobs the token may run
    (None: of all labs).
    """

    everything: bool
    public_only: bool
    projects: frozenset[UUID]
    labs: frozenset[UUID] | None
    only_projects: frozenset[UUID] | None
    every_project: bool = False
    every_email: bool = False
    # Not compared: people who see the same sessions share the tables that are kept for them.
    user_id: UUID | None = field(default=None, compare=False)
    member_labs: frozenset[UUID] = field(default=frozenset(), compare=False)
    work_labs: frozenset[UUID] | None = field(default=frozenset(), compare=False)
    caller_id: UUID | None = field(default=None, compare=False)
    key: object = None

    @property
    def caller(self) -> tuple[object, ...]:
        """What of the caller equality leaves out: to keep what differs by caller, compare both."""
        return (self.user_id, self.caller_id, self.member_labs, self.work_labs)

    def __post_init__(self) -> None:
        if self.key is not _KEY:
            raise TypeError("a Visibility is made by visibility() only")


def visibility(principal: Principal) -> Visibility:
    """What a caller may see."""
    reach = reach_of(principal, Permission.READ)
    work = (
        reach_of(principal, Permission.WORK)
        if principal.scopes is not None
        else Reach(frozenset(), frozenset())
    )
    member_labs = (
        principal.labs
        if reach is None
        else reach.labs
        if principal.is_superuser
        else principal.labs & reach.labs
    )
    return Visibility(
        everything=principal.is_superuser and reach is None,
        public_only=principal.is_public,
        projects=principal.projects,
        every_project=principal.is_superuser,
        every_email=may_oversee(principal),
        caller_id=principal.user_id,
        labs=None if reach is None else reach.labs,
        only_projects=None if reach is None else reach.projects,
        user_id=principal.user_id if reach is None else None,
        member_labs=member_labs,
        work_labs=None if work is None else work.labs,
        key=_KEY,
    )


def anonymous_visibility() -> Visibility:
    """What is public, for routes that need no account."""
    return Visibility(
        everything=False, public_only=True, projects=frozenset(), labs=None, only_projects=None, key=_KEY
    )


def system_visibility() -> Visibility:
    """Everything, for the system itself when it acts on an event or a deadline."""
    return Visibility(
        everything=True, public_only=False, projects=frozenset(), labs=None, only_projects=None, key=_KEY
    )
