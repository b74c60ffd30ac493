"""Elementary float32 functions with one result on every machine.

The C libraries of different systems, and numpy, differ from each other in the last bit. These are
the algorithms of the reference platform's library: expf, sinf and cosf evaluate a short polynomial
in float64 and round once; asinf and atan2f are the float32 algorithms of fdlibm (Sun
Microsystems), every operation rounded. All take and give float32; they are compiled kernels.
"""

from __future__ import annotations

import math

import numpy as np

from pyfaceau.numerics._jit import (
    float32_bits,
    float32_from_bits,
    float64_from_bits,
    fma,
    kernel,
)

_f = np.float32
_hex = float.fromhex

_EXP2_32 = np.array([float.fromhex(h) for h in (
    "0x1.0000000000000p+0 0x1.059b0d3158574p+0 0x1.0b5586cf9890fp+0 0x1.11301d0125b51p+0 "
    "0x1.172b83c7d517bp+0 0x1.1d4873168b9aap+0 0x1.2387a6e756238p+0 0x1.29e9df51fdee1p+0 "
    "0x1.306fe0a31b715p+0 0x1.371a7373aa9cbp+0 0x1.3dea64c123422p+0 0x1.44e086061892dp+0 "
    "0x1.4bfdad5362a27p+0 0x1.5342b569d4f82p+0 0x1.5ab07dd485429p+0 0x1.6247eb03a5585p+0 "
    "0x1.6a09e667f3bcdp+0 0x1.71f75e8ec5f74p+0 0x1.7a11473eb0187p+0 0x1.82589994cce13p+0 "
    "0x1.8ace5422aa0dbp+0 0x1.93737b0cdc5e5p+0 0x1.9c49182a3f090p+0 0x1.a5503b23e255dp+0 "
    "0x1.ae89f995ad3adp+0 0x1.b7f76f2fb5e47p+0 0x1.c199bdd85529cp+0 0x1.cb720dcef9069p+0 "
    "0x1.d5818dcfba487p+0 0x1.dfc97337b9b5fp+0 0x1.ea4afa2a490dap+0 0x1.f50765b6e4540p+0"
).split()]).view(np.int64)  # fmt: skip
_INV_LN2_32 = _hex("0x1.71547652b82fep+0") * 32
_E0 = _hex("0x1.c6af84b912394p-5") / 32**3
_E1 = _hex("0x1.ebfce50fac4f3p-3") / 32**2
_E2 = _hex("0x1.62e42ff0c52d6p-1") / 32

_PIO2 = _hex("0x1.921FB54442D18p+0")
_INV_PIO2 = _hex("0x1.45F306DC9C883p-1")
_S0, _S1, _S2 = (_hex(h) for h in (
    "-0x1.555545995a603p-3", "0x1.1107605230bc4p-7", "-0x1.994eb3774cf24p-13"))  # fmt: skip
_C1, _C2, _C3, _C4 = (_hex(h) for h in (
    "-0x1.ffffffd0c621cp-2", "0x1.55553e1068f19p-5", "-0x1.6c087e89a359dp-10",
    "0x1.99343027bf8c3p-16"))  # fmt: skip


@kernel
def expf(x: float) -> float:
    """Return e to the power x.

    With k = rint(32 x / ln 2) and r the rest, e^x = 2^(k/32) times a cubic in r.

    Parameters
    ----------
    x : float32
        Any value but NaN; over 88.72 gives infinity, under -103.97 zero.

    Returns
    -------
    float32
        The exponential.
    """
    value = np.float64(min(max(x, _f(-104)), _f(89)))
    k = np.rint(value * _INV_LN2_32)
    r = fma(value, _INV_LN2_32, -k)
    y = fma(fma(_E0, r, _E1), r * r, fma(_E2, r, 1.0))
    index = np.int64(k)
    return _f(y * float64_from_bits(_EXP2_32[index & 31] + ((index >> 5) << 52)))


@kernel
def _sine_polynomial(x: float) -> float:
    x2 = x * x
    x3 = x * x2
    return (x + x3 * _S0) + (x3 * x2) * (_S1 + x2 * _S2)


@kernel
def _cosine_polynomial(x: float) -> float:
    x2 = x * x
    x4 = x2 * x2
    return ((1.0 + x2 * _C1) + x4 * _C2) + (x4 * x2) * (_C3 + x2 * _C4)


@kernel
def sinf(x: float) -> float:
    """Return the sine.

    Parameters
    ----------
    x : float32
        Radians, under 120 in size.

    Returns
    -------
    float32
        The sine.
    """
    value = np.float64(x)
    if abs(value) < 0.000244140625:
        return x
    n = 0
    if abs(x) >= _f(0.7853981633974483):
        n = int(np.floor(value * _INV_PIO2 + 0.5))
        value = fma(-np.float64(n), _PIO2, value)
    result = _cosine_polynomial(value) if n & 1 else _sine_polynomial(value)
    return _f(-result if n & 2 else result)


@kernel
def cosf(x: float) -> float:
    """Return the cosine.

    Parameters
    ----------
    x : float32
        Radians, under 120 in size.

    Returns
    -------
    float32
        The cosine.
    """
    value = np.float64(x)
    n = 0
    if abs(x) >= _f(0.7853981633974483):
        n = int(np.floor(value * _INV_PIO2 + 0.5))
        value = fma(-np.float64(n), _PIO2, value)
    result = _sine_polynomial(value) if n & 1 else _cosine_polynomial(value)
    return _f(-result if (n + 1) & 2 else result)


