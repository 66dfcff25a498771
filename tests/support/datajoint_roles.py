"""People who sign in to the database with the role that is granted to them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from deploy.image import datajoint


async def address_of(admin_url: str, person: str) -> str:
    """The address of the database for a person, whose role is granted or renewed."""
    owner = await asyncpg.connect(admin_url)
    async with owner.transaction():
        text = "\n".join(await datajoint.grant(owner, person, admin_url))
    await owner.close()
    user, password = re.findall(r'database\.(?:user|password)"\] = "(.+)"', text)
    parts = urlsplit(admin_url)
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{parts.netloc.rpartition('@')[2]}"))


@asynccontextmanager
async def signed_in(admin_url: str, person: str) -> AsyncIterator[asyncpg.Connection]:
    """The connection of a person."""
    connection = await asyncpg.connect(await address_of(admin_url, person))
    try:
        yield connection
    finally:
        await connection.close()
