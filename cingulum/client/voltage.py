"""The voltage of a probe as an array of seconds or samples and channels, in microvolts or as recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, Literal, Self

import httpx
import numpy as np
from numpy.typing import NDArray

from cingulum.client.problems import ClientError
from cingulum.codec.recording import Recording
from cingulum.http import Unreachable
from cingulum.http.errors import check

Units = Literal["uV", "int"]
RECORDINGS: Final = (".cgl", ".cbin", ".bin")


class Voltage:
    """`voltage[600.0:605.0, :16]`: floats are seconds, integers are samples; only what is needed is read.

    Array    (n_samples, n_channels); float32 microvolts, or with units="int" the type it was recorded in
    Volts    channels of bits, such as the sync word, have none: select others, or units="int"
    """

    def __init__(self, recording: Recording, uv_per_bit: Sequence[float | None] | None, units: Units) -> None:
        if units not in {"uV", "int"}:
            raise ClientError(f"units {units!r}: pass 'uV' or 'int'")
        self._recording, self.units = recording, units
        self._uv_per_bit = uv_per_bit
        if units == "uV" and uv_per_bit is None:
            recording.close()
            raise ClientError("the recording has no .meta, which holds the scale in volts: pass units='int'")

    @property
    def shape(self) -> tuple[int, int]:
        """(n_samples, n_channels)."""
        return self._recording.shape

    @property
    def sample_rate_hz(self) -> float:
        """Samples per second, as measured."""
        return self._recording.sample_rate_hz

    @property
    def duration_s(self) -> float:
        """From the first sample to the end of the last one."""
        return self.shape[0] / self.sample_rate_hz

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> NDArray[Any]:
        time, channels = key if isinstance(key, tuple) else (key, slice(None))
        numbers = np.arange(self.shape[1])[channels]
        if self.units == "int":
            return self._read(time, channels)
        factors = self._factors(np.atleast_1d(numbers))
        scaled = self._read(time, channels).astype(np.float32) * (factors if np.ndim(numbers) else factors[0])
        return np.asarray(scaled, np.float32)

    def close(self) -> None:
        """Close the file or connection."""
        self._recording.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        n_samples, n_channels = self.shape
        return (
            f"<Voltage {n_samples} samples × {n_channels} channels, {self.sample_rate_hz:g} Hz, {self.units}>"
        )

    def _read(self, time: Any, channels: Any) -> NDArray[Any]:
        with server_refusals():
            return self._recording[_samples(time, self.sample_rate_hz), channels]

    def _factors(self, numbers: NDArray[np.int64]) -> NDArray[np.float32]:
        factors = [(self._uv_per_bit or [])[number] for number in numbers]
        bits = [int(number) for number, factor in zip(numbers, factors, strict=True) if factor is None]
        if bits:
            raise ClientError(
                f"channel {bits[0]} has bits, not volts: select others, such as […, :{bits[0]}], or units='int'"
            )
        return np.array(factors, np.float32)


@contextmanager
def server_refusals() -> Iterator[None]:
    """Errors of the slice service as those of all other requests."""
    try:
        yield
    except httpx.HTTPStatusError as error:
        error.response.read()
        check(error.response)
        raise
    except httpx.TransportError as error:
        raise Unreachable(
            f"{error.request.url.host} does not respond ({str(error) or repr(error)})"
        ) from error


def _samples(time: Any, rate_hz: float) -> Any:
    """Seconds as samples; samples as they are.

    >>> _samples(slice(0.5, 1.0), 30_000.0), _samples(slice(0, 10), 30_000.0), _samples(0.1, 1000.0)
    (slice(15000, 30000, None), slice(0, 10, None), 100)
    """
    if isinstance(time, slice):
        return slice(_sample(time.start, rate_hz), _sample(time.stop, rate_hz), time.step)
    return _sample(time, rate_hz)


def _sample(time: Any, rate_hz: float) -> Any:
    return round(time * rate_hz) if isinstance(time, float | np.floating) else time
