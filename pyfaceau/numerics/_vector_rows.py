"""Several vectors at a time as one value of a kernel: running sums, 8 x 8 blocks, float64 lanes.

Rows are a tuple of vectors of `_vector`; their number is part of the type, so that one kernel
serves tiles of four rows and of six.
"""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from pyfaceau.numerics._vector import (
    WIDTH,
    LanesType,
    address,
    call_fma,
    give_operator,
    reader,
    splat,
    vector,
    writer,
)

_FLOAT = ir.FloatType()
_VECTOR = vector.llvm

wide = LanesType(f"float64x{WIDTH}", ir.DoubleType())
"""Eight float64 values."""

give_operator(wide, operator.sub, "fsub")
give_operator(wide, operator.mul, "fmul")


def _lanes(numbers: list[int]) -> Any:
    return ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), numbers)


@intrinsic
def fill(typingctx: Any, value: Any) -> Any:
    """Return a float32 in all lanes."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return splat(builder, args[0])

    return vector(types.float32), codegen


@intrinsic
def widen(typingctx: Any, value: Any) -> Any:
    """Convert a vector to float64."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fpext(args[0], wide.llvm)

    return wide(vector), codegen


@intrinsic
def narrow(typingctx: Any, value: Any) -> Any:
    """Round eight float64 values to float32."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fptrunc(args[0], _VECTOR)

    return vector(wide), codegen


load_wide = reader(wide, align=8)
store_wide = writer(wide, align=8)


@intrinsic
def zero_rows(typingctx: Any, rows: Any) -> Any:
    """Return so many vectors of zeros; their number is a literal."""
    if not isinstance(rows, types.IntegerLiteral):
        return None

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        zeros = [ir.Constant(_VECTOR, [0.0] * WIDTH)] * rows.literal_value
        return context.make_tuple(builder, signature.return_type, zeros)

    return types.UniTuple(vector, rows.literal_value)(rows), codegen


@intrinsic
def fma_rows(typingctx: Any, array: Any, at: Any, x: Any, sums: Any) -> Any:
    """Return ``array[at + r] * x + sums[r]`` for each row r, each with one rounding."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = address(context, builder, signature, args, _FLOAT)
        rows = []
        for r, total in enumerate(cgutils.unpack_tuple(builder, args[3])):
            one = builder.load(builder.gep(place, [ir.IntType(64)(r)]), align=4)
            rows.append(call_fma(builder, splat(builder, one), args[2], total))
        return context.make_tuple(builder, signature.return_type, rows)

    return sums(array, types.int64, vector, sums), codegen


@intrinsic
def add_rows(typingctx: Any, a: Any, b: Any) -> Any:
    """Add rows to as many others."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pairs = zip(*(cgutils.unpack_tuple(builder, rows) for rows in args), strict=True)
        return context.make_tuple(
            builder, signature.return_type, [builder.fadd(x, y) for x, y in pairs]
        )

    return a(a, b), codegen


@intrinsic
def store_rows(typingctx: Any, array: Any, at: Any, step: Any, rows: Any) -> Any:
    """Write row r into a contiguous float32 array from flat index ``at + r * step`` on."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = address(context, builder, signature, args, _FLOAT)
        for row in cgutils.unpack_tuple(builder, args[3]):
            builder.store(row, builder.bitcast(place, _VECTOR.as_pointer()), align=4)
            place = builder.gep(place, [args[2]])
        return context.get_dummy_value()

    return types.void(array, types.int64, types.int64, rows), codegen


@intrinsic
def transpose(typingctx: Any, rows: Any) -> Any:
    """Turn eight vectors around: lane c of row r becomes lane r of row c."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        block = cgutils.unpack_tuple(builder, args[0])
        for half in (4, 2, 1):  # swap the off-diagonal quarters, then those of each quarter
            low = [c + (WIDTH - half if c & half else 0) for c in range(WIDTH)]
            high = [lane + half for lane in low]
            turned = list(block)
            for r in range(WIDTH):
                if not r & half:
                    pair = block[r], block[r + half]
                    turned[r] = builder.shuffle_vector(*pair, _lanes(low))
                    turned[r + half] = builder.shuffle_vector(*pair, _lanes(high))
            block = turned
        return context.make_tuple(builder, signature.return_type, block)

    return rows(rows), codegen
