"""Eight float32 values as one value of a kernel, kept in a vector register.

Numba keeps arrays in memory, so a running sum written as a loop over an array stores and loads its
elements at every step. A kernel that names its sums as vectors holds them in registers. ``+ - *``
work lane by lane; a processor without such registers gets the same bits from smaller ones.
"""

from __future__ import annotations

import operator
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

WIDTH = 8
"""Lanes of a vector."""

_FLOAT = ir.FloatType()
_VECTOR = ir.VectorType(_FLOAT, WIDTH)


class LanesType(types.Type):  # type: ignore[misc]
    """Numba's type of `WIDTH` values of one kind side by side; it exists inside kernels alone.

    Parameters
    ----------
    name : str
        What Numba calls it.
    element : LLVM type
        Of one lane.
    """

    def __init__(self, name: str, element: Any) -> None:
        super().__init__(name=name)
        self.llvm = ir.VectorType(element, WIDTH)


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, type_: Any) -> None:
        super().__init__(manager, type_, type_.llvm)


vector = LanesType(f"float32x{WIDTH}", _FLOAT)


def give_operator(kind: Any, function: Any, instruction: str) -> None:
    """Let kernels apply a Python operator to two values of a type, by an LLVM instruction."""

    @infer_global(function)
    class Template(ConcreteTemplate):  # type: ignore[misc]
        cases = [signature(kind, kind, kind)]  # noqa: RUF012

    @lower_builtin(function, kind, kind)
    def lower(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return getattr(builder, instruction)(*args)


give_operator(vector, operator.add, "fadd")
give_operator(vector, operator.sub, "fsub")
give_operator(vector, operator.mul, "fmul")


def splat(builder: Any, value: Any, count: int = WIDTH) -> Any:
    """Return an LLVM vector of `count` lanes that all hold one value."""
    lanes = ir.VectorType(ir.IntType(32), count)
    undefined = ir.Constant(ir.VectorType(value.type, count), ir.Undefined)
    first = builder.insert_element(undefined, value, ir.IntType(32)(0))
    return builder.shuffle_vector(first, undefined, ir.Constant(lanes, [0] * count))


def address(context: Any, builder: Any, signature: Any, args: Any, kind: Any) -> Any:
    """Return where the element of the first argument lies that the second one counts."""
    data = context.make_array(signature.args[0])(context, builder, args[0]).data
    return builder.bitcast(builder.gep(data, [args[1]]), kind.as_pointer())


def reader(kind: LanesType, align: int) -> Any:
    """Return what reads lanes of a contiguous array from a flat index on."""

    @intrinsic
    def load(typingctx: Any, array: Any, at: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            place = address(context, builder, signature, args, kind.llvm)
            return builder.load(place, align=align)

        return kind(array, types.int64), codegen

    return load


def writer(kind: LanesType, align: int) -> Any:
    """Return what writes lanes into a contiguous array from a flat index on."""

    @intrinsic
    def store(typingctx: Any, array: Any, at: Any, value: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            place = address(context, builder, signature, args, kind.llvm)
            builder.store(args[2], place, align=align)
            return context.get_dummy_value()

        return types.void(array, types.int64, kind), codegen

    return store


load = reader(vector, align=4)
store = writer(vector, align=4)


@intrinsic
def load_apart(typingctx: Any, array: Any, at: Any) -> Any:
    """Read eight floats two apart, those at flat index `at`, `at` + 2, ..., `at` + 14."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        # Both loads end within the fifteen floats.
        seventh = builder.add(args[1], ir.Constant(args[1].type, WIDTH - 1))
        low, high = (
            builder.load(address(context, builder, signature, [args[0], place], _VECTOR), align=4)
            for place in (args[1], seventh)
        )
        lanes = [0, 2, 4, 6, *(WIDTH + lane for lane in (1, 3, 5, 7))]
        return builder.shuffle_vector(
            low, high, ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), lanes)
        )

    return vector(array, types.int64), codegen


@intrinsic
def spread(typingctx: Any, array: Any, at: Any) -> Any:
    """Read one float of a contiguous float32 array into all lanes."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        place = address(context, builder, signature, args, _FLOAT)
        return splat(builder, builder.load(place, align=4))

    return vector(array, types.int64), codegen


@intrinsic
def zeros(typingctx: Any) -> Any:
    """Return a vector of zeros."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return ir.Constant(_VECTOR, [0.0] * WIDTH)

    return vector(), codegen


def call_fma(builder: Any, a: Any, b: Any, c: Any) -> Any:
    """Emit a * b + c with one rounding in each lane of LLVM vectors of float32."""
    kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
    name = f"llvm.fma.v{WIDTH}f32"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [a, b, c])


@intrinsic
def fma8(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a * b + c with one rounding, lane by lane."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return call_fma(builder, *args)

    return vector(vector, vector, vector), codegen


@intrinsic
def larger(typingctx: Any, a: Any, b: Any) -> Any:
    """Return a where a > b, else b, lane by lane, as Python's ``max(b, a)``."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", *args), *args)

    return vector(vector, vector), codegen
