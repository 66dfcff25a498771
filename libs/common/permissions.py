"""Who may do what: roles and scopes as values, and the policy as pure functions.

A member reads everything except private projects he is not in, and writes in the labs he belongs to now.
A public reader sees what a public tag or release covers. A token can only narrow what its user may do.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from libs.common.scopes import Permission, Scope


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller, as verified by the gateway: ids and scopes only.

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


def may(principal: Principal, permission: Permission) -> bool:
    """Whether a caller has a permission somewhere at all: `requires` checks this. On which object, `may_on` decides.

    >>> from uuid import uuid4
    >>> may(Principal(uuid4(), "ada"), Permission.WRITE), may(Principal(uuid4(), "ada"), Permission.ADMIN)
    (True, False)
    """
    return _role_allows(principal, permission) and (
        principal.scopes is None or any(scope.permission is permission for scope in principal.scopes)
    )


def is_read_only(principal: Principal) -> bool:
    """Whether a caller's token allows nothing but reading."""
    return principal.scopes is not None and all(
        scope.permission is Permission.READ for scope in principal.scopes
    )


@dataclass(frozen=True, slots=True)
class Target:
    """What an object belongs to, as far as it decides who may change it: its lab, its projects, its person.

    The person is an animal's responsible user for all that hangs on it, and the caller for the caller's own records.
    `animal_lab_id` is the lab of a session's animal, whose members may change the session wherever it was made.
    """

    lab_id: UUID | None = None
    project_ids: frozenset[UUID] = frozenset()
    responsible_user_id: UUID | None = None
    animal_lab_id: UUID | None = None
    repository_id: UUID | None = None
    is_shared: bool = False


# What belongs to all labs, such as a vocabulary: any member may, but with no token that is narrowed.
SHARED: Final = Target(is_shared=True)
_OF_PERSON: Final = frozenset({Permission.WRITE, Permission.REGISTER, Permission.TRANSFER})


def may_on(principal: Principal, permission: Permission, target: Target) -> bool:
    """Whether a caller has a permission on an object: the role reaches it, and so does a scope of the token.

    A role reaches the labs of one's memberships, and the animals of oneself and of those who named one as delegate. It
    never widens a scope: a token for a lab or a project reaches only what is in that lab or project.

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
    return _role_reaches(principal, permission, target) and in_scope(principal, permission, target)


def in_scope(principal: Principal, permission: Permission, target: Target) -> bool:
    """Whether a token reaches an object, whatever its user's role is: no change takes an object out of its reach."""
    return principal.scopes is None or any(
        _scope_reaches(scope, permission, target) for scope in principal.scopes
    )


def may_oversee(principal: Principal) -> bool:
    """Whether a caller reads what only administrators read: audit logs, failed events, metrics, others' addresses.

    The role alone is not enough: a token needs `admin` among its scopes, and none that narrows what it reads.

    >>> from uuid import uuid4
    >>> def token(*scopes): return Principal(uuid4(), "root", is_superuser=True, scopes=frozenset(scopes))
    >>> narrow = Scope(Permission.READ, lab_id=uuid4())
    >>> admin, reading = Scope(Permission.ADMIN), Scope(Permission.READ)
    >>> [may_oversee(token(*scopes)) for scopes in ((admin,), (admin, reading), (admin, narrow), (reading,))]
    [True, True, False, False]
    """
    reach = reach_of(principal, Permission.READ)
    is_narrowed = reach is not None and bool(reach.labs or reach.projects)
    return may_on(principal, Permission.ADMIN, SHARED) and not is_narrowed


@dataclass(frozen=True, slots=True)
class Reach:
    """The labs and the projects that the scopes of one permission name."""

    labs: frozenset[UUID]
    projects: frozenset[UUID]


def reach_of(principal: Principal, permission: Permission) -> Reach | None:
    """Where the scopes of a permission reach, for statements that look for what a caller may work on.

    None where they are not narrowed. An object is within reach exactly where `in_scope` says so.

    >>> from uuid import uuid4
    >>> rig = Principal(uuid4(), "rig", scopes=frozenset({Scope(Permission.WORK, lab_id=UUID(int=1))}))
    >>> reach_of(rig, Permission.WORK).labs, reach_of(rig, Permission.READ).labs
    (frozenset({UUID('00000000-0000-0000-0000-000000000001')}), frozenset())
    """
    scopes = [scope for scope in principal.scopes or () if scope.permission is permission]
    if principal.scopes is None or any(scope == Scope(permission) for scope in scopes):
        return None
    return Reach(
        frozenset(scope.lab_id for scope in scopes if scope.lab_id),
        frozenset(scope.project_id for scope in scopes if scope.project_id),
    )


