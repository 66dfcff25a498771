"""SpikeInterface and zarr, unmodified, read voltage of a running system as a Zarr array over HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import spikeinterface.core as si
import zarr

ROOT = Path(__file__).parents[2]
TIMEOUT_S = 300


@dataclass
class Served:
    """A recording of the demo: its address as a Zarr array, the facts that the server lists, a sign-in for HTTP."""

    address: str
    facts: dict[str, Any]
    headers: dict[str, str]
    second: Any

    @property
    def storage_options(self) -> dict[str, Any]:
        """As fsspec takes headers."""
        return {"headers": self.headers}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The demo, which runs in our own environment (CINGULUM_PYTHON), with its compressed recording."""
    home = tmp_path_factory.mktemp("demo") / "var"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = str(listening.getsockname()[1])
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CINGULUM_")}
    places = {"CINGULUM_HOME": str(home), "CINGULUM_PORT": port, "PYTHONUNBUFFERED": "1"}
    python = os.environ.get("CINGULUM_PYTHON", str(ROOT / ".venv" / "bin" / "python"))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    running = subprocess.Popen(
        [python, "-m", "examples.demo", "--seconds", "2"],
        cwd=ROOT,
        env=clean | places,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    signal.signal(signal.SIGINT, before)
    try:
        lines = []
        for line in running.stdout or ():
            lines.append(line)
            if "Ctrl-C ends it." in line:
                break
        assert running.poll() is None, "".join(lines)
        yield _served(json.loads((home / "login.json").read_text()))
    finally:
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=TIMEOUT_S)


def _served(login: dict[str, str]) -> Served:
    account = {name: login[name] for name in ("username", "password")}
    with httpx.Client(base_url=login["base_url"], timeout=60) as client:
        token = client.post("/auth-token", data=account).json()["token"]
        client.headers["Authorization"] = f"Token {token}"
        [facts] = client.get("/slices").raise_for_status().json()["results"]
        path = f"/slices/{facts['dataset_id']}?t0=1&t1=2&format=json&channels=0-3,384"
        second = client.get(path).raise_for_status().json()["samples"]
    address = f"{login['base_url']}/zarr/{facts['dataset_id']}"
    return Served(address, facts, {"Authorization": f"Token {token}"}, np.array(second))


def test_zarr_opens_the_array_and_reads_what_slices_are(served: Served) -> None:
    array: Any = zarr.open(served.address, mode="r", storage_options=served.storage_options)
    facts = served.facts
    assert array.shape == (facts["n_samples"], facts["n_channels"])
    first = round(facts["sample_rate_hz"])
    rows = array[first : first + len(served.second)]
    np.testing.assert_array_equal(rows[:, [0, 1, 2, 3, 384]], served.second)
    assert array.attrs["uv_per_bit"] == facts["uv_per_bit"]


def test_spikeinterface_reads_the_array_in_microvolts(served: Served) -> None:
    rate_hz, volts = served.facts["sample_rate_hz"], served.facts["uv_per_bit"]
    recording: Any = si.read_zarr_array(
        served.address,
        sampling_frequency=rate_hz,
        gain_to_uV=np.array([factor or 1.0 for factor in volts]),
        offset_to_uV=0.0,
        storage_options=served.storage_options,
    )
    first = round(rate_hz)
    traces = recording.get_traces(
        start_frame=first, end_frame=first + len(served.second), channel_ids=[0, 3], return_in_uV=True
    )
    expected = served.second[:, [0, 3]] * np.array([volts[0], volts[3]])
    np.testing.assert_allclose(traces, expected, rtol=1e-6)


def test_without_a_sign_in_nothing_is_read(served: Served) -> None:
    assert httpx.get(f"{served.address}/.zarray").status_code == 403
    with pytest.raises(Exception, match="nothing found"):
        zarr.open(served.address, mode="r", storage_options={"headers": {}})
