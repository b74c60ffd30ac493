"""One register tile of a float32 matrix product, as an LLVM function of its own.

Numba keeps arrays in memory, so a product written as loops stores and loads its accumulators at
every step. A tile holds R x 8 of them in vector registers while k runs.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

LANES = 8
"""Columns of a tile."""

_VECTOR = ir.VectorType(ir.FloatType(), LANES)


@intrinsic
def fma_tile(
    typingctx: Any, rows: Any, a: Any, a_k: Any, a_r: Any, b: Any, b_k: Any, span: Any, out: Any,
    out_r: Any,
) -> Any:  # fmt: skip
    """Continue R x 8 sums of products: out[r, c] = fma(A[k, r], B[k, c], out[r, c]) for each k.

    Parameters
    ----------
    rows : literal int
        R.
    a, b, out : int
        Addresses of A[0, 0], B[0, 0] and out[0, 0], float32; what they point to must stay alive.
    a_k, a_r, b_k, out_r : int
        Steps in elements: of A from k to k + 1 and from r to r + 1, of B from k to k + 1, of `out`
        from r to r + 1. Columns of B and `out` are contiguous.
    span : (int, int, int)
        First k, end of k, step of k.
    """
    if not isinstance(rows, types.IntegerLiteral):
        return None
    count = rows.literal_value
    word = types.int64
    signature = types.void(
        rows, word, word, word, word, word, types.containers.UniTuple(word, 3), word, word
    )

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _, a, a_k, a_r, b, b_k, span, out, out_r = args
        start, stop, step = (builder.extract_value(span, i) for i in range(3))
        return _emit(context, builder, count, a, a_k, a_r, b, b_k, (start, stop, step), out, out_r)

    return signature, codegen


def _emit(
    context: Any, builder: Any, rows: int, a: Any, a_k: Any, a_r: Any, b: Any, b_k: Any, span: Any,
    out: Any, out_r: Any,
) -> Any:  # fmt: skip
    """Emit the loop over k with its accumulators as phi nodes."""
    word, single = ir.IntType(64), ir.FloatType()
    kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
    fma = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{LANES}f32")
    start, stop, step = span

    def at(base: Any, *offsets: Any) -> Any:
        """Return the address of an element, its offset given as a sum of products."""
        total: Any = ir.Constant(word, 0)
        for x, y in offsets:
            total = builder.add(total, builder.mul(x, y))
        return builder.add(base, builder.mul(total, ir.Constant(word, 4)))

    def vector(address: Any) -> Any:
        return builder.inttoptr(address, _VECTOR.as_pointer())

    index = [ir.Constant(word, r) for r in range(rows)]
    first = [builder.load(vector(at(out, (r, out_r))), align=4) for r in index]
    before = builder.block
    loop, body, done = (builder.append_basic_block(f"tile.{n}") for n in ("loop", "body", "done"))
    builder.branch(loop)

    builder.position_at_end(loop)
    k = builder.phi(word)
    k.add_incoming(start, before)
    sums = [builder.phi(_VECTOR) for _ in index]
    for total, value in zip(sums, first, strict=True):
        total.add_incoming(value, before)
    builder.cbranch(builder.icmp_signed("<", k, stop), body, done)

    builder.position_at_end(body)
    columns = builder.load(vector(at(b, (k, b_k))), align=4)
    lane = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
    for r, total in zip(index, sums, strict=True):
        pointer = builder.inttoptr(at(a, (k, a_k), (r, a_r)), single.as_pointer())
        one = builder.insert_element(
            ir.Constant(_VECTOR, ir.Undefined), builder.load(pointer, align=4), ir.IntType(32)(0)
        )
        spread = builder.shuffle_vector(one, ir.Constant(_VECTOR, ir.Undefined), lane)
        total.add_incoming(builder.call(fma, [spread, columns, total]), body)
    k.add_incoming(builder.add(k, step), body)
    builder.branch(loop)

    builder.position_at_end(done)
    for r, total in zip(index, sums, strict=True):
        builder.store(total, vector(at(out, (r, out_r))), align=4)
    return context.get_dummy_value()
