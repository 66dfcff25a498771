"""The repositories in which registered files get records."""

from __future__ import annotations

from libs.common.db import ReadSession
from libs.common.problem import BadRequest
from libs.common.schemas.files.registration import RegisterFiles
from services.registry.domain.alyx_calls import RepositoryTarget
from services.registry.queries.registration import RegistrationScope
from services.registry.queries.repositories import (
    KnownRepository,
    fetch_repositories_of_labs,
    fetch_repository_by_hostname,
    fetch_repository_by_name,
)


async def fetch_targets(
    session: ReadSession, scope: RegistrationScope, request: RegisterFiles
) -> list[RepositoryTarget]:
    """The repositories in which the files get records; the named one has them now."""
    labs = [*(request.labs or []), *(request.projects or [])]
    repositories = await fetch_repositories_of_labs(
        session, labs, scope.subject_lab_id, server_only=request.server_only
    )
    named = None
    if request.name:
        named = await fetch_repository_by_name(session, request.name, "name")
    elif request.hostname:
        named = await fetch_repository_by_hostname(session, request.hostname)
    if named is not None and named not in repositories:
        repositories.append(named)
    if scope.session_id is None and named is None:
        raise BadRequest(fields={"name": ["Files without a session need the name of their repository."]})
    return [_target(repository, named) for repository in repositories]


def _target(repository: KnownRepository, named: KnownRepository | None) -> RepositoryTarget:
    return RepositoryTarget(repository.name, repository.place, is_named=repository == named)
