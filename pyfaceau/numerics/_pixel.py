"""A colour pixel between four others as one value of a kernel, its channels side by side."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from pyfaceau.numerics._vector import splat

_INT = ir.IntType(32)
_LANES = ir.VectorType(_INT, 4)
_BYTES = ir.VectorType(ir.IntType(8), 4)


@intrinsic
def mix_pixels(typingctx: Any, image: Any, at: Any, below: Any, x32: Any, y32: Any) -> Any:
    """Return the three channels between the pixels at `at` and `below` and those to their right.

    `image` is a contiguous uint8 array, `at` and `below` flat indices of pixels of three bytes, of
    which a seventh byte is read too; `x32` and `y32` int32 weights, 0 to 32, of what is right and
    below. Sums are exact and rounded once, half up.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        right, down = (splat(builder, weight, 4) for weight in args[3:])
        whole = ir.Constant(_LANES, [32] * 4)

        def pixel(at: Any, further: int) -> Any:
            place = builder.gep(data, [builder.add(at, ir.Constant(at.type, further))])
            four = builder.load(builder.bitcast(place, _BYTES.as_pointer()), align=1)
            return builder.zext(four, _LANES)

        def between(a: Any, b: Any, weight: Any) -> Any:
            rest = builder.sub(whole, weight)
            return builder.add(builder.mul(a, rest), builder.mul(b, weight))

        upper, lower = (between(pixel(at, 0), pixel(at, 3), right) for at in args[1:3])
        total = builder.add(between(upper, lower, down), ir.Constant(_LANES, [512] * 4))
        mixed = builder.lshr(total, ir.Constant(_LANES, [10] * 4))
        channels = [builder.extract_element(mixed, _INT(c)) for c in range(3)]
        return context.make_tuple(builder, signature.return_type, channels)

    three = types.UniTuple(types.int32, 3)
    return three(image, types.int64, types.int64, types.int32, types.int32), codegen
