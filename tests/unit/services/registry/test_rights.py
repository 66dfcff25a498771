"""Who may retire copies, change tags, and count downloads; what a repository may become."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from libs.common.permissions import Principal, Target
from libs.common.problem import BadRequest, Conflict, Forbidden
from libs.common.scopes import Permission, Scope
from services.registry.domain.downloads import check_may_count_for, check_within_scope, owner_of_counters
from services.registry.domain.repositories import check_data_url, check_store_change
from services.registry.domain.rights import may_doubt, may_retire
from services.registry.domain.tags import DatasetTag, check_may_change_tags

LAB, OTHER_LAB, REPOSITORY = (uuid4() for _ in range(3))
MEMBER = Principal(uuid4(), "ada", labs=frozenset({LAB}))
ADMINISTRATOR = Principal(uuid4(), "root", is_superuser=True)
AGENT = replace(MEMBER, scopes=frozenset({Scope(Permission.PROVE, lab_id=LAB, repository_id=REPOSITORY)}))


@pytest.mark.parametrize(
    ("by", "lab_id", "is_allowed"),
    [
        (MEMBER, LAB, True),
        (MEMBER, OTHER_LAB, False),
        (MEMBER, None, False),
        (ADMINISTRATOR, None, True),
    ],
)
def test_members_retire_copies_of_their_labs_and_administrators_those_without_a_lab(
    by: Principal, lab_id: UUID | None, is_allowed: bool
) -> None:
    assert may_retire(by, Target(lab_id)) is is_allowed


def test_the_responsible_user_of_a_subject_does_not_retire_copies_of_another_lab() -> None:
    assert not may_retire(MEMBER, Target(OTHER_LAB, responsible_user_id=MEMBER.user_id))


def test_a_verified_copy_is_doubted_by_those_that_may_retire_it_and_by_the_agent_of_its_repository() -> None:
    assert may_doubt(MEMBER, Target(LAB), REPOSITORY)
    assert may_doubt(AGENT, Target(LAB), REPOSITORY)
    assert not may_doubt(AGENT, Target(LAB), uuid4())


def a_tag(name: str, *, protected: bool = False, public: bool = False) -> dict[str, DatasetTag]:
    return {name: DatasetTag(uuid4(), name, protected, public)}


PLAIN, PROTECTING, PUBLISHING = a_tag("draft"), a_tag("paper", protected=True), a_tag("open", public=True)


def test_a_member_adds_and_removes_plain_tags() -> None:
    check_may_change_tags(MEMBER, Target(LAB), {}, PLAIN)
    check_may_change_tags(MEMBER, Target(LAB), PLAIN, {})


@pytest.mark.parametrize("tag", [PROTECTING, PUBLISHING])
def test_only_administrators_add_and_remove_tags_that_protect_or_publish(tag: dict[str, DatasetTag]) -> None:
    for before, after in (({}, tag), (tag, {})):
        check_may_change_tags(ADMINISTRATOR, Target(LAB), before, after)
        with pytest.raises(Forbidden):
            check_may_change_tags(MEMBER, Target(LAB), before, after)


def test_a_protecting_tag_that_stays_is_no_change() -> None:
    check_may_change_tags(MEMBER, Target(LAB), PROTECTING, PROTECTING | PLAIN)


def test_only_administrators_count_downloads_of_others() -> None:
    check_may_count_for(MEMBER, "ada")
    check_may_count_for(ADMINISTRATOR, "ada")
    with pytest.raises(Forbidden):
        check_may_count_for(MEMBER, "bob")


def test_a_user_counts_downloads_of_any_lab_and_a_narrowed_token_those_of_its_lab() -> None:
    check_within_scope(MEMBER, [Target(OTHER_LAB)])
    token = replace(MEMBER, scopes=frozenset({Scope(Permission.WRITE, lab_id=LAB)}))
    check_within_scope(token, [Target(LAB)])
    with pytest.raises(Forbidden):
        check_within_scope(token, [Target(LAB), Target(OTHER_LAB)])


def test_counters_are_shown_to_their_user_and_all_to_administrators() -> None:
    assert owner_of_counters(MEMBER) == MEMBER.user_id
    assert owner_of_counters(ADMINISTRATOR) is None


@pytest.mark.parametrize("url", [None, "/data/", "http://data.lab/", "https://data.lab/"])
def test_an_address_that_clients_can_read_below(url: str | None) -> None:
    check_data_url(url)


@pytest.mark.parametrize("url", ["", "data.lab", "ftp://data.lab/", "/files/"])
def test_any_other_address_is_refused(url: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        check_data_url(url)
    assert list(refusal.value.fields) == ["data_url"]


def test_the_store_of_a_repository_changes_only_while_it_has_no_copies() -> None:
    check_store_change("agent", "local", has_copies=False)
    check_store_change("agent", "agent", has_copies=True)
    with pytest.raises(Conflict):
        check_store_change(None, "local", has_copies=True)
