"""A lab's agent and the whole system: registered files become verified, in the lab and in the central store."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from cingulum.http import Connection
from cingulum.worker.lab import Journal, LabAgent, Round
from tests.support.bytes import md5, random_bytes, sha256
from tests.support.gateway import served
from tests.support.system import Cingulum
from tests.support.waiting import attempts

SUBJECT, DAY = "KS022", "2019-12-10"
FOLDER = f"hilllab/Subjects/{SUBJECT}/{DAY}/001"
FILES = {
    "alf/_ibl_trials.table.pqt": random_bytes(30_000),
    "alf/licks.times.npy": random_bytes(200, seed=2),
    "raw_ephys_data/probe00/_spikeglx_ephysData_g0_t0.imec0.ap.bin": random_bytes(20 * 2**20 + 11, seed=3),
}
PEOPLE = ("ada", "eve")


@dataclass
class LabSystem:
    """The system at an address, a lab's folder, and tokens by name of their user."""

    url: str
    root: Path
    http: httpx.AsyncClient
    tokens: dict[str, str]

    async def register(self, files: dict[str, bytes], **more: Any) -> None:
        """Register files as a rig does once they are on the lab's server."""
        await self.create(
            "/register-file",
            {
                "path": f"{SUBJECT}/{DAY}/001",
                "filenames": list(files),
                "hashes": [md5(data) for data in files.values()],
                "filesizes": [len(data) for data in files.values()],
                "name": "lab_server",
            }
            | more,
        )

    def write(self, files: dict[str, bytes]) -> None:
        """Write the files into the lab's folder."""
        for name, data in files.items():
            path = self.root / FOLDER / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)

    async def create(self, path: str, body: dict[str, Any]) -> Any:
        """POST that must answer 201; its body."""
        answer = await self.http.post(path, json=body)
        assert answer.status_code == 201, f"{path}: {answer.text}"
        return answer.json()

    async def copies(self, repository: str, until: str = "verified") -> dict[str, str]:
        """States of a repository's copies by file name, once all are in one state (or patience is over)."""
        async for _ in attempts():
            answer = await self.http.get("/copies", params={"repository": repository})
            states = {
                str(c["relative_path"]).removeprefix(f"{FOLDER}/"): str(c["state"])
                for c in answer.json()["results"]
            }
            if set(states.values()) == {until}:
                break
        return states

    async def run_agent(self, user: str = "agent") -> Round:
        """One round of the agent."""

        def run() -> Round:
            server = Connection.unattended(self.url, self.tokens[user], within_s=5)
            journal = Journal(self.root.parent / "agent.sqlite")
            try:
                return LabAgent(server, journal, self.root, "lab_server", settle_s=0).run_once()
            finally:
                journal.close()
                server.close()

        return await asyncio.to_thread(run)


@asynccontextmanager
async def lab_system(cingulum: Cingulum, folder: Path) -> AsyncIterator[LabSystem]:
    """One lab with a session, its agent's repository and the central one; ada works there, eve does not."""
    admin = {"CINGULUM_ADMIN_USERNAME": "root", "CINGULUM_ADMIN_PASSWORD": "long enough"}
    async with (
        served({**cingulum.environment, **admin}) as url,
        httpx.AsyncClient(base_url=url, timeout=60) as http,
    ):
        system = LabSystem(url, folder / "data", http, {})
        system.root.mkdir()
        answer = await http.post("/auth-token", json={"username": "root", "password": "long enough"})
        http.headers["Authorization"] = f"Token {answer.json()['token']}"
        for name, store, personal in (("central", "local", False), ("lab_server", "agent", True)):
            await system.create(
                "/data-repository", {"name": name, "store": store, "globus_is_personal": personal}
            )
        await system.create("/labs", {"name": "hilllab", "repositories": ["central", "lab_server"]})
        for name in PEOPLE:
            await system.create("/users", {"username": name, "password": "long enough"})
        await system.create("/memberships", {"user": "ada", "lab": "hilllab", "start_date": "2019-01-01"})
        await system.create("/subjects", {"nickname": SUBJECT, "lab": "hilllab", "responsible_user": "ada"})
        await system.create(
            "/sessions",
            {"subject": SUBJECT, "lab": "hilllab", "start_time": f"{DAY}T10:00:00", "number": 1, "users": []},
        )
        for name in PEOPLE:
            answer = await http.post(
                "/tokens",
                json={"name": "agent", "scopes": ["read", "transfer"]},
                headers={"Authorization": httpx.BasicAuth(name, "long enough")._auth_header},
            )
            system.tokens[name] = answer.json()["token"]
        scopes = ["lab:hilllab:read", "lab:hilllab:transfer", "repository:lab_server:prove"]
        agent = await system.create("/tokens", {"name": "agent hilllab", "kind": "worker", "scopes": scopes})
        system.tokens["agent"] = agent["token"]
        yield system


