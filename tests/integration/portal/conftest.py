"""Browsers without script at a running system."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.portal import Browser, Site


@pytest.fixture
async def stranger(site: Site) -> AsyncIterator[Browser]:
    """Somebody who has not signed in."""
    async with httpx.AsyncClient(base_url=site.base_url, timeout=60) as http:
        yield Browser(http, site.made)


@pytest.fixture
async def browser(stranger: Browser) -> Browser:
    """An administrator who is signed in."""
    answer = await stranger.sign_in()
    assert answer.status_code == 303
    return stranger
