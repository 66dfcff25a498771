"""`cingulum release` against the whole system: from the files of a session to a release that a stranger checks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

import cingulum
from cingulum.cli import build_app
from cingulum.client.locks import Lock
from cingulum.http import etag_file
from cingulum.manifests import parse_manifest
from cingulum.manifests.signatures import generate_key
from tests.support.gateway import served
from tests.support.portal import ADMIN, LOGIN, Browser
from tests.support.public_releases import publish_session
from tests.support.system import Cingulum
from tests.support.waiting import attempts

FOLDER, NAME = "KS022/2019-12-10/001", "alf/spikes.times.npy"
CONTENT = b"times of spikes"


@pytest.fixture
async def browser(cingulum: Cingulum) -> AsyncIterator[Browser]:
    """A system with a session of one file, which the central store has read."""
    async with (
        served({**cingulum.environment, **ADMIN}) as url,
        httpx.AsyncClient(base_url=url, timeout=60) as http,
    ):
        browser = Browser(http)
        for name, store in (("central", "local"), ("lab_server", "agent")):
            body = {"name": name, "store": store, "globus_is_personal": store == "agent"}
            await browser.api(
                "POST", "/data-repository", body | ({"data_url": "/data/"} if store == "local" else {})
            )
        await browser.api("POST", "/labs", {"name": "hilllab", "repositories": ["central", "lab_server"]})
        await browser.api("POST", "/subjects", {"nickname": "KS022", "lab": "hilllab"})
        session = {
            "subject": "KS022",
            "start_time": "2019-12-10T10:00:00",
            "number": 1,
            "users": [LOGIN["username"]],
        }
        browser.made = await browser.api("POST", "/sessions", session)
        await browser.bring(FOLDER, {NAME: CONTENT})
        async for _ in attempts():
            if (await browser.api("GET", "/copies?repository=central&state=verified"))["count"]:
                break
        yield browser


async def run(browser: Browser, *words: str) -> Result:
    """A command as the administrator types it."""
    sign_in = (
        [] if words[0] in {"keygen", "verify", "get"} else ["--url", str(browser.http.base_url).rstrip("/")]
    )
    sign_in += ["--user", LOGIN["username"], "--password", LOGIN["password"]] if sign_in else []
    invoke = CliRunner(env={"COLUMNS": "200"}).invoke
    return await asyncio.to_thread(invoke, build_app(), ["release", *words, *sign_in])


async def _get_and_verify(browser: Browser, folder: Path, public: str) -> None:
    """A stranger downloads the release into a folder that another download was interrupted in, and opens it."""
    part = (
        folder / ".cingulum" / "parts" / f"{(await browser.http.get('/releases/paper')).json()['root']}.zip"
    )
    part.parent.mkdir(parents=True)
    zipped = await browser.http.get("/releases/paper/paper.zip")
    part.write_bytes(zipped.content[:100])
    etag_file(part).write_text(zipped.headers["etag"])
    address = f"{str(browser.http.base_url).rstrip('/')}/releases/paper"
    for _ in range(2):
        got = await run(browser, "get", address, "--out", str(folder), "--key", public)
        assert (got.exit_code, "1 files" in got.output, "is right" in got.output) == (0, True, True), (
            got.output
        )
    verified = await run(
        browser, "verify", f"{folder}/manifest.json", str(folder), "--key", public, "--strict"
    )
    assert verified.exit_code == 0, verified.output
    (session,) = cingulum.open(folder).search()
    assert session.id == browser.made["id"]
    other = await run(browser, "get", address.replace("paper", "none"), "--out", str(folder))
    assert other.exit_code == 1
    wrong_key = generate_key().public.to_line()
    wrong = await run(browser, "get", address, "--out", str(folder), "--public", wrong_key)
    assert wrong.exit_code == 1


async def test_files_of_a_release_are_read_in_ranges_at_their_version(browser: Browser) -> None:
    await publish(browser)
    path = f"/releases/paper/files/hilllab/Subjects/{FOLDER}/{NAME}"
    part = await browser.http.get(path, headers={"range": "bytes=6-7"})
    assert (part.status_code, part.content) == (206, b"of")
    head = await browser.http.head(path)
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(CONTENT)))
    await browser.api("PATCH", f"/sessions/{browser.made['id']}", {"number": 2})
    assert (await browser.http.get(path)).content == CONTENT
    missing = await browser.http.get(path.replace("spikes", "clusters"))
    assert (missing.status_code, missing.json()["detail"]) == (404, "There is no such file in the release.")
    await browser.api("POST", "/releases/paper/withdraw", {"reason": "wrong clock"})
    assert (await browser.http.get(path)).status_code == 410


async def publish(browser: Browser, **values: str) -> None:
    """A release of the session, without commands; public unless an embargo is among the values."""
    await publish_session(browser, "paper", browser.made["id"], {"title": "Spikes"}, **values)


async def test_a_link_opens_one_embargoed_file_for_a_viewer_without_an_account(browser: Browser) -> None:
    await publish(browser, embargo_until="2999-01-01T00:00:00Z")
    path = f"hilllab/Subjects/{FOLDER}/{NAME}"
    assert (await browser.http.get(f"/releases/paper/files/{path}")).status_code == 404
    end = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    link = await browser.api(
        "POST", "/releases/paper/links", {"label": "viewer", "expires_at": end, "path": path}
    )
    part = await browser.http.get(
        link["url"], headers={"range": "bytes=0-4", "origin": "https://viewer.example"}
    )
    assert (part.status_code, part.content) == (206, b"times")
    assert part.headers["access-control-allow-origin"] == "*"
    later = await browser.http.get(link["url"], headers={"range": "bytes=9-"})
    assert later.content == b"spikes"
    token = link["url"].partition("/release-links/")[2].partition("/")[0]
    for other in ("/manifest", f"/files/{path.replace('spikes', 'clusters')}"):
        assert (await browser.http.get(f"/release-links/{token}{other}")).status_code == 404
    (row,) = (await browser.api("GET", "/releases/paper/links"))["results"]
    assert (row["label"], row["path"], row["uses"], row["created_by"]) == (
        "viewer",
        path,
        1,
        LOGIN["username"],
    )
    await browser.api("POST", f"/releases/paper/links/{row['id']}/revoke", {})
    assert (await browser.http.get(link["url"])).status_code == 404


async def test_a_link_to_a_whole_release_has_the_manifest_and_each_file(
    browser: Browser, tmp_path: Path
) -> None:
    await publish(browser, embargo_until="2999-01-01T00:00:00Z")
    end = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    link = await browser.api("POST", "/releases/paper/links", {"label": "reviewer 2", "expires_at": end})
    record = (await browser.http.get(link["url"])).json()
    assert (record["name"], record["title"], record["path"]) == ("paper", "Spikes", None)
    (entry,) = parse_manifest((await browser.http.get(f"{link['url']}/manifest")).content).entries
    assert (await browser.http.get(f"{link['url']}/files/{entry.path}")).content == CONTENT
    assert (await browser.http.head(f"{link['url']}/files/{entry.path}")).status_code == 200
    got = await run(browser, "get", link["url"], "--out", str(tmp_path / "paper"))
    assert got.exit_code == 0, got.output
    assert (tmp_path / "paper" / entry.path).read_bytes() == CONTENT
    (row,) = (await browser.api("GET", "/releases/paper/links"))["results"]
    assert row["uses"] == 4  # the manifest and its file, by hand and by the command
    assert link["url"].rpartition("/")[2] not in str(row)


async def test_a_release_is_published_by_command_and_checked_by_a_stranger(
    browser: Browser, tmp_path: Path
) -> None:
    key, public = str(tmp_path / "hilllab.key"), str(tmp_path / "hilllab.pub")
    assert (await run(browser, "keygen", "--out", key, "--no-password")).exit_code == 0
    added = await run(browser, "add-key", public, "--name", "hilllab")
    assert added.exit_code == 0, added.output
    created = await run(browser, "create", "paper", "--title", "Spikes", "--session", browser.made["id"])
    assert created.exit_code == 0, created.output
    assert "paper: a draft of 1 datasets of 1 sessions." in created.output
    searches = "session", f"session={browser.made['id']}"
    changed = [await run(browser, "change", "paper", "--search", search) for search in searches]
    assert [result.exit_code for result in changed] == [2, 0], changed[1].output
    refused = await run(browser, "check", "paper")
    assert refused.exit_code == 1
    assert refused.output.startswith(f"qc  hilllab/Subjects/{FOLDER}: {NAME}: QC is NOT_SET")
    checked = await run(browser, "check", "paper", "--accept", "qc")
    assert "paper is checked: 1 datasets, root " in checked.output, checked.output
    root = checked.output.split()[-1]
    for checks in (["--root", "0" * 64], ["--folder", str(tmp_path)], []):
        unsigned = await run(browser, "publish", "paper", "--key", key, *checks)
        assert unsigned.exit_code != 0
        assert f"root {root}" in unsigned.output
    later = await run(browser, "publish", "paper", "--key", key, "--until", "2999-01-01", "--root", root)
    assert "paper is embargoed until 2999-01-01" in later.output, later.output
    published = await run(browser, "publish", "paper", "--key", key, "--root", root)
    assert "paper is public: root " in published.output, published.output
    assert " public " in (await run(browser, "list")).output
    await _get_and_verify(browser, tmp_path / "paper", public)
    withdrawn = await run(browser, "withdraw", "paper", "--reason", "wrong clock")
    assert withdrawn.output == "paper is withdrawn.\n"


async def public_reader(browser: Browser, name: str) -> dict[str, str]:
    """The header by which a new public account signs in."""
    account = {"username": name, "password": "battery staple", "is_public_user": True}
    await browser.api("POST", "/users", account)
    token = (await browser.http.post("/auth-token", json=account)).json()["token"]
    return {"Authorization": f"Token {token}"}


async def test_a_pulled_file_is_gone_and_reaches_its_readers(browser: Browser, tmp_path: Path) -> None:
    await publish(browser)
    path = f"hilllab/Subjects/{FOLDER}/{NAME}"
    made = await run(browser, "link", "paper", "--label", "reviewer 2", "--path", path)
    link = next(line for line in made.output.splitlines() if line.startswith("http"))
    reader, other = [await public_reader(browser, name) for name in ("reader", "other")]
    for headers in ({"range": "bytes=0-4"}, {"range": "bytes=5-"}, reader):
        await browser.http.get(f"/releases/paper/files/{path}", headers=headers)
    await browser.http.head(f"/releases/paper/files/{path}")
    assert (await browser.http.get(link)).content == CONTENT
    assert (await browser.http.get("/releases/paper/paper.zip")).status_code == 200
    assert (await browser.http.get(f"/data/{path}", headers=reader)).content == CONTENT
    assert await reads_of(browser, 6) == {None: 3, "reader": 2, "reviewer 2": 1}
    assert "link reviewer 2" in (await run(browser, "reads", "paper")).output

    pulled = await run(browser, "pull", "paper", path, "--reason", "wrong clock")
    assert pulled.exit_code == 0, pulled.output
    for address in (f"/releases/paper/files/{path}", link):
        gone = await browser.http.get(address)
        assert (gone.status_code, gone.json()["type"]) == (410, "dataset-pulled")
    assert (await browser.http.get(f"/data/{path}", headers=reader)).status_code == 404
    assert (await browser.http.get("/releases/paper/paper.zip")).json()["type"] == "nothing-to-export"
    (file,) = (await browser.http.get("/releases/paper/files")).json()["results"]
    for about in ("", f"?datasets={file['dataset']}"):
        (notice,) = await notices_of(browser, reader, about)
        assert (notice["description"], notice["datasets"]) == ("wrong clock", [file["dataset"]])
        assert await notices_of(browser, other, about) == []
    await _check_here(browser, reader, tmp_path)


async def _check_here(browser: Browser, reader: dict[str, str], folder: Path) -> None:
    """A reader who has the exact files is informed that one was pulled, or that this was not checked."""
    base_url = str(browser.http.base_url).rstrip("/")
    manifest = parse_manifest((await browser.http.get("/releases/paper/manifest")).content)
    (entry,) = manifest.entries
    (folder / entry.path).parent.mkdir(parents=True)
    (folder / entry.path).write_bytes(CONTENT)
    (folder / "manifest.json").write_bytes(manifest.to_bytes())
    (folder / "paper.lock").write_bytes(Lock(base_url, manifest).to_bytes())
    verify = ("verify", str(folder / "manifest.json"), str(folder))
    offline, online = await run(browser, *verify), await run(browser, *verify, "--server", base_url)
    assert (offline.exit_code, "not checked: whether files were pulled" in offline.stderr) == (0, True)
    assert (online.exit_code, f"{entry.path} (pulled: wrong clock)" in online.stdout) == (1, True), (
        online.output
    )

    async def check(*words: str) -> Result:
        fetch = ["fetch", "--check", str(folder / "paper.lock"), "--to", str(folder), *words]
        environment = {"HOME": str(folder), "CINGULUM_HOME": str(folder), "COLUMNS": "200"}
        return await asyncio.to_thread(CliRunner(env=environment).invoke, build_app(), fetch)

    token = reader["Authorization"].removeprefix("Token ")
    for words in (["--offline"], []):
        unknown = await check(*words)
        assert (unknown.exit_code, "not checked: notices" in unknown.stderr) == (0, True), unknown.output
    noted = await check("--token", token)
    assert (noted.exit_code, f"error  {entry.path} (" in noted.stdout, "wrong clock" in noted.stdout) == (
        1, True, True
    ), noted.output  # fmt: skip
    await browser.api("POST", "/releases/paper/withdraw", {"reason": "wrong animal"})
    withdrawn = await run(browser, *verify, "--server", base_url)
    assert (withdrawn.exit_code, "withdrawn: wrong animal" in withdrawn.stdout) == (1, True), withdrawn.output


async def reads_of(browser: Browser, count: int) -> dict[str | None, int]:
    """How often each reader read, once so many reads are recorded."""
    rows: list[dict[str, Any]] = []
    async for _ in attempts():
        rows = (await browser.api("GET", "/releases/paper/reads"))["results"]
        if sum(row["count"] for row in rows) >= count:
            break
    return {row["user"] or row["link"]: row["count"] for row in rows}


async def notices_of(browser: Browser, headers: dict[str, str], about: str) -> list[dict[str, Any]]:
    """What a reader gets of data notices."""
    rows: list[dict[str, Any]] = (await browser.http.get(f"/data-notices{about}", headers=headers)).json()[
        "results"
    ]
    return rows