async def test_registered_files_become_verified_in_both_places(cingulum: Cingulum, tmp_path: Path) -> None:
    async with lab_system(cingulum, tmp_path) as system:
        system.write(FILES)
        await system.register(FILES)
        result = await system.run_agent()
        assert (result.sent, result.proved, result.failed) == (3, 3, [])
        for repository in ("central", "lab_server"):
            assert await system.copies(repository) == dict.fromkeys(FILES, "verified")
        for name, data in FILES.items():
            stored = tmp_path / "home/store/objects" / sha256(data)[:2] / sha256(data)
            assert stored.read_bytes() == data
            assert (tmp_path / "home/store/tree" / FOLDER / name).samefile(stored)
        assert (await system.run_agent()).is_quiet


async def test_a_new_content_is_a_new_version_and_is_uploaded_too(cingulum: Cingulum, tmp_path: Path) -> None:
    async with lab_system(cingulum, tmp_path) as system:
        name = "alf/licks.times.npy"
        for data in (b"first", b"second one"):
            system.write({name: data})
            await system.register({name: data})
            assert (await system.run_agent()).sent == 1
            assert await system.copies("central") == {name: "verified"}
        [dataset] = (await system.http.get("/datasets", params={"name": "licks.times.npy"})).json()["results"]
        assert (dataset["hash"], dataset["file_size"]) == (md5(b"second one"), 10)


async def test_a_file_that_is_not_what_was_registered_becomes_suspect(
    cingulum: Cingulum, tmp_path: Path
) -> None:
    async with lab_system(cingulum, tmp_path) as system:
        name = "alf/licks.times.npy"
        system.write({name: b"cut shor"})
        await system.register({name: b"cut short"})
        assert (await system.run_agent()).sent == 0
        assert await system.copies("lab_server", until="suspect") == {name: "suspect"}
        assert (await system.http.get("/copies", params={"repository": "central"})).json()["results"][0][
            "state"
        ] == "expected"


async def test_the_token_of_another_lab_uploads_nothing(cingulum: Cingulum, tmp_path: Path) -> None:
    async with lab_system(cingulum, tmp_path) as system:
        system.write(FILES)
        await system.register(FILES)
        result = await system.run_agent("eve")
        assert (result.sent, result.proved) == (0, 0)
        assert set((await system.copies("central", until="expected")).values()) == {"expected"}


