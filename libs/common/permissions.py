"""Who may do what: roles and scopes as values, and the policy as pure functions.

A member reads everything except private projects he is not in, and writes in the labs he belongs to now.
A public reader sees what a public tag covers. A token can only narrow what its user may do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID


class Permission(StrEnum):
    """What a route asks for; also the words of a token's scopes."""

    READ = "read"
    WRITE = "write"
    REGISTER = "register"
    TRANSFER = "transfer"
    WORK = "work"
    RELEASE = "release"
    ADMIN = "admin"


EVERYTHING: Final = frozenset(Permission)


class BadScope(ValueError):
    """A scope's text is not `<permission>`, `lab:<id>:<permission>` or `project:<id>:<permission>`."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One thing a token allows, everywhere or within one lab or project."""

    permission: Permission
    lab_id: UUID | None = None
    project_id: UUID | None = None

    @classmethod
    def parse(cls, text: str) -> Scope:
        """Read a scope's text.

        >>> Scope.parse("register").permission
        <Permission.REGISTER: 'register'>
        >>> Scope.parse("lab:00000000-0000-4000-8000-000000000001:write").lab_id
        UUID('00000000-0000-4000-8000-000000000001')
        """
        match text.split(":"):
            case [word] if word in EVERYTHING:
                return cls(Permission(word))
            case ["lab", which, word] if word in EVERYTHING:
                return cls(Permission(word), lab_id=_uuid(which, text))
            case ["project", which, word] if word in EVERYTHING:
                return cls(Permission(word), project_id=_uuid(which, text))
        raise BadScope(text)

    def __str__(self) -> str:
        if self.lab_id:
            return f"lab:{self.lab_id}:{self.permission}"
        if self.project_id:
            return f"project:{self.project_id}:{self.permission}"
        return str(self.permission)


