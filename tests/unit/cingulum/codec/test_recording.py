"""A recording as an array, from a path, an address, or what another tool wrote."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cingulum.codec import (
    ContradictedRecording,
    InvalidHeader,
    Recording,
    compress,
    compress_to_cbin,
    digests_of,
)

from .conftest import WriteRaw, a_layout, a_recording

SAMPLES = a_recording(3_300, 12)
UUIDS = [f"8f81ad37-a9ea-4406-9de4-46531d83374{n}" for n in "abc"]


@pytest.fixture
def folder(write_raw: WriteRaw) -> Path:
    raw = write_raw(SAMPLES, b"ab")
    (raw.parent / "probe.ap.meta").write_text("nSavedChans=12\nimSampRate=1000\nsnsApLfSy=11,0,1\n")
    compress(raw, chunk_s=1.0)
    compress_to_cbin(raw)
    return raw.parent


class Ranges(BaseHTTPRequestHandler):
    """Serves one folder as an object store does: ranges, sizes and entity tags."""

    requests: list[str]
    plain = False

    def __init__(self, folder: Path, requests: list[str], *args: object) -> None:
        self.folder, self.requests = folder, requests
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        file = self.folder / self.path.lstrip("/").partition("?")[0]
        if not file.is_file():
            self.send_error(404)
            return
        content = file.read_bytes()
        self.requests.append(self.headers.get("Range", ""))
        if self.path.endswith("?plain"):
            self.send_response(200)
            self.end_headers()
            return
        first, _, last = self.headers["Range"].removeprefix("bytes=").partition("-")
        part = content[int(first) : int(last) + 1]
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.send_header("Content-Length", str(len(part)))
        self.send_header("ETag", '"one"')
        self.end_headers()
        self.wfile.write(part)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Not logged."""


@pytest.fixture
def requests() -> list[str]:
    return []


@pytest.fixture
def address(folder: Path, requests: list[str]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Ranges, folder, requests))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("name", ["probe.ap.cgl", "probe.ap.cbin", "probe.ap.bin"])
def test_indexing_is_numpys(folder: Path, name: str) -> None:
    with Recording.open(folder / name) as recording:
        assert (recording.shape, len(recording), recording.ndim) == ((3_300, 12), 3_300, 2)
        assert (recording.dtype, recording.sample_rate_hz) == (np.dtype("<i2"), 1_000.0)
        keys: list[Any] = [
            np.s_[:],
            np.s_[990:1_010],
            np.s_[-5:],
            np.s_[7],
            np.s_[-1, 3],
            np.s_[100:200, -1],
            np.s_[100:200, 2:5],
            np.s_[100:200, [5, 1, 5]],
            np.s_[2_000:1_000],
            np.s_[10:2_000:7, 1:],
            np.s_[2_000:10:-3],
        ]
        for key in keys:
            assert np.array_equal(recording[key], SAMPLES[key])
        with pytest.raises(IndexError):
            recording[3_300]
        with pytest.raises(IndexError):
            recording[0, 12]


@pytest.mark.parametrize("name", ["probe.ap.cgl", "probe.ap.cbin"])
def test_an_address_is_read_in_ranges(address: str, name: str) -> None:
    with Recording.open(f"{address}/{name}?signature=abc") as recording:
        assert np.array_equal(recording[1_500:2_500, [0, 11]], SAMPLES[1_500:2_500, [0, 11]])


def renamed(folder: Path, names: dict[str, str]) -> None:
    """Give the probe's files those names, by their extension; all others are gone."""
    for file in list(folder.iterdir()):
        if (name := names.get(file.suffix)) is None:
            file.unlink()
        else:
            file.rename(folder / f"{name}{file.suffix}")


@pytest.mark.parametrize("suffix", [".cgl", ".cbin"])
@pytest.mark.parametrize("meta", [f"probe.ap.{UUIDS[2]}", "probe.ap"], ids=["its uuid", "plain"])
def test_companions_at_an_address_are_matched_by_meaning(
    folder: Path, address: str, suffix: str, meta: str
) -> None:
    """A server answers to names without their UUID; a .meta that contradicts is heard of, wherever it is named."""
    (folder / "probe.ap.meta").write_text("nSavedChans=13\nimSampRate=1000\n")
    name = f"probe.ap.{UUIDS[0]}"
    renamed(folder, {suffix: name, ".ch": "probe.ap", ".meta": meta})
    named = None if meta == "probe.ap" else f"{address}/{meta}.meta"
    with (
        pytest.warns(ContradictedRecording, match="nSavedChans claims 13"),
        Recording.open(f"{address}/{name}{suffix}", meta=named) as recording,
    ):
        assert np.array_equal(recording[1_500:1_600], SAMPLES[1_500:1_600])


def test_the_error_of_a_cbin_at_an_address_without_ch_shows_how_to_name_it(
    folder: Path, address: str
) -> None:
    renamed(folder, {".cbin": f"probe.ap.{UUIDS[0]}", ".ch": f"probe.ap.{UUIDS[1]}"})
    cbin, ch = (f"{address}/probe.ap.{UUIDS[n]}.{end}" for n, end in enumerate(("cbin", "ch")))
    with pytest.raises(InvalidHeader, match="ch=ADDRESS"):
        Recording.open(cbin)
    with Recording.open(cbin, ch=ch) as recording:
        assert recording.shape == SAMPLES.shape


def test_what_was_fetched_once_is_kept(address: str, requests: list[str], tmp_path: Path) -> None:
    def read() -> NDArray[np.int16]:
        with Recording.open(f"{address}/probe.ap.cgl", cache=tmp_path / "cache") as recording:
            return np.asarray(recording[0:3_000])

    first = read()
    n_requests = len(requests)
    assert np.array_equal(read(), first)
    assert requests[n_requests:] == ["bytes=0-0"]


def test_a_server_without_ranges_is_refused_by_name(address: str) -> None:
    with pytest.raises(InvalidHeader, match="range requests"):
        Recording.open(f"{address}/probe.ap.cgl?plain")


def test_every_format_is_exported_to_every_other(folder: Path) -> None:
    raw = digests_of(folder / "probe.ap.bin")
    with Recording.open(folder / "probe.ap.cbin") as recording:
        assert recording.save_cgl(folder / "a.cgl").raw == raw
    with Recording.open(folder / "a.cgl") as recording:
        assert recording.save_cbin(folder / "b.cbin", preset="compatible-fast").raw == raw
    with Recording.open(folder / "b.cbin") as recording:
        assert recording.save_bin(folder / "c.bin") == raw
    assert a_layout(SAMPLES).n_channels == 12
