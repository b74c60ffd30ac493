"""Sixteen-bit fixed point for kernels, in the operations that vector units have.

Numba widens every integer to 64 bits, which leaves a vector register two of them; these keep their
width.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_16 = ir.IntType(16)
_32 = ir.IntType(32)


@intrinsic
def high16(typingctx: Any, a: Any, b: Any) -> Any:
    """Return (a * b) >> 16 of two int16, rounded down: the upper half of the product."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        product = builder.mul(*(builder.sext(value, _32) for value in args))
        return builder.trunc(builder.ashr(product, _32(16)), _16)

    return types.int16(types.int16, types.int16), codegen


@intrinsic
def plus16(typingctx: Any, a: Any, b: Any) -> Any:
    """Return a + b of two int16, an int16 that wraps."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.add(*args)

    return types.int16(types.int16, types.int16), codegen


@intrinsic
def lift16(typingctx: Any, a: Any, bits: Any) -> Any:
    """Return the low 16 bits of an unsigned value shifted left, as an int16."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value = args[0] if args[0].type == _16 else builder.zext(args[0], _16)
        return builder.shl(value, args[1])

    return types.int16(a, types.int16), codegen


@intrinsic
def to_byte(typingctx: Any, a: Any) -> Any:
    """Return an int16 limited to 0 to 255, as uint8."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value = args[0]
        value = builder.select(builder.icmp_signed(">", value, _16(0)), value, _16(0))
        value = builder.select(builder.icmp_signed("<", value, _16(255)), value, _16(255))
        return builder.trunc(value, ir.IntType(8))

    return types.uint8(types.int16), codegen


@intrinsic
def twice(typingctx: Any, a: Any) -> Any:
    """Return an int16 twice, side by side in an int32."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value = builder.zext(args[0], _32)
        return builder.or_(value, builder.shl(value, _32(16)))

    return types.int32(types.int16), codegen
