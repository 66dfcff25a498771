"""Raw NWB files: validated by dandi, and voltage that is only linked read by pynwb through lindi; both unmodified."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import lindi
import numpy as np
import pytest
from pynwb import NWBHDF5IO

ROOT = Path(__file__).parents[3]
SERIES = "ElectricalSeriesProbe00AP"


class _Ranges(SimpleHTTPRequestHandler):
    """Files of a folder, in ranges, as object stores serve them."""

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        first, last = self.headers["Range"].removeprefix("bytes=").split("-")
        with path.open("rb") as file:
            file.seek(int(first))
            content = file.read(int(last) - int(first) + 1)
        self.send_response(HTTPStatus.PARTIAL_CONTENT)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, *_: Any) -> None:
        """Silent."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Files that our own environment wrote, with their folder served over HTTP."""
    out = tmp_path_factory.mktemp("nwb")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Ranges, directory=str(out)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    python = os.environ.get("CINGULUM_PYTHON", str(ROOT / ".venv" / "bin" / "python"))
    address = f"http://127.0.0.1:{server.server_port}"
    subprocess.run([python, "-m", "tests.support.nwb_sessions", str(out), address], cwd=ROOT, check=True)
    yield out
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("links", ["linked", "served"])
@pytest.mark.parametrize("suffix", ["cgl", "cbin", "bin"])
def test_pynwb_reads_linked_voltage_bit_by_bit(written: Path, suffix: str, links: str) -> None:
    samples = np.load(written / suffix / "samples.npy")
    (document,) = (written / suffix / links).rglob("*.nwb.lindi.json")
    file = lindi.LindiH5pyFile.from_lindi_file(str(document))
    with NWBHDF5IO(file=file, mode="r") as io:
        content = io.read()
        series = content.acquisition[SERIES]
        assert np.array_equal(series.data[:], samples[:, :4])
        assert np.array_equal(series.data[995:1_005, 1:3], samples[995:1_005, 1:3])
        assert series.electrodes.to_dataframe()["location"].tolist() == [
            "VISp",
            "VISp",
            "Isocortex",
            "Isocortex",
        ]
        assert content.subject.subject_id == "SWC-054"


def test_dandi_accepts_copied_voltage(written: Path) -> None:
    folder = written / "cgl/copied"
    (folder / "dandiset.yaml").write_text("identifier: DANDI:000000\nname: test\n")
    dandi = Path(sys.executable).with_name("dandi")
    done = subprocess.run(
        [dandi, "validate", str(folder)],
        env=os.environ | {"DANDI_NO_ET": "1"},  # no look for newer versions
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No errors found" in done.stdout + done.stderr
