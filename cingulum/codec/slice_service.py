"""A recording behind our slice service: the server decodes and sends only the requested samples."""

from __future__ import annotations

import hashlib
import io
import os
import uuid
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from cingulum.codec.chunked import ChunkedReader, Samples
from cingulum.codec.errors import InvalidHeader, SourceChanged
from cingulum.codec.source import chunk_edges


class SliceReader(ChunkedReader):
    """Samples by second from `…/slices/{dataset}`; a folder caches fetched seconds.

    Raises httpx.HTTPError if the service cannot be reached or refuses, InvalidHeader if it does not
    know the recording, SourceChanged if the samples do not have the announced shape.
    """

    def __init__(self, address: str, client: httpx.Client, cache: Path | None = None) -> None:
        self._address, self._client = address.partition("?")[0].rstrip("/"), client
        about = self._describe()
        self.contradictions = [str(doubt) for doubt in about.get("doubts", [])]
        n_samples, rate = int(about["n_samples"]), float(about["sample_rate_hz"])
        bounds = chunk_edges(n_samples, max(1, round(rate)))
        super().__init__(
            self._no_range,
            dtype=np.dtype(about["dtype"]),
            n_channels=int(about["n_channels"]),
            sample_rate_hz=rate,
            chunk_bounds=bounds,
            chunk_offsets=range(len(bounds)),
        )
        self._folder = None if cache is None else cache / about["sha256"]
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)

    def read_chunk(self, chunk: int, channels: NDArray[np.int64] | None = None) -> Samples:
        """One second, of these channels only."""
        names = "" if channels is None else ",".join(map(str, channels.tolist()))
        cached = None
        if self._folder is not None:
            cached = self._folder / f"{chunk}-{hashlib.sha256(names.encode()).hexdigest()[:32]}.npy"
            if cached.exists():
                return self.decode_chunk(chunk, cached.read_bytes(), channels)
        content = self._fetch(chunk, names)
        samples = self.decode_chunk(chunk, content, channels)
        if cached is not None:
            part = cached.with_name(f".{uuid.uuid4().hex}")
            part.write_bytes(content)
            os.replace(part, cached)  # noqa: PTH105  atomic also where the file appeared meanwhile
        return samples

    def decode_chunk(self, chunk: int, data: bytes, channels: NDArray[np.int64] | None = None) -> Samples:
        samples: Samples = np.load(io.BytesIO(data), allow_pickle=False)
        n_samples = self.chunk_bounds[chunk + 1] - self.chunk_bounds[chunk]
        width = self.n_channels if channels is None else len(channels)
        if samples.shape != (n_samples, width) or samples.dtype != self.dtype:
            raise SourceChanged(f"{self._address} sent another shape than announced: {samples.shape}")
        return samples

    def _fetch(self, chunk: int, names: str) -> bytes:
        start, stop = self.chunk_bounds[chunk], self.chunk_bounds[chunk + 1]
        query = {"t0": repr(start / self.sample_rate_hz), "t1": repr(stop / self.sample_rate_hz)}
        if names:
            query["channels"] = names
        answer = self._client.get(self._address, params=query)
        answer.raise_for_status()
        return answer.content

    def _describe(self) -> dict[str, Any]:
        service, _, dataset = self._address.rpartition("/")
        answer = self._client.get(service, params={"dataset": dataset})
        answer.raise_for_status()
        results = answer.json()["results"]
        if not results:
            raise InvalidHeader(f"{service} has no readable recording {dataset}")
        return dict(results[0])

    def _no_range(self, offset: int, length: int) -> bytes:
        raise AssertionError(f"bytes {offset} to {offset + length}: the service provides samples")
