"""The fields of a published subject stay as they are: earlier versions refuse a field that they do not know."""

from __future__ import annotations

from typing import get_args

import pytest

from libs.common.events import Event

KINDS = sorted(
    {kind for kind in Event.kinds.values() if kind.__module__ == Event.__module__},
    key=lambda kind: kind.subject,
)

# By subject, former ones included. An event that needs another field gets a new subject, and its present one becomes
# an alias: earlier versions of a service then leave it to the new one during an upgrade, instead of parking it.
FIELDS = {
    "cingulum.metadata.sessions.deleted.v1": {
        "session_ids": "list[UUID]",
    },
    "cingulum.metadata.sessions.merged.v1": {
        "into": "UUID",
        "merge_id": "UUID",
        "session_ids": "list[UUID]",
    },
    "cingulum.metadata.sessions.restored.v1": {
        "session_ids": "list[UUID]",
    },
    "cingulum.metadata.sessions.unmerged.v1": {
        "into": "UUID",
        "merge_id": "UUID",
        "session_ids": "list[UUID]",
    },
    "cingulum.registry.copy.verified.v1": {
        "copy_id": "UUID",
        "dataset_id": "UUID",
        "session_id": "UUID | None",
        "sha256": "str",
    },
    "cingulum.registry.datasets.moved.v1": {
        "dataset_ids": "list[UUID]",
        "session_ids": "list[UUID]",
    },
    "cingulum.registry.files.registered.v1": {
        "dataset_ids": "list[UUID]",
        "session_id": "UUID | None",
        "user_id": "UUID | None",
    },
    "cingulum.registry.files.registered.v2": {
        "dataset_ids": "list[UUID]",
        "only_added": "bool",
        "session_id": "UUID | None",
        "user_id": "UUID | None",
    },
    "cingulum.registry.outputs.refused.v1": {
        "job_id": "UUID",
        "reason": "str",
        "token": "int",
    },
    "cingulum.registry.outputs.registered.v1": {
        "dataset_ids": "list[UUID]",
        "job_id": "UUID",
        "token": "int",
    },
    "cingulum.registry.proof.ordered.v1": {
        "copy_ids": "list[UUID]",
    },
    "cingulum.scheduler.job.completed.v1": {
        "dataset_ids": "list[UUID]",
        "job_id": "UUID",
        "session_id": "UUID | None",
        "task": "str",
    },
    "cingulum.scheduler.job.publishing.v1": {
        "job_id": "UUID",
        "token": "int",
    },
    "cingulum.transfer.object.damaged.v1": {
        "found_sha256": "str",
        "sha256": "str",
        "store": "str",
    },
    "cingulum.transfer.upload.completed.v1": {
        "md5": "str",
        "sha256": "str",
        "size_bytes": "int",
        "upload_id": "UUID",
    },
}


def _type(annotation: object) -> str:
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation.__name__
    return str(annotation).replace("uuid.", "")


@pytest.mark.parametrize("kind", KINDS)
def test_a_published_subject_has_the_fields_it_was_published_with(kind: type[Event]) -> None:
    fields = {name: _type(field.annotation) for name, field in kind.model_fields.items()}
    assert fields == FIELDS.get(kind.subject), "a change of fields needs a new subject, and an alias"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.aliases])
def test_events_of_a_former_subject_are_still_read(kind: type[Event]) -> None:
    for alias in kind.aliases:
        former = FIELDS[alias]
        assert all(FIELDS[kind.subject].get(name) == annotation for name, annotation in former.items())
        added = kind.model_fields.keys() - former.keys()
        assert not [name for name in added if kind.model_fields[name].is_required()]
