"""Elementary functions: exact values, the C library's digits, NumPy twins, symmetries, edges."""

from __future__ import annotations

import ctypes
import math
import platform
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.numerics.libm import asinf, atan2f, atanf, cosf, expf, sinf
from pyfaceau.types import Float32

Function = Callable[..., float]
f32 = np.float32
finite = st.floats(-(2.0**99), 2.0**99, width=32)

GOLDEN = {
    "expf": [(38.686, 0x5B60BCFA), (-75.359, 0x091B6929), (-5.5, 0x3B85EA53), (70.792, 0x728C3153)],
    "sinf": [(7.094, 0x3F398FAD), (-4.055, 0x3F4AA5A9), (-0.495, 0xBEF33759), (1.183, 0x3F6CFD99)],
    "cosf": [(-7.79, 0x3D82F1F1), (-3.528, 0xBF6D1FF6), (4.754, 0x3D2A63EC), (-5.446, 0x3F2B6809)],
    "asinf": [(0.235, 0x3E72E96C), (-0.581, 0xBF1EB57C), (0.875, 0x3F886034), (-0.928, 0xBF98316E)],
    "atanf": [(3.383, 0x3FA445F6), (-2.49, 0xBF982E12), (5.683, 0x3FB2C450), (4.941, 0x3FAF8062)],
    "atan2f": [
        (-1.117, -2.352, 0xC02CAF88),
        (0.238, -0.081, 0x3FF30D0F),
        (0.59, 2.141, 0x3E89AD02),
    ],
}
"""Arguments and the bits of the result: glibc 2.36 on x86-64. Most of the inverse functions' are
not the correctly rounded ones."""

FUNCTIONS: dict[str, Function] = {
    "expf": expf, "sinf": sinf, "cosf": cosf, "asinf": asinf, "atanf": atanf, "atan2f": atan2f,
}  # fmt: skip

RANGES = {"expf": (-80, 80), "sinf": (-8, 8), "cosf": (-8, 8), "asinf": (-1, 1), "atanf": (-6, 6)}


def values(function: Function, *arguments: Float32) -> Float32:
    """Return a compiled function of every argument."""
    return np.array([function(*xs) for xs in zip(*arguments, strict=True)], np.float32)


def arguments(name: str, count: int = 3000) -> list[Float32]:
    """Return arguments of a function, over its whole range."""
    rng = np.random.default_rng(sum(name.encode()))
    if name == "atan2f":
        return list(rng.standard_normal((2, count)).astype(np.float32))
    return [rng.uniform(*RANGES[name], count).astype(np.float32)]


