"""Live frames into Lab Streaming Layer, where pylsl is installed."""

from __future__ import annotations

import math
import threading
import time
from typing import Any

from pyfaceau.errors import InputError
from pyfaceau.live.engine import LiveEngine
from pyfaceau.live.latest import Latest
from pyfaceau.live.message import LiveFrame
from pyfaceau.types import AU_INTENSITIES, AU_PRESENCES

POSE = tuple(f"pose_{kind}{axis}" for kind in "TR" for axis in "xyz")
CHANNELS = ("confidence", *POSE, *AU_INTENSITIES, *AU_PRESENCES)
"""Channels of the outlet ``pyfaceau``, type ``AU``, float32; NaN where there is no face."""


class LSLOutlet:
    """Pushes a sample for each frame, stamped with when its picture was there.

    Parameters
    ----------
    engine : LiveEngine
        Not started yet.

    Raises
    ------
    InputError
        If pylsl or its library is not installed.
    """

    def __init__(self, engine: LiveEngine) -> None:
        try:
            import pylsl
        except (ImportError, RuntimeError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"lsl: needs pylsl and liblsl: pip install pylsl ({reason})") from None
        self._library: Any = pylsl
        info = pylsl.StreamInfo("pyfaceau", "AU", len(CHANNELS), 0.0, "float32", "pyfaceau")
        channels = info.desc().append_child("channels")
        for name in CHANNELS:
            channels.append_child("channel").append_child_value("label", name)
        self._outlet: Any = pylsl.StreamOutlet(info)
        self._frames = engine.listen(Latest())
        self._thread = threading.Thread(target=self._run, name="live lsl", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self) -> None:
        """Wait until the last sample is pushed."""
        self._thread.join(1.0)

    def _run(self) -> None:
        while (frame := self._frames.take()) is not None:
            age = time.monotonic() - frame.clock
            self._outlet.push_sample(sample(frame), self._library.local_clock() - age)


def sample(frame: LiveFrame) -> list[float]:
    """Return a frame's channels.

    Parameters
    ----------
    frame : LiveFrame
        The frame.

    Returns
    -------
    list of float
        In the order of `CHANNELS`.
    """
    face, pose, units = frame.result.face, frame.result.pose, frame.units
    missing = math.nan
    placed = [*pose.translation.tolist(), *pose.rotation.tolist()]
    values = (
        [missing] * (len(AU_INTENSITIES) + len(AU_PRESENCES))
        if units is None
        else [*units.intensities.tolist(), *units.presences.tolist()]
    )
    return [
        float(face.confidence),
        *(placed if face.success else [missing] * len(placed)),
        *values,
    ]
