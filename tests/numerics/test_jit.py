"""How kernels are compiled: strictly, cached under a name of their sources, without a cache too."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.core.errors import TypingError

from pyfaceau.numerics import _jit
from pyfaceau.numerics._jit import cache_folder, fma, kernel

f32 = np.float32


@kernel
def fused(a: float, b: float, c: float) -> float:
    return fma(a, b, c)


@kernel
def in_two_steps(a: float, b: float, c: float) -> float:
    return a * b + c


@kernel
def quotient(a: float, b: float) -> float:
    return a / b


def test_fused_by_hand() -> None:
    tiny = f32(2**-12)
    # (1 + e)^2 - 1 = 2e + e^2; rounded in between, e^2 is lost
    a, c = f32(1) + tiny, f32(-1)
    assert fused(a, a, c) == 2**-11 + 2**-24
    assert in_two_steps(a, a, c) == 2**-11
    assert fused(1 + 2**-30, 1 + 2**-30, -1.0) == 2**-29 + 2**-60


@settings(deadline=None)
@given(*[st.floats(-1000, 1000, width=32)] * 3)
def test_products_are_not_fused_on_their_own(a: float, b: float, c: float) -> None:
    assert in_two_steps(f32(a), f32(b), f32(c)) == f32(f32(a) * f32(b)) + f32(c)


def test_division_by_zero_is_infinite() -> None:
    assert quotient(f32(1), f32(0)) == np.inf


def test_fused_takes_three_of_a_kind() -> None:
    with pytest.raises(TypingError):
        fused(f32(1), 1.0, 1.0)
    with pytest.raises(TypingError):
        fused(1, 2, 3)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a package of two sources that `cache_folder` takes for its own."""
    folder = tmp_path / "package"
    (folder / "numerics").mkdir(parents=True)
    (folder / "numerics" / "_jit.py").write_text("import numba\n")
    (folder / "words.py").write_text("GREETING = 1\n")
    monkeypatch.setattr(_jit, "__file__", str(folder / "numerics" / "_jit.py"))
    monkeypatch.setenv("PYFACEAU_CACHE_DIR", str(tmp_path / "cache"))
    return folder


def name_of_cache() -> str:
    """Return where the cache is for the sources as they are now."""
    return cache_folder.__wrapped__()


def test_cache_is_named_after_the_sources(package: Path, tmp_path: Path) -> None:
    before = name_of_cache()
    assert Path(before).parent == tmp_path / "cache" / "kernels"
    (package / "words.py").write_text("GREETING = 2\n")
    assert name_of_cache() == before  # no kernel in it
    (package / "numerics" / "_jit.py").write_text("import numba  # changed\n")
    changed = name_of_cache()
    assert changed != before
    (package / "_kernels.py").write_text("PI = 3\n")
    assert name_of_cache() not in (before, changed)


@pytest.mark.parametrize("kind", ["fresh", "unusable"])
def test_kernels_compile_with_any_cache_folder(root: Path, tmp_path: Path, kind: str) -> None:
    cache = tmp_path / "cache"
    if kind == "unusable":
        cache.write_text("a file, where a folder belongs")
    code = (
        "import numpy as np\nfrom pyfaceau.numerics.warp import invert_affine\n"
        "print(invert_affine(np.array([[2.0, 0, 6], [0, 4, 8]])).sum())"
    )
    environment = {**os.environ, "PYFACEAU_CACHE_DIR": str(cache), "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment
    )
    assert done.stdout == "-4.25\n", done.stderr  # 1/2 + 1/4 - 3 - 2
    assert cache.is_file() or any(cache.rglob("*.nbc"))


def test_a_new_cache_is_announced_and_old_ones_are_removed(
    package: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kernels = tmp_path / "cache" / "kernels"
    old, young = kernels / "old", kernels / "young"
    for folder in (old, young):
        folder.mkdir(parents=True)
    os.utime(old, (0, 0))
    cache_folder.cache_clear()
    try:
        made = Path(_jit._open_cache.__wrapped__())
        assert [r.getMessage()[:9] for r in caplog.records] == ["compiling"]
        assert sorted(kernels.iterdir()) == sorted([made, young])
        caplog.clear()
        assert Path(_jit._open_cache.__wrapped__()) == made
        assert not caplog.records
    finally:
        cache_folder.cache_clear()
