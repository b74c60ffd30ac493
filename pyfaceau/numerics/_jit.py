"""The one way to compile a kernel: strict IEEE arithmetic, cached, cache never stale.

Numba's file cache notices a change of the file that holds a kernel, not of the files that hold the
functions it calls. Kernels are therefore cached in a folder named after a hash of every source
file of the package (and of numba's version): a changed source starts an empty cache.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import llvmlite
import numba
from llvmlite import ir
from numba import types
from numba.core import config
from numba.extending import intrinsic

F = TypeVar("F", bound=Callable[..., Any])

logger = logging.getLogger(__name__)

_KEEP_SECONDS = 30 * 24 * 3600
"""Compiled kernels of other versions are kept so long."""


@functools.lru_cache(maxsize=1)
def cache_folder() -> str:
    """Return the folder of compiled kernels that belongs to exactly these sources.

    Returns
    -------
    str
        ``$PYFACEAU_CACHE_DIR`` or the user's cache folder, then the hash of the sources.
    """
    package = Path(__file__).resolve().parent.parent
    digest = hashlib.sha256(f"{numba.__version__} {llvmlite.__version__}".encode())
    for source in sorted(package.rglob("*.py")):
        text = source.read_bytes()
        if b"numba" in text or b"_jit" in text or source.name.startswith("_kernels"):
            digest.update(source.relative_to(package).as_posix().encode() + b"\0" + text)
    root = os.environ.get("PYFACEAU_CACHE_DIR")
    if not root:
        import platformdirs

        root = platformdirs.user_cache_dir("pyfaceau", appauthor=False)
    return str(Path(root) / "kernels" / digest.hexdigest()[:16])


@functools.lru_cache(maxsize=1)
def _open_cache() -> str:
    """Make the cache folder, say so where it is new, and remove what old versions left."""
    folder = Path(cache_folder())
    if folder.is_dir():
        folder.touch()  # in use
    else:
        folder.mkdir(parents=True, exist_ok=True)
        logger.warning(
            "compiling for this machine; this is done once and takes up to a minute, with profile "
            "free some seconds (pyfaceau warm-up does it beforehand, on all cores)"
        )
        for other in folder.parent.iterdir():
            if time.time() - other.stat().st_mtime > _KEEP_SECONDS:
                shutil.rmtree(other, ignore_errors=True)
    return str(folder)


def kernel(function: F) -> F:
    """Compile `function` on first call: no fast-math, no GIL, cached on disk where possible.

    Parameters
    ----------
    function : callable
        Plain numeric Python on arrays of fixed dtype and layout.

    Returns
    -------
    callable
        The compiled function.
    """
    options: dict[str, Any] = {
        "nogil": True,
        "no_cfunc_wrapper": True,
        "error_model": "numpy",
        "fastmath": False,
    }
    before = config.CACHE_DIR
    try:
        config.CACHE_DIR = _open_cache()
        return cast(F, numba.njit(cache=True, **options)(function))
    except (OSError, RuntimeError):  # no writable cache folder: compile in memory
        return cast(F, numba.njit(**options)(function))
    finally:
        config.CACHE_DIR = before


@intrinsic
def fma(typingctx: Any, a: Any, b: Any, c: Any) -> Any:
    """Fused multiply-add, a * b + c with one rounding, all three float32 or all three float64."""
    if a != b or b != c or a not in (types.float32, types.float64):
        return None

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fma(*args)

    return a(a, b, c), codegen


@intrinsic
def float32_bits(typingctx: Any, value: Any) -> Any:
    """Reinterpret a float32 as the int32 of the same bits."""
    if value != types.float32:
        return None

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.IntType(32))

    return types.int32(value), codegen


@intrinsic
def float32_from_bits(typingctx: Any, bits: Any) -> Any:
    """Reinterpret the low 32 bits of an int64 as the float32 of the same bits."""
    if not (isinstance(bits, types.Integer) and bits.bitwidth > 32):
        return None

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        low = builder.trunc(args[0], ir.IntType(32))
        return builder.bitcast(low, ir.FloatType())

    return types.float32(bits), codegen


@intrinsic
def float64_from_bits(typingctx: Any, bits: Any) -> Any:
    """Reinterpret an int64 as the float64 of the same bits."""
    if bits != types.int64:
        return None

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.bitcast(args[0], ir.DoubleType())

    return types.float64(types.int64), codegen
