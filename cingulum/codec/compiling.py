"""Compiles functions with numba, and adds what numba lacks: unaligned words, and the high half of a product."""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.extending import intrinsic

# Compiled code does not need the interpreter lock, so threads run in parallel. It is cached
# beside this file, or in NUMBA_CACHE_DIR.
compiled = njit(nogil=True, cache=True, boundscheck=False)


def _load64(_context: Any, array: Any, place: Any) -> Any:
    """Eight bytes of a contiguous array from item `place` on, with any alignment; little-endian."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load(_pointer(context, builder, signature, values), align=1)

    return types.uint64(array, place), generate


def _store64(_context: Any, array: Any, place: Any, word: Any) -> Any:
    """Write eight bytes into a contiguous array from item `place` on."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        word = context.cast(builder, values[2], signature.args[2], types.uint64)
        builder.store(word, _pointer(context, builder, signature, values), align=1)
        return context.get_dummy_value()

    return types.void(array, place, word), generate


def _high_product(_context: Any, _a: Any, _b: Any) -> Any:
    """The upper 64 bits of the product of two unsigned 64-bit numbers."""

    def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        wide = ir.IntType(128)
        product = builder.mul(builder.zext(values[0], wide), builder.zext(values[1], wide))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), generate


def _pointer(context: Any, builder: Any, signature: Any, values: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, values[0])
    place = context.cast(builder, values[1], signature.args[1], types.intp)
    return builder.bitcast(builder.gep(array.data, [place]), ir.IntType(64).as_pointer())


load64: Any = intrinsic(_load64)
store64: Any = intrinsic(_store64)
high_product: Any = intrinsic(_high_product)
