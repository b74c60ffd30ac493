"""Opening ONNX models: found, verified, checked for the shape that the caller feeds them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pyfaceau.errors import InputError, WeightsError


def open_session(
    model: str | os.PathLike[str] | None,
    default: str,
    shape: tuple[int | None, ...],
    threads: int = 1,
) -> Any:
    """Open an ONNX model on the CPU.

    Parameters
    ----------
    model : path or None
        The file; None takes `default` from the installed weights.
    default : str
        The file's name in the weights manifest.
    shape : tuple of int or None
        Shape that the model's only input must have; None where it must be free.
    threads : int
        Threads that one call may use.

    Returns
    -------
    onnxruntime.InferenceSession
        Ready to run; results do not depend on `threads`.

    Raises
    ------
    InputError
        If `threads` is not positive.
    WeightsError
        If the file is missing, is no ONNX model, or has another input shape.
    """
    import onnxruntime

    if threads < 1:
        raise InputError(f"threads: expected 1 or more, got {threads}")
    if model is None:
        from pyfaceau import weights

        path = weights.locate(default)
    else:
        path = Path(model)
        if not path.is_file():
            raise WeightsError(f"{path}: no such file (expected the ONNX model {default})")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's exceptions share no base but Exception
        text = " ".join(str(error).split())
        raise WeightsError(f"{path}: not a readable ONNX model ({text})") from error
    inputs = session.get_inputs()
    found = [tuple(n if isinstance(n, int) else None for n in i.shape) for i in inputs]
    if found != [shape]:
        raise WeightsError(f"{path}: expected one input of shape {shape}, got {found}")
    return session
