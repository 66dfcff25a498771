"""Selects the implementation of the arithmetic: numba if it is installed, else numpy."""

from __future__ import annotations

from functools import cache
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from cingulum.codec import plain, plain_rans
from cingulum.codec.parts import Prediction, Residuals, Streams

KernelName = Literal["numpy", "numba"]


class Turn(Protocol):
    """Rows of channels in coding order, minus their offsets, from (n_samples, n_channels)."""

    def __call__(
        self, samples: NDArray[np.int16], offsets: NDArray[np.int16], order: NDArray[np.int64], segments: int
    ) -> NDArray[np.int16]: ...


class Forward(Protocol):
    """Residuals of rows of samples, and counts of their symbols' bytes (n_channels, 256)."""

    def __call__(
        self, rows: NDArray[np.int16], prediction: Prediction, *, numbered: bool
    ) -> tuple[Residuals, NDArray[np.int64]]: ...


class Backward(Protocol):
    """Samples (n_samples, n_columns) from residuals."""

    def __call__(
        self,
        parts: Residuals,
        prediction: Prediction,
        offsets: NDArray[np.int16],
        columns: NDArray[np.int64],
        n_columns: int,
    ) -> NDArray[np.int16]: ...


class RansEncode(Protocol):
    """Final states (n_channels, n_ways), numbers of words (n_channels,), and all words."""

    def __call__(
        self, symbols: NDArray[np.uint8], frequencies: NDArray[np.uint32]
    ) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.uint32]]: ...


class RansDecode(Protocol):
    """Symbols (n_channels, n_samples), and the states and places at the end."""

    def __call__(
        self, streams: Streams, frequencies: NDArray[np.uint32], n_samples: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint64], NDArray[np.int64]]: ...


class Kernel(NamedTuple):
    """The five loops that take most of the time."""

    turn: Turn
    forward: Forward
    backward: Backward
    rans_encode: RansEncode
    rans_decode: RansDecode


@cache
def kernel_named(name: KernelName | None = None) -> Kernel:
    """The kernel of that name; without a name, the fastest installed one.

    >>> kernel_named("numpy").forward.__module__
    'cingulum.codec.plain'
    """
    numpy_kernel = Kernel(
        plain.turn, plain.forward, plain.backward, plain_rans.rans_encode, plain_rans.rans_decode
    )
    if name == "numpy":
        return numpy_kernel
    if name not in (None, "numba"):
        raise ValueError(f"{name!r} is not a kernel: numpy or numba")
    try:
        from cingulum.codec import compiled, compiled_backward, compiled_rans
    except ImportError:
        if name == "numba":
            raise
        return numpy_kernel
    return Kernel(
        compiled.turn,
        compiled.forward,
        compiled_backward.backward,
        compiled_rans.rans_encode,
        compiled_rans.rans_decode,
    )
