"""Repositories, which registry owns: by name, by site of a worker, and the labs that use them."""

from __future__ import annotations

from uuid import UUID

import sqlalchemy as sa

from cingulum.alf.spelling import normal
from cingulum.stores import StoreKind
from libs.common.db import ReadSession
from libs.common.db.naming import has_id_or_name
from libs.common.published import LAB_REPOSITORIES, LABS, REPOSITORIES, table
from services.scheduler.domain.sites import POOL


async def find_repository_id(session: ReadSession, name: str) -> UUID | None:
    """The id of the repository with this name."""
    repositories = table(REPOSITORIES)
    statement = sa.select(repositories.c.id).where(
        has_id_or_name(repositories.c.id, repositories.c.name, normal(name))
    )
    repository_id: UUID | None = await session.scalar(statement)
    return repository_id


async def fetch_lab_ids_of_repository(session: ReadSession, repository_id: UUID | None) -> list[UUID]:
    """The labs that keep their files in a repository."""
    links = table(LAB_REPOSITORIES)
    statement = sa.select(links.c.lab_id).where(links.c.repository_id == repository_id)
    return list((await session.execute(statement.order_by(links.c.lab_id))).scalars())


async def fetch_sites_of_worker(session: ReadSession, site: str) -> list[str]:
    """Where a worker at `site` can read: the pool, and the agent repositories that this names.

    `site` is the name of an agent repository, of its host, or of the lab whose repository it is.
    """
    if not site:
        return [POOL]
    repositories, links, labs = table(REPOSITORIES), table(LAB_REPOSITORIES), table(LABS)
    of_lab = sa.exists().where(
        links.c.repository_id == repositories.c.id, labs.c.id == links.c.lab_id, labs.c.name == site
    )
    statement = sa.select(sa.cast(repositories.c.id, sa.Text)).where(
        repositories.c.store == StoreKind.AGENT,
        sa.or_(repositories.c.name == site, repositories.c.hostname == site, of_lab),
    )
    return [POOL, *(await session.execute(statement)).scalars()]
