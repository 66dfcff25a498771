"""Tags of datasets, and who may change them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from libs.common.permissions import Principal, Target, may_on
from libs.common.problem import Conflict, Forbidden
from libs.common.scopes import Permission


@dataclass(frozen=True)
class DatasetTag:
    """A tag that protects its datasets from changes, shows them to public readers, or neither."""

    id: UUID
    name: str
    protected: bool
    public: bool


def check_tag_deletable(name: str, *, is_used: bool, protects: bool, publishes: bool) -> None:
    """Raises Conflict for a tag that protects or publishes datasets: without it they would change who may do what."""
    if is_used and (protects or publishes):
        effect = "protects" if protects else "publishes"
        raise Conflict(
            f"The tag '{name}' {effect} datasets: set that to false, or remove it from them, before deleting it."
        )


def check_may_change_tags(
    by: Principal, target: Target, before: Mapping[str, DatasetTag], after: Mapping[str, DatasetTag]
) -> None:
    """Raises Forbidden: only administrators add or remove tags that protect or publish datasets."""
    tags = {**before, **after}
    changed = [tags[name] for name in before.keys() ^ after.keys()]
    if any(tag.protected or tag.public for tag in changed) and not may_on(by, Permission.ADMIN, target):
        raise Forbidden("Only administrators add or remove tags that protect or publish datasets.")
