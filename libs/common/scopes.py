"""What a token may be made for: permissions, everywhere or within one lab, project or repository."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID


class Permission(StrEnum):
    """What a route requires; also the permissions in a token's scopes."""

    READ = "read"
    WRITE = "write"
    REGISTER = "register"
    TRANSFER = "transfer"
    WORK = "work"
    RELEASE = "release"
    ADMIN = "admin"
    PROVE = "prove"


EVERYTHING: Final = frozenset(Permission)


class BadScope(ValueError):
    """A scope's text is not `<permission>` or `<lab, project or repository>:<id>:<permission>`."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One thing a token allows, everywhere or within one lab, project or repository.

    `prove` is the permission of the machine that holds a repository's files, and is always bound to that repository.
    """

    permission: Permission
    lab_id: UUID | None = None
    project_id: UUID | None = None
    repository_id: UUID | None = None

    @classmethod
    def parse(cls, text: str) -> Scope:
        """Read a scope's text.

        >>> Scope.parse("register").permission
        <Permission.REGISTER: 'register'>
        >>> Scope.parse("lab:00000000-0000-4000-8000-000000000001:write").lab_id
        UUID('00000000-0000-4000-8000-000000000001')
        """
        within, name, word = split_scope(text)
        permission = Permission(word)
        if within is None:
            return cls(permission)
        try:
            return cls(permission, **{f"{within}_id": UUID(name)})
        except ValueError:
            raise BadScope(text) from None

    def __str__(self) -> str:
        if self.lab_id:
            return f"lab:{self.lab_id}:{self.permission}"
        if self.project_id:
            return f"project:{self.project_id}:{self.permission}"
        if self.repository_id:
            return f"repository:{self.repository_id}:{self.permission}"
        return str(self.permission)


def split_scope(text: str) -> tuple[str | None, str, str]:
    """What a scope is within, its name or id, and the permission. Names may hold colons. Raises BadScope.

    >>> split_scope("read"), split_scope("project:a:b:write")
    ((None, '', 'read'), ('project', 'a:b', 'write'))
    """
    within, _, rest = text.partition(":")
    if within in EVERYTHING and not rest and text == within and within != Permission.PROVE:
        return None, "", within
    name, _, word = rest.rpartition(":")
    is_whole = bool(name) and word in EVERYTHING
    if not is_whole or within not in {"lab", "project", "repository"}:
        raise BadScope(text)
    if (within == "repository") != (word == Permission.PROVE):
        raise BadScope(text)
    return within, name, word