def exp_twin(x: Float32) -> Float32:
    """Return 2^(k/32) times a cubic in the rest, in float64."""
    z = x.astype(np.float64) * (32 / math.log(2))
    k = np.rint(z)
    r = z - k
    c0, c1, c2 = 0.05550361559341535 / 32**3, 0.2402284522445722 / 32**2, 0.6931471806916203 / 32
    cubic = (c0 * r + c1) * (r * r) + (c2 * r + 1)
    root = np.array([2.0 ** (i / 32) for i in range(32)])
    return np.ldexp(cubic * root[k.astype(int) % 32], k.astype(int) // 32).astype(np.float32)


def sine_twin(x: Float32, turns: int) -> Float32:
    """Return the sine of x + turns pi / 2 by polynomials over a quarter turn, in float64."""
    n = np.where(np.abs(x) < f32(math.pi / 4), 0, np.floor(x * (2 / math.pi) + 0.5)).astype(int)
    r = x.astype(np.float64) - n * (math.pi / 2)
    q = r * r
    s0, s1, s2 = -0.16666654943701084, 0.008332178146138854, -0.00019517298981385725
    c1, c2, c3, c4 = (
        -0.49999999725108224, 0.041666623324344516, -0.001388676379437604, 2.4390450703564542e-05
    )  # fmt: skip
    sine = (r + r * q * s0) + (r * q * q) * (s1 + q * s2)
    cosine = ((1 + q * c1) + q * q * c2) + (q * q * q) * (c3 + q * c4)
    quarter = (n + turns) % 4
    return (np.where(quarter % 2, cosine, sine) * np.where(quarter < 2, 1, -1)).astype(np.float32)


def asin_twin(x: Float32) -> Float32:
    """Return fdlibm's asinf, every operation in float32."""
    a, half, two = np.abs(x), f32(0.5), f32(2)
    high, low, quarter = (
        f32(v) for v in (1.5707963705062866, -4.371138828673793e-08, 0.7853981852)
    )
    small = a < half
    t = np.where(small, x * x, (f32(1) - a) * half)
    p = f32(4.216630880e-2)
    for c in (2.417951451e-2, 4.547037598e-2, 7.495297643e-2, 1.666675248e-1):
        p = f32(c) + t * p
    p = t * p
    s = np.sqrt(t)
    near_one = high - (two * (s + s * p) - low)
    w = (s.view(np.int32) & ~0xFFF).view(np.float32)
    c = (t - w * w) / (s + w)
    middle = quarter - ((two * s * p - (low - two * c)) - (quarter - two * w))
    large = np.where(a >= f32(0.975), near_one, middle)
    return np.where(small, x + x * p, np.copysign(large, x))


def atan_twin(x: Float32) -> Float32:
    """Return fdlibm's atanf, every operation in float32."""
    a, one, half3 = np.abs(x), f32(1), f32(1.5)
    branch = np.searchsorted(np.array([0.4375, 0.6875, 1.1875, 2.4375], np.float32), a, "right")
    reduced = np.choose(
        branch,
        [a, (a + a - one) / (a + f32(2)), (a - one) / (a + one), (a - half3) / (one + half3 * a),
         -one / np.maximum(a, f32(1e-20))],
    )  # fmt: skip
    high = np.array([0, 4.6364760399e-01, 7.8539812565e-01, 9.8279368877e-01, 1.5707962513], "f4")
    low = np.array(
        [0, 5.0121582440e-09, 3.7748947079e-08, 3.4473217170e-08, 7.5497894159e-08], "f4"
    )
    odd = [3.3333334327e-01, 1.4285714924e-01, 9.0908870101e-02, 6.6610731184e-02, 4.9768779427e-02,
           1.6285819933e-02]  # fmt: skip
    even = [-2.0e-01, -1.1111110449e-01, -7.6918758452e-02, -5.8335702866e-02, -3.6531571299e-02]
    z = reduced * reduced
    w = z * z
    s1, s2 = f32(odd[-1]), f32(even[-1])
    for c in odd[-2::-1]:
        s1 = f32(c) + w * s1
    for c in even[-2::-1]:
        s2 = f32(c) + w * s2
    tail = reduced * (z * s1 + w * s2)
    return np.copysign(high[branch] - ((tail - low[branch]) - reduced), x)


def atan2_twin(y: Float32, x: Float32) -> Float32:
    angle = atan_twin(np.abs(y / x))
    behind = f32(np.pi) - (angle + f32(8.7422776573e-08))
    return np.copysign(np.where(x < 0, behind, angle), y)


TWINS: dict[str, Callable[..., Any]] = {
    "expf": exp_twin,
    "sinf": lambda x: sine_twin(x, 0),
    "cosf": lambda x: sine_twin(x, 1),
    "asinf": asin_twin,
    "atanf": atan_twin,
    "atan2f": atan2_twin,
}


def test_exact_values() -> None:
    assert expf(f32(0)) == 1
    assert expf(f32(-200)) == 0
    assert expf(f32(100)) == math.inf
    assert (sinf(f32(0)), cosf(f32(0)), asinf(f32(0)), atanf(f32(0))) == (0, 1, 0, 0)
    half_pi, pi = f32(math.pi / 2), f32(math.pi)
    assert (asinf(f32(1)), asinf(f32(-1))) == (half_pi, -half_pi)
    assert (atan2f(f32(1), f32(0)), atan2f(f32(-1), f32(0))) == (half_pi, -half_pi)
    assert (atan2f(f32(0), f32(-1)), atan2f(f32(-0.0), f32(-1))) == (pi, -pi)
    assert atan2f(f32(1), f32(1)) == f32(math.pi / 4)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_bits_of_the_reference_library(name: str) -> None:
    for *xs, bits in GOLDEN[name]:
        got = f32(FUNCTIONS[name](*(f32(x) for x in xs)))
        assert hex(int(got.view(np.uint32))) == hex(int(bits)), xs


@pytest.mark.parametrize("name", FUNCTIONS)
def test_equals_this_systems_library(name: str) -> None:
    system, version = platform.libc_ver()
    machine = platform.machine().lower()
    newer = system == "glibc" and tuple(map(int, version.split(".")[:2])) >= (2, 41)
    if system != "glibc" or newer or machine not in ("x86_64", "amd64"):
        pytest.skip("the C library here is not one whose digits these are")
    library = getattr(ctypes.CDLL("libm.so.6"), name)
    xs = arguments(name)
    library.restype, library.argtypes = ctypes.c_float, [ctypes.c_float] * len(xs)
    np.testing.assert_array_equal(values(FUNCTIONS[name], *xs), values(library, *xs))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_equals_its_twin(name: str) -> None:
    xs = arguments(name)
    got, twin = values(FUNCTIONS[name], *xs), TWINS[name](*xs)
    assert twin.dtype == np.float32
    np.testing.assert_array_equal(got, twin)


@settings(deadline=None)  # the first example compiles
@given(st.floats(-100, 100, width=32))
def test_symmetries(x: float) -> None:
    a = f32(x)
    assert sinf(-a) == -sinf(a)
    assert cosf(-a) == cosf(a)
    assert atanf(-a) == -atanf(a)
    assert asinf(sinf(-a)) == -asinf(sinf(a))
    assert sinf(a) ** 2 + cosf(a) ** 2 == pytest.approx(1, abs=3e-7)


@settings(deadline=None)
@given(st.floats(-1.5, 1.5, width=32))
def test_inverses_return(x: float) -> None:
    assert asinf(f32(sinf(f32(x)))) == pytest.approx(x, abs=2e-6 / max(math.cos(x), 0.02))
    assert atan2f(f32(sinf(f32(x))), f32(cosf(f32(x)))) == pytest.approx(x, abs=5e-7)


@settings(deadline=None)
@given(finite, finite)
def test_atan2_stays_near_the_true_angle(y: float, x: float) -> None:
    assert atan2f(f32(y), f32(x)) == pytest.approx(math.atan2(y, x), rel=3e-7, abs=1e-37)


def test_what_has_no_value_is_nan() -> None:
    nan = f32(math.nan)
    for result in (asinf(f32(1.0001)), asinf(nan), atanf(nan), atan2f(nan, f32(1)), expf(nan)):
        assert math.isnan(result)
