"""Releases that are made through the API."""

from __future__ import annotations

from collections.abc import Mapping

from cingulum.manifests.signatures import generate_key, sign
from tests.support.portal import Browser
from tests.support.waiting import attempts


async def publish_one(browser: Browser, name: str, **about: object) -> str:
    """Release a session of an animal of its own; the path of its file."""
    mouse = f"OF-{name}"
    await browser.api("POST", "/subjects", {"nickname": mouse, "lab": "hilllab"})
    body = {"subject": mouse, "start_time": "2018-05-03T10:00:00", "number": 1, "users": ["ada"]}
    session = await browser.api("POST", "/sessions", body)
    await browser.bring(f"{mouse}/2018-05-03/001", {"alf/spikes.times.npy": name.encode()})
    async for _ in attempts():
        if (await browser.api("GET", f"/copies?session={session['id']}&repository=central&state=verified"))[
            "count"
        ]:
            break
    await publish_session(browser, name, session["id"], {"title": f"Spikes of {name}", **about})
    return f"hilllab/Subjects/{mouse}/2018-05-03/001/alf/spikes.times.npy"


async def publish_session(
    browser: Browser, name: str, session_id: str, about: Mapping[str, object], **values: str
) -> None:
    """Release a session; public unless an embargo is among the values."""
    key = generate_key()
    await browser.api("POST", "/release-keys", {"name": name, "public_key": key.public.to_line()})
    await browser.api("POST", "/releases", {"name": name, "sessions": [session_id], **about})
    await browser.api("POST", f"/releases/{name}/check", {"accept": ["qc"]})
    headers = {"Authorization": f"Token {browser.token}"}
    manifest = await browser.http.get(f"/releases/{name}/manifest", headers=headers)
    signature = {"signature": sign(manifest.content, key, "")}
    await browser.api("POST", f"/releases/{name}/publish", signature | values)