def _uuid(which: str, text: str) -> UUID:
    try:
        return UUID(which)
    except ValueError:
        raise BadScope(text) from None


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking: what the gateway has verified, ids and scopes only.

    `labs` are those of current memberships, `delegators` the people whose subjects this one may edit.
    `scopes` None means all that the user may do (a log-in), else what the token was made for; `until` is when the
    token ends, None for one that does not. `token_id` and `address` tell clients of one person apart: the token that
    was shown, and the network address that the gateway saw; neither decides what the caller may do.
    """

    user_id: UUID
    username: str
    is_superuser: bool = False
    is_stock_manager: bool = False
    is_public: bool = False
    labs: frozenset[UUID] = frozenset()
    projects: frozenset[UUID] = frozenset()
    delegators: frozenset[UUID] = frozenset()
    scopes: frozenset[Scope] | None = None
    until: datetime | None = None
    token_id: UUID | None = None
    address: str = ""


def may(who: Principal, permission: Permission, lab_id: UUID | None = None) -> bool:
    """Whether a caller has a permission, in one lab or (without `lab_id`) somewhere at all.

    >>> from uuid import uuid4
    >>> lab, other = uuid4(), uuid4()
    >>> member = Principal(uuid4(), "ada", labs=frozenset({lab}))
    >>> may(member, Permission.WRITE, lab), may(member, Permission.WRITE, other)
    (True, False)
    >>> may(member, Permission.ADMIN)
    False
    """
    return _role_allows(who, permission, lab_id) and _scopes_allow(who, permission, lab_id)


@dataclass(frozen=True, slots=True)
class Target:
    """What an object belongs to, as far as it decides who may change it: its lab, its projects, its person.

    The person is an animal's responsible user for all that hangs on it, and the caller for the caller's own records.
    """

    lab_id: UUID | None = None
    project_ids: frozenset[UUID] = frozenset()
    responsible_user_id: UUID | None = None
    is_shared: bool = False


# What belongs to all labs, such as a vocabulary: any member may, but with no token that is narrowed.
SHARED: Final = Target(is_shared=True)
_OF_PERSON: Final = frozenset({Permission.WRITE, Permission.REGISTER, Permission.TRANSFER})


def may_on(who: Principal, permission: Permission, target: Target) -> bool:
    """Whether a caller has a permission on an object: the role reaches it, and so does a scope of the token.

    A role reaches the labs of one's memberships, and the animals of oneself and of those who named one as delegate. It
    never widens a scope: a token for a lab or a project reaches what is in that lab or project, whoever made it.

    >>> from dataclasses import replace
    >>> from uuid import uuid4
    >>> lab, other, project = uuid4(), uuid4(), uuid4()
    >>> ada = Principal(uuid4(), "ada", labs=frozenset({lab}))
    >>> may_on(ada, Permission.WRITE, Target(lab)), may_on(ada, Permission.WRITE, Target(other))
    (True, False)
    >>> hers = Target(other, responsible_user_id=ada.user_id)
    >>> may_on(ada, Permission.REGISTER, hers), may_on(ada, Permission.RELEASE, hers)
    (True, False)
    >>> narrow = replace(ada, scopes=frozenset({Scope(Permission.REGISTER, lab_id=lab)}))
    >>> may_on(narrow, Permission.REGISTER, hers), may_on(narrow, Permission.REGISTER, Target(lab))
    (False, True)
    >>> narrow = replace(ada, scopes=frozenset({Scope(Permission.WRITE, project_id=project)}))
    >>> may_on(narrow, Permission.WRITE, Target(lab)), may_on(narrow, Permission.WRITE, SHARED)
    (False, False)
    >>> may_on(narrow, Permission.WRITE, Target(lab, frozenset({project})))
    True
    """
    return _role_reaches(who, permission, target) and (
        who.scopes is None or any(_scope_reaches(scope, permission, target) for scope in who.scopes)
    )


def _role_reaches(who: Principal, permission: Permission, target: Target) -> bool:
    if not _role_allows(who, permission, None):
        return False
    in_its_lab = permission in {Permission.READ, Permission.WORK} or target.lab_id in who.labs
    if target.is_shared or who.is_superuser or who.is_stock_manager or in_its_lab:
        return True
    return permission in _OF_PERSON and target.responsible_user_id in {who.user_id, *who.delegators}


def _scope_reaches(scope: Scope, permission: Permission, target: Target) -> bool:
    if scope.permission is not permission:
        return False
    if scope.project_id is not None and scope.project_id not in target.project_ids:
        return False
    return scope.lab_id is None or scope.lab_id == target.lab_id


def _role_allows(who: Principal, permission: Permission, lab_id: UUID | None) -> bool:
    if permission is Permission.READ:
        return True
    if who.is_public:
        return False
    if who.is_superuser:
        return True
    if permission is Permission.ADMIN:
        return False
    if permission is Permission.WORK:
        # A worker is a machine with a token made for it: no log-in of a person claims jobs by accident.
        return who.scopes is not None
    return lab_id is None or lab_id in who.labs or who.is_stock_manager


def _scopes_reach(who: Principal, permission: Permission, lab_id: UUID | None) -> bool:
    """Whether a token reaches as far as rows of this lab: it has no scopes, one for everywhere, or one for the lab."""
    return who.scopes is None or any(
        scope.permission is permission
        and scope.project_id is None
        and (scope.lab_id is None or scope.lab_id == lab_id)
        for scope in who.scopes
    )


def _scopes_allow(who: Principal, permission: Permission, lab_id: UUID | None) -> bool:
    if who.scopes is None:
        return True
    return any(
        scope.permission is permission and (scope.lab_id is None or lab_id is None or scope.lab_id == lab_id)
        for scope in who.scopes
    )


def may_hand_on(who: Principal, scope: Scope) -> bool:
    """Whether a caller's credential reaches as far as a scope, so that a token with it would be no wider.

    >>> from uuid import uuid4
    >>> lab, rig = uuid4(), Principal(uuid4(), "rig")
    >>> narrow = Principal(uuid4(), "rig", scopes=frozenset({Scope(Permission.WRITE, lab_id=lab)}))
    >>> may_hand_on(rig, Scope(Permission.WRITE)), may_hand_on(narrow, Scope(Permission.WRITE))
    (True, False)
    >>> may_hand_on(narrow, Scope(Permission.WRITE, lab_id=lab))
    True
    """
    return who.scopes is None or scope in who.scopes or Scope(scope.permission) in who.scopes


def may_edit_subject(who: Principal, lab_id: UUID | None, responsible_user_id: UUID | None) -> bool:
    """Whether a caller may change an animal and what hangs on it: lab, owner, delegate or stock manager.

    A token narrowed to a lab writes there only, whoever made it; one narrowed to a project writes no animals.
    """
    if not may(who, Permission.WRITE) or not _scopes_reach(who, Permission.WRITE, lab_id):
        return False
    if (
        who.is_superuser
        or who.is_stock_manager
        or (lab_id is not None and may(who, Permission.WRITE, lab_id))
    ):
        return True
    return responsible_user_id is not None and responsible_user_id in {who.user_id, *who.delegators}


_KEY = object()


@dataclass(frozen=True, slots=True)
class Visibility:
    """Which rows a caller may know of. Only `visibility` makes one, so no query can forget to ask.

    `everything` for administrators; otherwise rows of private projects show only for `projects`;
    `public_only` shows what a public tag covers and nothing else. `labs` and `only_projects`, where not None,
    are the limits of a narrowed token. `user_id`, `member_labs` and `work_labs` decide on jobs that have no session:
    the caller (None where a narrowed token hides the caller's own), the labs whose jobs the caller knows as a member,
    and those whose jobs the token may run (None: of all labs).
    """

    everything: bool
    public_only: bool
    projects: frozenset[UUID]
    labs: frozenset[UUID] | None
    only_projects: frozenset[UUID] | None
    user_id: UUID | None = None
    member_labs: frozenset[UUID] = frozenset()
    work_labs: frozenset[UUID] | None = frozenset()
    key: object = None

    def __post_init__(self) -> None:
        if self.key is not _KEY:
            raise TypeError("a Visibility is made by permissions.visibility() only")


def visibility(who: Principal) -> Visibility:
    """What a caller may see."""
    reading = [scope for scope in who.scopes or () if scope.permission is Permission.READ]
    unlimited = who.scopes is None or any(s.lab_id is None and s.project_id is None for s in reading)
    in_labs = frozenset(s.lab_id for s in reading if s.lab_id)
    working = [s for s in who.scopes or () if s.permission is Permission.WORK and s.project_id is None]
    everywhere = any(s.lab_id is None for s in working)
    return Visibility(
        everything=who.is_superuser and unlimited,
        public_only=who.is_public,
        projects=who.projects,
        labs=None if unlimited else in_labs,
        only_projects=None if unlimited else frozenset(s.project_id for s in reading if s.project_id),
        user_id=who.user_id if unlimited else None,
        member_labs=who.labs if unlimited else in_labs if who.is_superuser else who.labs & in_labs,
        work_labs=None if everywhere else frozenset(s.lab_id for s in working if s.lab_id),
        key=_KEY,
    )


def system_visibility() -> Visibility:
    """What the system itself sees when it acts on an event or a deadline: everything."""
    return Visibility(
        everything=True, public_only=False, projects=frozenset(), labs=None, only_projects=None, key=_KEY
    )
