"""A job that does what its "video", a text file, says: be done, fail, hang, crash, starve."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from pathlib import Path
from typing import Any

from pyfaceau.study.identity import stamp

ACTS = "tests.study_acts:perform"


def perform(task: dict[str, Any], tell: Any) -> dict[str, Any]:
    source = Path(task["source"])
    seen = {"input_stamp": stamp(source)}
    act, _, rest = source.read_text().strip().partition(" ")
    if act == "hang":
        time.sleep(600)
    elif act == "slow":
        for frame in range(int(rest)):
            time.sleep(0.05)
            tell(frame + 1)
    elif act == "segv":
        print("the decoder is about to crash", flush=True)  # noqa: T201 - as libraries do
        ctypes.string_at(0)
    elif act == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif act == "exit":
        os._exit(3)
    elif act == "starve":
        hoard = bytearray(8 << 30)
        raise AssertionError(len(hoard))
    elif act == "fail":
        return {"state": "failed", "kind": "video", "error": rest, **seen}
    table = Path(task["table"])
    table.parent.mkdir(parents=True, exist_ok=True)
    table.write_text(f"{act}\n")
    size = table.stat().st_size
    return {"state": "done", "frames": 1, "table_size": size, "host": str(os.getpid()), **seen}