async def test_only_the_agent_of_a_repository_proves_its_copies(cingulum: Cingulum, tmp_path: Path) -> None:
    """Other callers can neither make wrong bytes verified nor the true bytes suspect."""
    async with lab_system(cingulum, tmp_path) as system:
        name = "alf/licks.times.npy"
        system.write({name: b"the true bytes"})
        await system.register({name: b"the true bytes"})
        [copy] = (await system.http.get("/copies", params={"repository": "lab_server"})).json()["results"]
        lie = {"size_bytes": 14, "md5": "00" * 16, "sha256": "ab" * 32}
        of_root = {"name": "root", "scopes": ["read", "transfer", "write", "register", "admin", "release"]}
        everything = await system.create("/tokens", of_root)
        other = await system.create(
            "/tokens",
            {
                "name": "other agent",
                "kind": "worker",
                "scopes": ["read", "transfer", "repository:central:prove"],
            },
        )
        log_in = system.http.headers["Authorization"]
        for token in (
            system.tokens["ada"],
            everything["token"],
            other["token"],
            log_in.removeprefix("Token "),
        ):
            answer = await system.http.post(
                f"/copies/{copy['id']}/proof", json=lie, headers={"Authorization": f"Token {token}"}
            )
            assert answer.status_code == 403, answer.text
        assert await system.copies("lab_server", until="expected") == {name: "expected"}
        assert (await system.run_agent()).proved == 1
        for repository in ("lab_server", "central"):
            assert await system.copies(repository) == {name: "verified"}


async def test_only_an_administrator_enrols_an_agent(cingulum: Cingulum, tmp_path: Path) -> None:
    async with lab_system(cingulum, tmp_path) as system:
        ada = {"Authorization": httpx.BasicAuth("ada", "long enough")._auth_header}
        for kind in ("personal", "worker"):
            body = {"name": "mine", "kind": kind, "scopes": ["read", "repository:lab_server:prove"]}
            assert (await system.http.post("/tokens", json=body, headers=ada)).status_code == 403
        nowhere = {"name": "x", "kind": "worker", "scopes": ["repository:nowhere:prove"]}
        assert (await system.http.post("/tokens", json=nowhere)).status_code == 400
        for scopes in (["prove"], ["lab:hilllab:prove"], ["repository:lab_server:write"]):
            body = {"name": "x", "kind": "worker", "scopes": scopes}
            assert (await system.http.post("/tokens", json=body)).status_code == 400, scopes


async def run_command(system: LabSystem, folder: Path, token: str) -> tuple[int | None, str]:
    """`cingulum agent run --once`, as a process: its exit code, and all that it printed."""
    (folder / "token").write_text(token + "\n")
    words = ["agent", "run", "--url", system.url, "--token-file", str(folder / "token")]
    words += ["--repository", "lab_server", "--root", str(system.root), "--journal", str(folder / "j.sqlite")]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from cingulum.cli import main; main()",
        *words,
        *("--once", "--settle-s", "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    printed, _ = await process.communicate()
    return process.returncode, printed.decode()


async def test_the_command_serves_a_lab_and_ends_when_nothing_is_left(
    cingulum: Cingulum, tmp_path: Path
) -> None:
    async with lab_system(cingulum, tmp_path) as system:
        system.write(FILES)
        await system.register(FILES)
        code, printed = await run_command(system, tmp_path, system.tokens["agent"])
        assert code == 0, printed
        assert "3 sent, 3 proved" in printed
        assert "all files are sent" in printed
        assert await system.copies("central") == dict.fromkeys(FILES, "verified")


async def test_the_command_refuses_a_token_of_another_repository(cingulum: Cingulum, tmp_path: Path) -> None:
    async with lab_system(cingulum, tmp_path) as system:
        system.write(FILES)
        await system.register(FILES)
        scopes = ["read", "transfer", "repository:central:prove"]
        other = await system.create("/tokens", {"name": "other", "kind": "worker", "scopes": scopes})
        login = system.http.headers["Authorization"].removeprefix("Token ")
        for token in (system.tokens["eve"], system.tokens["ada"], other["token"], login, "of nobody"):
            code, printed = await run_command(system, tmp_path, token)
            assert code == 1, printed
            if token != "of nobody":
                assert "an administrator creates one with repository:lab_server:prove" in printed
        assert set((await system.copies("central", until="expected")).values()) == {"expected"}