def _role_allows(principal: Principal, permission: Permission) -> bool:
    """Whether a caller's role has a permission somewhere."""
    if permission is Permission.READ:
        return True
    if principal.is_public:
        return False
    if permission is Permission.PROVE:
        return principal.scopes is not None  # only for the machine that holds the file, never for a person
    if principal.is_superuser:
        return True
    # A worker is a machine with a token made for it: a person's log-in cannot claim jobs by accident.
    return (
        principal.scopes is not None if permission is Permission.WORK else permission is not Permission.ADMIN
    )


def _role_reaches(principal: Principal, permission: Permission, target: Target) -> bool:
    if not _role_allows(principal, permission):
        return False
    if (
        target.is_shared
        or principal.is_superuser
        or principal.is_stock_manager
        or target.lab_id in principal.labs
    ):
        return True
    if permission in {Permission.READ, Permission.WORK, Permission.PROVE}:
        return True
    if permission is Permission.WRITE and target.animal_lab_id in principal.labs:
        return True
    return permission in _OF_PERSON and target.responsible_user_id in {
        principal.user_id,
        *principal.delegators,
    }


def _scope_reaches(scope: Scope, permission: Permission, target: Target) -> bool:
    if scope.permission is not permission:
        return False
    if scope.project_id is not None and scope.project_id not in target.project_ids:
        return False
    if permission is Permission.PROVE and (scope.repository_id is None or target.repository_id is None):
        return False
    if scope.repository_id is not None and scope.repository_id != target.repository_id:
        return False
    return scope.lab_id is None or scope.lab_id == target.lab_id


def acts_as_owner(principal: Principal) -> bool:
    """Whether a caller may change how the account signs in: neither by a narrowed token nor for a shared account.

    >>> from uuid import uuid4
    >>> ada = Principal(uuid4(), "ada")
    >>> narrow = Principal(uuid4(), "ada", scopes=frozenset({Scope(Permission.READ)}))
    >>> acts_as_owner(ada), acts_as_owner(narrow), acts_as_owner(Principal(uuid4(), "all", is_public=True))
    (True, False, False)
    """
    return principal.scopes is None and not principal.is_public


def may_hand_on(principal: Principal, scope: Scope) -> bool:
    """Whether a caller has what a scope allows, by role and by the credential in use, so that a token may carry it.

    Only administrators create tokens for machines that verify their own files.

    >>> from dataclasses import replace
    >>> from uuid import uuid4
    >>> lab = uuid4()
    >>> rig = Principal(uuid4(), "rig", labs=frozenset({lab}))
    >>> narrow = replace(rig, scopes=frozenset({Scope(Permission.WRITE, lab_id=lab)}))
    >>> may_hand_on(rig, Scope(Permission.WRITE)), may_hand_on(narrow, Scope(Permission.WRITE))
    (True, False)
    >>> may_hand_on(narrow, Scope(Permission.WRITE, lab_id=lab)), may_hand_on(rig, Scope(Permission.ADMIN))
    (True, False)
    """
    carried = (
        principal.scopes is None or scope in principal.scopes or Scope(scope.permission) in principal.scopes
    )
    if scope.permission is Permission.PROVE:
        return carried and principal.is_superuser
    if scope.lab_id is not None:
        return carried and _role_reaches(principal, scope.permission, Target(scope.lab_id))
    return carried and _role_allows(principal, scope.permission)


# What only administrators hand out, and what no role of a person has by itself.
_OF_MACHINES: Final = frozenset({Permission.WORK, Permission.PROVE})


def scopes_in_force(scopes: Iterable[Scope], is_superuser: bool) -> frozenset[Scope]:
    """What a token allows now: its maker may have stopped being an administrator since it was made.

    The other permissions are asked of the maker's role at each request; these are no role's, so they end here.

    >>> scopes = Scope(Permission.READ), Scope(Permission.WORK)
    >>> [str(scope) for scope in scopes_in_force(scopes, is_superuser=False)]
    ['read']
    """
    return frozenset(scope for scope in scopes if is_superuser or scope.permission not in _OF_MACHINES)
