"""The policy: who may do what, and what a token leaves of it."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.common.permissions import SHARED, Principal, Target, in_scope, may, may_hand_on, may_on, reach_of
from libs.common.scopes import BadScope, Permission, Scope
from libs.common.visibility import Visibility, visibility

LAB, OTHER, OWNER, PROJECT, SECOND = uuid4(), uuid4(), uuid4(), uuid4(), uuid4()
_permissions = st.sampled_from(list(Permission))
_within = st.sampled_from([p for p in Permission if p is not Permission.PROVE])
_REPOSITORIES = [uuid4(), uuid4()]
scopes = st.one_of(
    st.builds(Scope, _within),
    st.builds(Scope, st.just(Permission.PROVE), repository_id=st.sampled_from(_REPOSITORIES)),
    st.builds(Scope, _within, lab_id=st.sampled_from([LAB, OTHER])),
    st.builds(Scope, _within, project_id=st.sampled_from([PROJECT, SECOND])),
)
targets = st.builds(
    Target,
    lab_id=st.sampled_from([None, LAB, OTHER]),
    project_ids=st.frozensets(st.sampled_from([PROJECT, SECOND])),
    responsible_user_id=st.sampled_from([None, OWNER]),
    animal_lab_id=st.sampled_from([None, LAB, OTHER]),
    repository_id=st.sampled_from([None, *_REPOSITORIES]),
)
people = st.builds(
    Principal,
    user_id=st.sampled_from([OWNER, uuid4()]),
    username=st.just("ada"),
    is_superuser=st.booleans(),
    is_stock_manager=st.booleans(),
    is_public=st.booleans(),
    labs=st.frozensets(st.sampled_from([LAB, OTHER])),
    delegators=st.frozensets(st.just(OWNER)),
    scopes=st.none() | st.frozensets(scopes, max_size=4),
)


@given(people, _permissions, targets)
def test_a_token_never_allows_what_its_user_may_not(
    principal: Principal, permission: Permission, target: Target
) -> None:
    if may_on(principal, permission, target) and permission not in {Permission.WORK, Permission.PROVE}:
        assert may_on(replace(principal, scopes=None), permission, target)


@given(people)
def test_a_public_reader_only_reads(principal: Principal) -> None:
    allowed = {permission for permission in Permission if may(principal, permission)}
    if principal.is_public:
        assert allowed <= {Permission.READ}
        assert not may_on(principal, Permission.WRITE, Target(LAB, responsible_user_id=principal.user_id))


@given(st.text())
def test_a_scope_is_read_as_it_is_written_or_refused(text: str) -> None:
    try:
        scope = Scope.parse(text)
    except BadScope:
        return
    assert str(scope) == text


@given(scopes)
def test_scopes_survive_being_written(scope: Scope) -> None:
    assert Scope.parse(str(scope)) == scope


def test_owner_delegate_and_stock_manager_edit_an_animal_of_another_lab() -> None:
    owner = Principal(OWNER, "owner")
    delegate = Principal(uuid4(), "delegate", delegators=frozenset({OWNER}))
    keeper = Principal(uuid4(), "keeper", is_stock_manager=True)
    stranger = Principal(uuid4(), "stranger", labs=frozenset({OTHER}))
    hers = Target(LAB, responsible_user_id=OWNER)
    callers = (owner, delegate, keeper, stranger)
    assert [may_on(principal, Permission.WRITE, hers) for principal in callers] == [True, True, True, False]


def test_visibility_has_no_public_constructor() -> None:
    with pytest.raises(TypeError):
        Visibility(everything=True, public_only=False, projects=frozenset(), labs=None, only_projects=None)


def test_a_token_narrowed_to_a_lab_sees_that_lab() -> None:
    principal = Principal(
        OWNER, "ada", is_superuser=True, scopes=frozenset({Scope(Permission.READ, lab_id=LAB)})
    )
    visible = visibility(principal)
    assert not visible.everything
    assert visible.labs == frozenset({LAB})


@given(people, _permissions, targets)
def test_a_caller_reaches_an_object_by_role_and_by_scope(
    principal: Principal, permission: Permission, target: Target
) -> None:
    reached = principal.scopes is None or any(
        scope.permission is permission
        and scope.lab_id in {None, target.lab_id}
        and scope.project_id in {None, *target.project_ids}
        and scope.repository_id in {None, target.repository_id}
        for scope in principal.scopes
    )
    member = principal.is_superuser or principal.is_stock_manager or target.lab_id in principal.labs
    person = target.responsible_user_id in {principal.user_id, *principal.delegators}
    by_role = {
        Permission.READ: True,
        Permission.WRITE: member or person or target.animal_lab_id in principal.labs,
        Permission.WORK: principal.is_superuser or principal.scopes is not None,
        Permission.PROVE: principal.scopes is not None,
        Permission.RELEASE: member,
        Permission.ADMIN: principal.is_superuser,
    }.get(permission, member or person)
    if principal.is_public and permission is not Permission.READ:
        by_role = False
    assert may_on(principal, permission, target) == (by_role and reached)


@given(people, _permissions, targets)
def test_a_permission_on_an_object_is_a_permission_somewhere(
    principal: Principal, permission: Permission, target: Target
) -> None:
    if may_on(principal, permission, target):
        assert may(principal, permission)


@given(people, _permissions, targets)
def test_no_role_widens_a_narrowed_token(
    principal: Principal, permission: Permission, target: Target
) -> None:
    narrowed = [scope for scope in principal.scopes or () if scope.lab_id or scope.project_id]
    outside = [s for s in narrowed if s.lab_id != target.lab_id and s.project_id not in target.project_ids]
    if principal.scopes is not None and len(outside) == len(principal.scopes):
        assert not may_on(principal, permission, target)


@given(people, _permissions)
def test_what_belongs_to_all_labs_is_out_of_reach_of_a_narrowed_token(
    principal: Principal, permission: Permission
) -> None:
    if principal.scopes is not None and Scope(permission) not in principal.scopes:
        assert not may_on(principal, permission, SHARED)


@given(people, targets)
def test_only_a_token_of_a_repository_proves_its_copies(principal: Principal, target: Target) -> None:
    if may_on(principal, Permission.PROVE, target):
        assert target.repository_id in {scope.repository_id for scope in principal.scopes or ()}


@given(people, _permissions, targets)
def test_a_statement_finds_what_the_rule_reaches(
    principal: Principal, permission: Permission, target: Target
) -> None:
    reach = reach_of(principal, permission)
    is_reached = reach is None or target.lab_id in reach.labs or bool(target.project_ids & reach.projects)
    if permission is not Permission.PROVE:
        assert is_reached == in_scope(principal, permission, target)


@given(people, scopes)
def test_what_may_be_handed_on_may_be_done(principal: Principal, scope: Scope) -> None:
    if may_hand_on(principal, scope) and scope.permission is not Permission.PROVE:
        assert may(principal, scope.permission)
