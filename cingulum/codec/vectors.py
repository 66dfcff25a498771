"""Sixteen-bit numbers 32 at a time, for compiled code: LLVM's vectors, mapped to the processor's instructions.

Independent of the processor: if registers are narrower, a vector fills several of them.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic, models, register_model

LANES = 32


class Vector(types.Type):
    """LANES integers of some bits each, in registers."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        super().__init__(name=f"Vector({bits} x {LANES})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Vector) -> None:
        super().__init__(manager, kind, _type(kind))  # type: ignore[no-untyped-call]


def _type(kind: Vector) -> Any:
    return ir.VectorType(ir.IntType(kind.bits), LANES)


SHORTS, WORDS = Vector(16), Vector(32)


def _load(_context: Any, array: Any, place: Any) -> Any:
    """The 16-bit numbers of a flat array from item `place` on; the memory behind them must be readable."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load(_address(context, builder, signature, values, _type(SHORTS)), align=1)

    return SHORTS(array, place), generate


def _store(_context: Any, array: Any, place: Any, vector: Any) -> Any:
    """Write a vector of 16-bit numbers into a flat array from item `place` on."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.store(values[2], _address(context, builder, signature, values, _type(SHORTS)), align=1)
        return context.get_dummy_value()

    return types.void(array, place, vector), generate


def _address(context: Any, builder: Any, signature: Any, values: Any, kind: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, values[0])
    place = context.cast(builder, values[1], signature.args[1], types.intp)
    return builder.bitcast(builder.gep(array.data, [place]), kind.as_pointer())


def _filled(_context: Any, number: Any) -> Any:
    """A vector of LANES copies of one 32-bit number."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        word = context.cast(builder, values[0], signature.args[0], types.int32)
        kind = _type(WORDS)
        single = builder.insert_element(ir.Constant(kind, ir.Undefined), word, ir.Constant(ir.IntType(32), 0))
        places = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        return builder.shuffle_vector(single, ir.Constant(kind, ir.Undefined), places)

    return WORDS(number), generate


def _widened(_context: Any, shorts: Any) -> Any:
    """The same numbers in 32 bits."""
    return WORDS(shorts), lambda _c, builder, _s, values: builder.sext(values[0], _type(WORDS))


def _narrowed(_context: Any, words: Any) -> Any:
    """The lower 16 bits of each."""
    return SHORTS(words), lambda _c, builder, _s, values: builder.trunc(values[0], _type(SHORTS))


def _plus(_context: Any, a: Any, b: Any) -> Any:
    """Sums, modulo 2^16 or 2^32."""
    return a(a, b), lambda _c, builder, _s, values: builder.add(*values)


def _times(_context: Any, a: Any, b: Any) -> Any:
    """Products, modulo 2^16 or 2^32."""
    return a(a, b), lambda _c, builder, _s, values: builder.mul(*values)


def _shifted(by: Any, name: str) -> Any:
    def typed(_context: Any, a: Any) -> Any:
        def generate(_c: Any, builder: Any, signature: Any, values: Any) -> Any:
            kind = _type(signature.args[0])
            return getattr(builder, name)(values[0], ir.Constant(kind, [by] * LANES))

        return a(a), generate

    return intrinsic(typed)


def left(by: int) -> Any:
    """A compiled function that shifts a vector left by a constant."""
    return _shifted(by, "shl")


def right(by: int) -> Any:
    """A compiled function that shifts a vector right by a constant, and keeps signs."""
    return _shifted(by, "ashr")


def _turn_square(_context: Any, source: Any, at: Any, stride: Any, target: Any, to: Any, width: Any) -> Any:
    """Numbers (i, k) of 16 lines of 8, at source[at + i * stride + k], to target[to + k * width + i]."""

    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        half, whole = ir.VectorType(ir.IntType(16), 8), ir.VectorType(ir.IntType(16), 16)
        from_, to_ = (context.make_array(signature.args[i])(context, builder, values[i]).data for i in (0, 3))
        at, stride, to, width = (
            context.cast(builder, values[i], signature.args[i], types.intp) for i in (1, 2, 4, 5)
        )

        def pick(a: Any, b: Any, places: list[int]) -> Any:
            return builder.shuffle_vector(
                a, b, ir.Constant(ir.VectorType(ir.IntType(32), len(places)), places)
            )

        def line(i: int) -> Any:
            place = builder.add(at, builder.mul(stride, ir.Constant(stride.type, i)))
            return builder.load(builder.bitcast(builder.gep(from_, [place]), half.as_pointer()), align=1)

        rows = [pick(line(i), line(i + 8), list(range(16))) for i in range(8)]
        # Per half: three times, interleave the first four numbers of two lines, then their last four.
        low = [8 * part + k // 2 + 16 * (k % 2) for part in (0, 1) for k in range(8)]
        high = [place + 4 for place in low]
        for _ in range(3):
            rows = [pick(rows[i], rows[i + 4], part) for i in range(4) for part in (low, high)]
        for k, row in enumerate(rows):
            place = builder.add(to, builder.mul(width, ir.Constant(width.type, k)))
            builder.store(row, builder.bitcast(builder.gep(to_, [place]), whole.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(source, at, stride, target, to, width), generate


load: Any = intrinsic(_load)
store: Any = intrinsic(_store)
filled: Any = intrinsic(_filled)
widened: Any = intrinsic(_widened)
narrowed: Any = intrinsic(_narrowed)
plus: Any = intrinsic(_plus)
times: Any = intrinsic(_times)
turn_square: Any = intrinsic(_turn_square)
