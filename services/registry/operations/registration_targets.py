"""The repositories in which registered files get records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from cingulum.alf.spelling import normal
from libs.common.db import ReadSession
from libs.common.problem import BadRequest, UnknownReference
from libs.common.schemas.files.registration import RegisterFiles
from libs.common.schemas.ids import find_uuid
from services.registry.domain.alyx_calls import RepositoryTarget
from services.registry.queries.registration import RegistrationScope
from services.registry.queries.repositories import (
    KnownRepository,
    PlacedRepository,
    check_labs,
    fetch_placed_repositories,
)


async def fetch_targets(
    session: ReadSession, scope: RegistrationScope, request: RegisterFiles
) -> tuple[list[RepositoryTarget], Mapping[str, UUID]]:
    """The repositories in which the files get records, of which the named one has them now; ids of all by name."""
    every = await fetch_placed_repositories(session)
    labs = [normal(name) for name in (*(request.labs or []), *(request.projects or []))]
    if without_repository := [name for name in labs if not any(name in each.lab_names for each in every)]:
        await check_labs(session, without_repository)
    chosen = [
        each.repository
        for each in every
        if (not each.lab_names.isdisjoint(labs) if labs else scope.subject_lab_id in each.lab_ids)
        and not (request.server_only and each.is_personal is not False)
    ]
    named = _named(every, request)
    if named is not None and named not in chosen:
        chosen.append(named)
    if scope.session_id is None and named is None:
        raise BadRequest(fields={"name": ["Files without a session need the name of their repository."]})
    targets = [RepositoryTarget(each.name, each.place, is_named=each == named) for each in chosen]
    return targets, {each.repository.name: each.repository.id for each in every}


def _named(every: Sequence[PlacedRepository], request: RegisterFiles) -> KnownRepository | None:
    """The repository that the request names, or the first by name on its host. Raises UnknownReference."""
    if request.name:
        name = normal(request.name)
        with_id = [each.repository for each in every if each.repository.id == find_uuid(name)]
        matching = with_id or [each.repository for each in every if each.repository.name == name]
        if not matching:
            raise UnknownReference("name", request.name)
    elif request.hostname:
        matching = [each.repository for each in every if each.hostname == request.hostname]
        if not matching:
            raise UnknownReference("hostname", request.hostname, key="hostname")
    else:
        return None
    return matching[0]
