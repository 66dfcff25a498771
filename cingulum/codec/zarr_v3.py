"""The chunk codec as a bytes codec of Zarr version 3; zarr finds it by entry point."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from zarr.abc.codec import BytesBytesCodec

from cingulum.codec.chunk_decoder import decode
from cingulum.codec.chunk_encoder import PRESETS, Preset, encode
from cingulum.codec.zarr_v2 import by_time


@dataclass(frozen=True)
class CingulumBytes(BytesBytesCodec):
    """Compresses little-endian chunks whose first axis is time: follows zarr's own `bytes` codec.

    zarr.create_array(..., compressors=[CingulumBytes(preset="fast")])
    """

    preset: Preset = "small"
    is_fixed_size = False

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise ValueError(f"{self.preset!r} is not a preset: small or fast")

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """The codec from its entry in the array's metadata."""
        return cls(**data.get("configuration", {}))

    def to_dict(self) -> dict[str, Any]:
        """The codec's entry in the array's metadata."""
        return {"name": "cingulum", "configuration": {"preset": self.preset}}

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: Any) -> int:
        """Not known beforehand."""
        raise NotImplementedError(f"{input_byte_length} bytes of {chunk_spec} may have any size")

    async def _encode_single(self, chunk_data: Any, chunk_spec: Any) -> Any:
        dtype = np.dtype(chunk_spec.dtype.to_native_dtype()).newbyteorder("<")
        array = np.frombuffer(chunk_data.to_bytes(), dtype).reshape(chunk_spec.shape)
        coded = await asyncio.to_thread(encode, by_time(array), preset=self.preset)
        return chunk_spec.prototype.buffer.from_bytes(coded)

    async def _decode_single(self, chunk_data: Any, chunk_spec: Any) -> Any:
        samples = await asyncio.to_thread(decode, chunk_data.to_bytes())
        return chunk_spec.prototype.buffer.from_bytes(samples.tobytes())