_PIO2_HI = _f(1.57079637050628662109375)
_PIO2_LO = _f(-4.37113900018624283e-8)
_PIO4_HI = _f(0.785398185253143310546875)
_P0, _P1, _P2, _P3, _P4 = (
    _f(1.666675248e-1), _f(7.495297643e-2), _f(4.547037598e-2), _f(2.417951451e-2),
    _f(4.216630880e-2),
)  # fmt: skip
_HALF, _ONE, _TWO = _f(0.5), _f(1), _f(2)


@kernel
def asinf(x: float) -> float:
    """Return the inverse sine.

    Parameters
    ----------
    x : float32
        Between -1 and 1; NaN outside.

    Returns
    -------
    float32
        Radians, -pi/2 to pi/2.
    """
    a = abs(x)
    if a > _ONE or a != a:
        return _f(np.nan)
    if a == _ONE:
        return x * _PIO2_HI + x * _PIO2_LO
    if a < _HALF:
        if a < _f(7.450580596923828e-09):
            return x
        t = x * x
        return x + x * (t * (_P0 + t * (_P1 + t * (_P2 + t * (_P3 + t * _P4)))))
    t = (_ONE - a) * _HALF
    p = t * (_P0 + t * (_P1 + t * (_P2 + t * (_P3 + t * _P4))))
    s = np.sqrt(t)
    if a >= _f(0.975):
        t = _PIO2_HI - (_TWO * (s + s * p) - _PIO2_LO)
    else:
        w = _truncate12(s)
        c = (t - w * w) / (s + w)
        r = p
        p = _TWO * s * r - (_PIO2_LO - _TWO * c)
        q = _PIO4_HI - _TWO * w
        t = _PIO4_HI - (p - q)
    return t if x > 0 else -t


@kernel
def _truncate12(x: float) -> float:
    """Return a float32 with the low 12 bits of its pattern cleared."""
    return float32_from_bits(float32_bits(_f(x)) & ~0xFFF)


_ATAN_HI = np.array(
    [4.6364760399e-01, 7.8539812565e-01, 9.8279368877e-01, 1.5707962513e00], np.float32
)
_ATAN_LO = np.array(
    [5.0121582440e-09, 3.7748947079e-08, 3.4473217170e-08, 7.5497894159e-08], np.float32
)
_T = np.array(
    [3.3333334327e-01, -2.0000000298e-01, 1.4285714924e-01, -1.1111110449e-01, 9.0908870101e-02,
     -7.6918758452e-02, 6.6610731184e-02, -5.8335702866e-02, 4.9768779427e-02, -3.6531571299e-02,
     1.6285819933e-02], np.float32,
)  # fmt: skip
_PI = _f(3.1415927410e00)
_PI_LO = _f(-8.7422776573e-08)
_1_5 = _f(1.5)


@kernel
def atanf(x: float) -> float:
    """Return the inverse tangent.

    Parameters
    ----------
    x : float32
        Any value.

    Returns
    -------
    float32
        Radians, -pi/2 to pi/2.
    """
    if x != x:
        return x
    a = abs(x)
    if a >= _f(17179869184.0):
        t = _ATAN_HI[3] + _ATAN_LO[3]
        return t if x > 0 else -t
    branch = -1
    if a < _f(0.4375):
        if a < _f(1.862645149230957e-09):
            return x
        a = x
    elif a < _f(0.6875):
        branch = 0
        a = (_TWO * a - _ONE) / (_TWO + a)
    elif a < _f(1.1875):
        branch = 1
        a = (a - _ONE) / (a + _ONE)
    elif a < _f(2.4375):
        branch = 2
        a = (a - _1_5) / (_ONE + _1_5 * a)
    else:
        branch = 3
        a = -_ONE / a
    z = a * a
    w = z * z
    s1 = z * (_T[0] + w * (_T[2] + w * (_T[4] + w * (_T[6] + w * (_T[8] + w * _T[10])))))
    s2 = w * (_T[1] + w * (_T[3] + w * (_T[5] + w * (_T[7] + w * _T[9]))))
    if branch < 0:
        return a - a * (s1 + s2)
    t = _ATAN_HI[branch] - ((a * (s1 + s2) - _ATAN_LO[branch]) - a)
    return t if x > 0 else -t


@kernel
def _exponent(x: float) -> int:
    return (float32_bits(_f(x)) & 0x7FFFFFFF) >> 23


@kernel
def atan2f(y: float, x: float) -> float:
    """Return the angle of the vector (x, y).

    Parameters
    ----------
    y, x : float32
        Finite coordinates.

    Returns
    -------
    float32
        Radians, -pi to pi.
    """
    if x != x or y != y:
        return _f(np.nan)
    if x == _ONE:
        return atanf(y)
    negative_x = math.copysign(1.0, x) < 0
    negative_y = math.copysign(1.0, y) < 0
    if y == 0:
        z = _PI if negative_x else _f(0)
        return -z if negative_y else z
    if x == 0:
        return -_PIO2_HI if negative_y else _PIO2_HI
    k = _exponent(y) - _exponent(x)
    if k > 60:
        z = _PIO2_HI + _HALF * _PI_LO
    elif negative_x and k < -60:
        z = _f(0)
    else:
        z = atanf(abs(y / x))
    if negative_x:
        return (z - _PI_LO) - _PI if negative_y else _PI - (z - _PI_LO)
    return -z if negative_y else z
