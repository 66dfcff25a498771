"""A system with the pages in front and a lab in it, as a browser without script meets it."""

from __future__ import annotations

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from hashlib import md5, sha256
from queue import Queue
from typing import Any

import httpx

from tests.support.gateway import mounted, served
from tests.support.moving import content_digest
from tests.support.simulated_trials import outputs, trials_table
from tests.support.waiting import attempts

LOGIN = {"username": "ada", "password": "correct horse"}
ADMIN = {"CINGULUM_ADMIN_USERNAME": LOGIN["username"], "CINGULUM_ADMIN_PASSWORD": LOGIN["password"]}
_FIELD = re.compile(r'name="csrf" value="([^"]+)"')


def csrf_of(page: str) -> str:
    """The token in the page's first form."""
    match = _FIELD.search(page)
    assert match, page
    return match[1]


@dataclass
class Browser:
    """A browser without script, and beside it the API as the first administrator uses it."""

    http: httpx.AsyncClient
    made: dict[str, Any] = field(default_factory=dict)
    token: str = ""

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.http.get(path, **more)

    async def sign_in(self, address: str = "/app/", **changed: str) -> httpx.Response:
        """Fill the log-in form and send it."""
        page = await self.http.get("/app/login", params={"next": address})
        sent = {**LOGIN, "csrf": csrf_of(page.text), "next": address, **changed}
        return await self.http.post("/app/login", data=sent)

    async def api(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the API itself; what it answered."""
        if not self.token:
            self.token = await self._token()
        headers = {"Authorization": f"Token {self.token}"}
        if isinstance(body, bytes):
            answer = await self.http.request(
                method, path, content=body, headers=headers | content_digest(body)
            )
        else:
            answer = await self.http.request(method, path, json=body, headers=headers)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    async def _token(self) -> str:
        """The administrator's token; a loaded machine may hash passwords too slowly for a first attempt."""
        async for _ in attempts():
            answer = await self.http.post("/auth-token", json=LOGIN)
            if answer.status_code not in {429, 503}:
                break
        assert answer.status_code == 200, answer.text
        return str(answer.json()["token"])

    async def bring(self, folder: str, files: Mapping[str, bytes]) -> None:
        """Register files of a session as a rig does, and send them to the central store as an agent does."""
        body = {"path": folder, "filenames": list(files), "name": "lab_server"}
        hashes = [md5(data, usedforsecurity=False).hexdigest() for data in files.values()]
        sizes = [len(data) for data in files.values()]
        made = await self.api("POST", "/register-file", body | {"hashes": hashes, "filesizes": sizes})
        for dataset, data in zip(made, files.values(), strict=True):
            copies = await self.api("GET", f"/copies?dataset={dataset['id']}&repository=central")
            announcement = {"size_bytes": len(data), "copy_id": copies["results"][0]["id"]}
            upload = await self.api("POST", "/uploads", announcement)
            await self.api("PUT", f"/uploads/{upload['id']}/parts/0", data)
            await self.api("POST", f"/uploads/{upload['id']}/complete", {"sha256": sha256(data).hexdigest()})


@asynccontextmanager
async def browsing(environment: Mapping[str, str]) -> AsyncIterator[Browser]:
    """A running system of one test's own, and a browser at its address."""
    async with mounted({**environment, **ADMIN}) as http:
        yield Browser(http)


@dataclass
class Site:
    """A system on a real port, with a colony and a recording in it; all tests of a process look at the same one."""

    base_url: str
    made: dict[str, Any]


async def a_colony_with_a_recording(browser: Browser) -> None:
    """What all tests that only look find."""
    await a_colony(browser)
    await a_recording(browser)


@contextmanager
def standing(
    environment: Mapping[str, str], fill: Callable[[Browser], Awaitable[None]] = a_colony_with_a_recording
) -> Iterator[Site]:
    """The system runs in a thread, so that tests with loops of their own can ask it."""
    ready: Queue[Site | BaseException] = Queue()
    over = threading.Event()

    async def run() -> None:
        async with (
            served({**environment, **ADMIN}) as base_url,
            httpx.AsyncClient(base_url=base_url, timeout=60) as http,
        ):
            browser = Browser(http)
            await fill(browser)
            ready.put(Site(base_url, browser.made))
            await asyncio.to_thread(over.wait)

    def work() -> None:
        try:
            asyncio.run(run())
        except BaseException as error:
            ready.put(error)
            raise

    thread = threading.Thread(target=work, name="site")
    thread.start()
    try:
        result = ready.get(timeout=240)
        if isinstance(result, BaseException):
            raise result
        yield result
    finally:
        over.set()
        thread.join()


async def a_colony(browser: Browser) -> None:
    """Two labs, a project, a restricted mouse with weights and water, and four sessions."""
    for lab, zone in (("hilllab", "Europe/London"), ("valelab", "America/New_York")):
        await browser.api(
            "POST",
            "/labs",
            {"name": lab, "timezone": zone, "reference_weight_pct": 0.85, "zscore_weight_pct": 0.0},
        )
    await browser.api("POST", "/projects", {"name": "maze", "users": ["ada"]})
    mice = (("KS014", "hilllab", "F"), ("VL003", "valelab", "M"))
    for nickname, lab, sex in mice:
        animal = {
            "nickname": nickname,
            "lab": lab,
            "sex": sex,
            "birth_date": "2020-04-01",
            "projects": ["maze"],
        }
        await browser.api("POST", "/subjects", animal)
    start = {
        "subject": "KS014",
        "lab": "hilllab",
        "start_time": "2020-08-21T09:00:00",
        "reference_weight": 25.0,
    }
    await browser.api(
        "POST", "/weighings", {"subject": "KS014", "weight": 25.0, "date_time": "2020-08-21T08:50:00"}
    )
    browser.made["restriction"] = await browser.api("POST", "/water-restriction", start)
    for n, weight in enumerate((24.1, 23.2, 22.4, 21.0)):
        time = f"2020-08-{22 + n}T09:00:00"
        await browser.api("POST", "/weighings", {"subject": "KS014", "weight": weight, "date_time": time})
    sessions = []
    for n, (mouse, lab, protocol) in enumerate(
        (
            ("KS014", "hilllab", "_iblrig_tasks_trainingChoiceWorld6.4.2"),
            ("KS014", "hilllab", "_iblrig_tasks_biasedChoiceWorld6.4.2"),
            ("VL003", "valelab", "habituation"),
        )
    ):
        body: dict[str, Any] = {
            "subject": mouse,
            "lab": lab,
            "users": ["ada"],
            "projects": ["maze"] if n else [],
            "task_protocol": protocol,
            "start_time": f"2020-08-{22 + n}T10:00:00",
            "number": n + 1,
        }
        sessions.append(await browser.api("POST", "/sessions", body))
    browser.made["sessions"] = sessions
    for session, volume in ((sessions[0]["id"], 0.5), (None, 0.3)):
        water = {
            "subject": "KS014",
            "water_administered": volume,
            "date_time": "2020-08-22T11:00:00",
            "session": session,
        }
        await browser.api("POST", "/water-administrations", water)


async def a_recording(browser: Browser) -> None:
    """Files of the second session with their proved copies: a trials table, and what the tasks made of it."""
    for name, personal, store, url in (
        ("central", False, "local", "/data/"),
        ("lab_server", True, "agent", None),
    ):
        body = {"name": name, "globus_is_personal": personal, "store": store, "data_url": url}
        await browser.api("POST", "/data-repository", body)
    await browser.api("PATCH", "/labs/hilllab", {"repositories": ["central", "lab_server"]})
    files = outputs(trials_table())
    folder = "KS014/2020-08-23/002"
    await browser.bring(folder, files)
    later = {
        "path": folder,
        "filenames": ["raw_ephys_data/probe00/_spikeglx_ephysData_g0_t0.imec0.ap.bin"],
        "name": "lab_server",
    }
    await browser.api("POST", "/register-file", later | {"filesizes": [83_000_000_000]})
    session = browser.made["sessions"][1]["id"]
    await browser.api("POST", "/insertions", {"session": session, "name": "probe00", "serial": "18005105291"})
    browser.made["files"] = files
