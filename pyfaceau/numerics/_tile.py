"""Register tiles of float32 matrix products and convolutions, as loops of LLVM's own language.

Numba keeps arrays in memory, so a product written as loops stores and loads its accumulators at
every step. A tile holds R x 8 or R x 16 of them in vector registers while k runs.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from pyfaceau.numerics._vector import WIDTH, call_fma, splat

_VECTOR = ir.VectorType(ir.FloatType(), WIDTH)
_WORD = ir.IntType(64)


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

        def factors(k: Any) -> list[tuple[Any, Any]]:
            columns = _load(builder, _at(builder, b, (k, b_k)))
            return [
                (_spread(builder, _at(builder, a, (k, a_k), (_word(r), a_r))), columns)
                for r in range(count)
            ]

        places = [_at(builder, out, (_word(r), out_r)) for r in range(count)]
        before = [_load(builder, place) for place in places]
        spanned = [builder.extract_value(span, i) for i in range(3)]
        for place, total in zip(places, _chains(builder, spanned, before, factors), strict=True):
            _store(builder, total, place)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def sum_taps(
    typingctx: Any, rows: Any, weights: Any, w_r: Any, x: Any, gap: Any, offsets: Any, ends: Any,
    out: Any, out_r: Any, out_gap: Any, fresh: Any,
) -> Any:  # fmt: skip
    """Add R x 2 x 8 sums of products: out[r, v, c] += sum of W[r, k] x[offsets[k] + v gap + c].

    A sum is that of two chains of fused multiply-adds from 0, over one range of k and the next.

    Parameters
    ----------
    rows : literal int
        R. Each row is two sums that run side by side: five rows hide the latency of a multiply-add
        and leave enough of sixteen registers for what is multiplied.
    weights, x, offsets : int
        Addresses of W[0, 0] and x[0], float32, and of offsets[0], int64; what these and `out`
        point to must stay alive.
    w_r, gap : int
        Steps in elements: of W from r to r + 1, of x from one vector to the other.
    ends : (int, int, int)
        First k, end of the first chain and of the second, which may be empty.
    out, out_r, out_gap : int
        Address of out[0, 0, 0], float32, and its steps in elements from r to r + 1 and from one
        vector to the other.
    fresh : bool
        Whether `out` counts as 0, whatever it holds.
    """
    if not isinstance(rows, types.IntegerLiteral):
        return None
    count = rows.literal_value

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _, weights, w_r, x, gap, offsets, ends, out, out_r, out_gap, fresh = args

        def factors(k: Any) -> list[tuple[Any, Any]]:
            place = builder.add(offsets, builder.shl(k, _word(3)))
            offset = builder.load(builder.inttoptr(place, _WORD.as_pointer()))
            tap = _at(builder, x, (offset, _word(1)))
            taps = [_load(builder, _at(builder, tap, (_word(v), gap))) for v in range(2)]
            spread = [
                _spread(builder, _at(builder, weights, (k, _word(1)), (_word(r), w_r)))
                for r in range(count)
            ]
            return list(itertools.product(spread, taps))

        zeros = [ir.Constant(_VECTOR, [0.0] * WIDTH)] * (2 * count)
        first, middle, stop = (builder.extract_value(ends, i) for i in range(3))
        sums = _chains(builder, (first, middle, _word(1)), zeros, factors)
        more = _chains(builder, (middle, stop, _word(1)), zeros, factors)
        for (r, v), a, b in zip(itertools.product(range(count), range(2)), sums, more, strict=True):
            place = _at(builder, out, (_word(r), out_r), (_word(v), out_gap))
            before = builder.select(fresh, zeros[0], _load(builder, place))
            _store(builder, builder.fadd(before, builder.fadd(a, b)), place)
        return context.get_dummy_value()

    word = types.int64
    span = types.containers.UniTuple(word, 3)
    signature = types.void(
        rows, word, word, word, word, word, span, word, word, word, types.boolean
    )
    return signature, codegen


@intrinsic
def limited_tile(
    typingctx: Any, rows: Any, weights: Any, x: Any, count: Any, before: Any, fresh: Any,
    least: Any, out: Any, step: Any,
) -> Any:  # fmt: skip
    """Set R x 16 sums of products: out[r, c] = max(least, before[r, c] + sum of W[k, r] x[k, c]).

    A sum is one chain of fused multiply-adds that begins with what was before.

    Parameters
    ----------
    rows : literal int
        R; six leave enough of sixteen registers for what is multiplied.
    weights, x : int
        Addresses of W[0, 0], (count, R) float32 without gaps, and of x[0, 0], (count, 16) without
        gaps; what these and the others point to must stay alive.
    count : int
        Number of k.
    before : int
        Address of before[0, 0].
    fresh : bool
        Whether `before` counts as 0, whatever is there.
    least : float32
        Smallest result, may be minus infinity.
    out : int
        Address of out[0, 0].
    step : int
        Elements of `before` and of `out` from r to r + 1.
    """
    if not isinstance(rows, types.IntegerLiteral):
        return None
    high = rows.literal_value
    word = types.int64

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _, weights, x, count, before, fresh, least, out, step = args

        def factors(k: Any) -> list[tuple[Any, Any]]:
            taps = [_load(builder, _at(builder, x, (k, _word(16)), (_word(v), _word(WIDTH))))
                    for v in range(2)]  # fmt: skip
            spread = [
                _spread(builder, _at(builder, weights, (k, _word(high)), (_word(r), _word(1))))
                for r in range(high)
            ]
            return list(itertools.product(spread, taps))

        def places(base: Any) -> list[Any]:
            return [
                _at(builder, base, (_word(r), step), (_word(v), _word(WIDTH)))
                for r, v in itertools.product(range(high), range(2))
            ]

        zero = ir.Constant(_VECTOR, [0.0] * WIDTH)
        begun = [builder.select(fresh, zero, _load(builder, place)) for place in places(before)]
        sums = _chains(builder, (_word(0), count, _word(1)), begun, factors)
        floor = splat(builder, least)
        for place, total in zip(places(out), sums, strict=True):
            above = builder.fcmp_ordered(">", total, floor)
            _store(builder, builder.select(above, total, floor), place)
        return context.get_dummy_value()

    signature = types.void(rows, word, word, word, word, types.boolean, types.float32, word, word)
    return signature, codegen


def _word(value: int) -> Any:
    return ir.Constant(_WORD, value)


def _at(builder: Any, base: Any, *offsets: Any) -> Any:
    """Return the address of an element, its offset given as a sum of products."""
    total: Any = _word(0)
    for x, y in offsets:
        total = builder.add(total, builder.mul(x, y))
    return builder.add(base, builder.mul(total, _word(4)))


def _load(builder: Any, address: Any) -> Any:
    return builder.load(builder.inttoptr(address, _VECTOR.as_pointer()), align=4)


def _store(builder: Any, value: Any, address: Any) -> None:
    builder.store(value, builder.inttoptr(address, _VECTOR.as_pointer()), align=4)


def _spread(builder: Any, address: Any) -> Any:
    """Return a vector with one float in all lanes."""
    value = builder.load(builder.inttoptr(address, ir.FloatType().as_pointer()), align=4)
    return splat(builder, value)


def _chains(
    builder: Any, span: Any, before: list[Any], factors: Callable[[Any], list[tuple[Any, Any]]]
) -> list[Any]:
    """Emit the loop sum = fma(a, b, sum), its sums phi nodes, (a, b) of each from factors(k)."""
    start, stop, step = span
    entry = builder.block
    loop, body, done = (builder.append_basic_block(f"tile.{n}") for n in ("loop", "body", "done"))
    builder.branch(loop)

    builder.position_at_end(loop)
    k = builder.phi(_WORD)
    k.add_incoming(start, entry)
    sums = [builder.phi(_VECTOR) for _ in before]
    for total, value in zip(sums, before, strict=True):
        total.add_incoming(value, entry)
    builder.cbranch(builder.icmp_signed("<", k, stop), body, done)

    builder.position_at_end(body)
    for total, (a, b) in zip(sums, factors(k), strict=True):
        total.add_incoming(call_fma(builder, a, b, total), body)
    k.add_incoming(builder.add(k, step), body)
    builder.branch(loop)

    builder.position_at_end(done)
    return sums
