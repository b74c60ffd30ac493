"""Opening ONNX models: found, verified, checked for the shape that the caller feeds them."""

from __future__ import annotations

import functools
import logging
import os
from pathlib import Path
from typing import Any

from pyfaceau.errors import InputError, WeightsError
from pyfaceau.models.weights import locate

logger = logging.getLogger(__name__)

PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "directml": "DmlExecutionProvider",
}
"""What runs a network on each device."""


def open_session(
    model: str | os.PathLike[str] | None,
    default: str,
    shape: tuple[int | None, ...],
    device: str = "cpu",
) -> Any:
    """Open an ONNX model.

    On the CPU a session has one thread: the same digits in every run, and stages overlap instead.
    Between kinds of processors the last bits differ: ONNX Runtime orders its sums by the width of
    their registers.

    Parameters
    ----------
    model : path or None
        The file; None takes `default` from the installed weights.
    default : str
        The file's name in the weights manifest.
    shape : tuple of int or None
        Shape that the model's only input must have; None where it must be free.
    device : {'cpu', 'cuda', 'coreml', 'directml'}
        Where to run it. A device that this ONNX Runtime or machine lacks is replaced by the CPU,
        with one warning.

    Returns
    -------
    onnxruntime.InferenceSession
        Ready to run.

    Raises
    ------
    InputError
        If `device` is none of these.
    WeightsError
        If the file is missing, altered, is no ONNX model, or has another input shape.
    """
    path = default if model is None else os.fspath(model)
    session = open_any_session(path, device)
    found = [free_shape(i) for i in session.get_inputs()]
    if found != [shape]:
        raise WeightsError(f"{locate(path)}: expected one input of shape {shape}, got {found}")
    return session


def open_any_session(model: str | os.PathLike[str], device: str = "cpu") -> Any:
    """Open an ONNX model of any interface.

    Parameters
    ----------
    model : path
        The file, or its name within the weights folder.
    device : {'cpu', 'cuda', 'coreml', 'directml'}
        As for `open_session`.

    Returns
    -------
    onnxruntime.InferenceSession
        Ready to run.

    Raises
    ------
    InputError
        If `device` is none of these.
    WeightsError
        If the file is missing, altered or no ONNX model.
    """
    if device not in PROVIDERS:
        raise InputError(f"device: expected {' or '.join(PROVIDERS)}, got {device!r}")
    return _session(locate(os.fspath(model)), device)


def free_shape(value: Any) -> tuple[int | None, ...]:
    """Return the shape of a model's input or output.

    Parameters
    ----------
    value : onnxruntime.NodeArg
        The input or output.

    Returns
    -------
    tuple of int or None
        None where a length is free.
    """
    return tuple(n if isinstance(n, int) and n > 0 else None for n in value.shape)


def _session(path: Path, device: str) -> Any:
    """Make a session on a device, or on the CPU where that fails."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    wanted = PROVIDERS[device]
    try:
        if wanted in onnxruntime.get_available_providers():
            providers = list(dict.fromkeys([wanted, PROVIDERS["cpu"]]))
            session = onnxruntime.InferenceSession(str(path), options, providers=providers)
        else:
            session = onnxruntime.InferenceSession(str(path), options, providers=[PROVIDERS["cpu"]])
    except Exception as error:  # onnxruntime's exceptions share no base but Exception
        text = " ".join(str(error).split())
        raise WeightsError(f"{path}: not a readable ONNX model ({text})") from error
    if wanted not in session.get_providers():
        _warn_once(device)
    return session


@functools.lru_cache
def _warn_once(device: str) -> None:
    """Say that a device cannot be had."""
    logger.warning(
        "--device %s: this ONNX Runtime has no %s here; the networks run on the CPU",
        device,
        PROVIDERS[device],
    )
