"""Networks of TensorFlow Lite, run by LiteRT on the CPU.

Its threads share the rows of an output among them, so that no digit depends on their number.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from pyfaceau.errors import InputError, WeightsError
from pyfaceau.types import Float32


def need_runtime() -> None:
    """Refuse to go on where LiteRT is not installed.

    Raises
    ------
    InputError
        If it is not; the message says what installs it.
    """
    if importlib.util.find_spec("ai_edge_litert") is None:
        raise InputError("profile free needs LiteRT: pip install 'pyfaceau[free]'")


@contextmanager
def _without_greeting() -> Iterator[None]:
    """Keep the runtime's line about its own delegate off standard error; it has no switch."""
    sys.stderr.flush()
    kept = os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


class Network:
    """A network of one input.

    Parameters
    ----------
    data : bytes
        The model.
    name : str
        For messages.
    shape : tuple of int
        Of its input, float32.
    sizes : tuple of int
        How many numbers each of its outputs has; they are told apart by that, and by order.
    threads : int
        Of LiteRT, which keeps Python's lock while it runs: no other stage uses them meanwhile.

    Raises
    ------
    InputError
        If the runtime is not installed.
    WeightsError
        If it is no such network.
    """

    def __init__(
        self,
        data: bytes,
        name: str,
        shape: tuple[int, ...],
        sizes: tuple[int, ...],
        threads: int = 1,
    ) -> None:
        need_runtime()
        from ai_edge_litert.interpreter import Interpreter

        try:
            with _without_greeting():
                self._interpreter: Any = Interpreter(model_content=data, num_threads=threads)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise WeightsError(f"{name}: LiteRT cannot load it ({error})") from None
        (first,) = self._interpreter.get_input_details()
        outputs = self._interpreter.get_output_details()
        found = sorted(int(np.prod(each["shape"])) for each in outputs)
        if tuple(first["shape"]) != shape or found != sorted(sizes):
            raise WeightsError(f"{name}: expected input {shape} and outputs of {sizes} numbers")
        self._input = first["index"]
        self._outputs: list[int] = []
        for size in sizes:
            self._outputs.append(
                next(
                    each["index"]
                    for each in outputs
                    if int(np.prod(each["shape"])) == size and each["index"] not in self._outputs
                )
            )

    def __call__(self, values: Float32) -> list[Float32]:
        """Run it.

        Parameters
        ----------
        values : float32
            The input.

        Returns
        -------
        list of float32
            Its outputs, each flat, in the order of `sizes`.
        """
        self._interpreter.set_tensor(self._input, values)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(index).ravel() for index in self._outputs]
