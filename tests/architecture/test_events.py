"""Every event has a publisher and a handler in the services, and no subject that was ever published is forgotten."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import ClassVar

import pytest
import zstandard

from deploy.local.reference import handlers_named_by
from libs.common.catalogue import Service
from libs.common.events import RETIRED, Event, origin_of

ROOT = Path(__file__).parents[2]
DUMP = ROOT / "tests" / "support" / "databases" / "7dec063.sql.zst"
SUBJECT = re.compile(r"\bcingulum\.[a-z]+\.[a-z_]+\.[a-z_]+\.v\d+\b")
KINDS = sorted(
    {kind for kind in Event.kinds.values() if kind.__module__ == Event.__module__},
    key=lambda kind: kind.subject,
)

# Every subject that a version published, only ever appended: databases and streams may still hold any of them.
EVER_PUBLISHED = {
    "cingulum.metadata.session.created.v1",
    "cingulum.metadata.session.deleted.v1",
    "cingulum.metadata.sessions.deleted.v1",
    "cingulum.metadata.sessions.merged.v1",
    "cingulum.metadata.sessions.restored.v1",
    "cingulum.metadata.sessions.unmerged.v1",
    "cingulum.registry.copy.verified.v1",
    "cingulum.registry.datasets.moved.v1",
    "cingulum.registry.files.registered.v1",
    "cingulum.registry.files.registered.v2",
    "cingulum.registry.outputs.refused.v1",
    "cingulum.registry.outputs.registered.v1",
    "cingulum.registry.proof.ordered.v1",
    "cingulum.scheduler.job.completed.v1",
    "cingulum.scheduler.job.publishing.v1",
    "cingulum.transfer.object.damaged.v1",
    "cingulum.transfer.upload.completed.v1",
}


@cache
def _nodes(service: Service) -> list[tuple[Path, ast.AST]]:
    files = (ROOT / "services" / service).rglob("*.py")
    return [(file, node) for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))]


def _publishers(kind: type[Event]) -> Iterator[Service]:
    """The services that make one."""
    for service in Service:
        for _, node in _nodes(service):
            match node:
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name == kind.__name__:
                    yield service
                case _:
                    pass


def _handlers(kind: type[Event]) -> Iterator[Service]:
    """The services that have `@….on(Kind)` in their `events.py`."""
    for service in Service:
        for file, node in _nodes(service):
            match node:
                case ast.Call(func=ast.Attribute(attr="on"), args=[ast.Name(id=name)]) if (
                    file.name == "events.py"
                ):
                    if name == kind.__name__:
                        yield service
                case _:
                    pass


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_is_published_by_the_service_that_its_subject_names(kind: type[Event]) -> None:
    assert set(_publishers(kind)) == {origin_of(kind.subject)}
    assert re.search(rf"^ +From +{origin_of(kind.subject)}\b", kind.__doc__ or "", re.MULTILINE)


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_is_handled_by_the_services_that_its_docstring_names(kind: type[Event]) -> None:
    handlers = set(_handlers(kind))
    assert handlers, "no service handles it"
    assert handlers == set(handlers_named_by(kind))


def test_every_subject_ever_published_is_of_an_event_or_retired() -> None:
    # A renamed event keeps its old subject in `aliases`: else what is stored under that would never be handled.
    known = {subject for kind in KINDS for subject in kind.subjects()}
    assert known | RETIRED == EVER_PUBLISHED, "append new subjects to EVER_PUBLISHED"
    assert not known & RETIRED


def test_the_subjects_of_an_earlier_database_are_among_them() -> None:
    subjects = set(SUBJECT.findall(zstandard.decompress(DUMP.read_bytes()).decode()))
    assert len(subjects) > 5
    assert subjects <= EVER_PUBLISHED


def test_no_event_takes_a_retired_subject() -> None:
    with pytest.raises(TypeError, match="is retired"):

        class SessionMade(Event):
            subject: ClassVar[str] = "cingulum.metadata.session.created.v1"
