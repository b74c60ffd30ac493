"""What a worker process runs: ``python -m pyfaceau.study.worker MODULE:FUNCTION MEBIBYTES``."""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import IO, Any

Tell = Callable[[int], None]
"""To be called with the number of frames done."""

_PULSE = 0.5


def main() -> None:
    """Do tasks, one line of JSON each, until standard input ends."""
    processor, memory = sys.argv[1], int(sys.argv[2])
    replies = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # what a library prints is no reply
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the business of who started this
    limit_memory(memory)
    tasks: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, tasks), daemon=True).start()
    module, function = processor.split(":")
    perform: Callable[[dict[str, Any], Tell], dict[str, Any]]
    perform = getattr(importlib.import_module(module), function)
    while True:
        task = json.loads(tasks.get())
        replies.write('{"frames": 0}\n')
        replies.flush()
        try:
            outcome = perform(task, _teller(replies))
        except MemoryError:
            outcome = {"state": "failed", "kind": "memory", "error": "out of memory"}
        replies.write(json.dumps({"outcome": outcome}) + "\n")
        replies.flush()


def limit_memory(mebibytes: int) -> None:
    """Limit this process's address space.

    Parameters
    ----------
    mebibytes : int
        MiB; 0 for no limit. Without effect where the operating system knows no such limit.
    """
    if not mebibytes:
        return
    try:
        import resource
    except ImportError:
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (mebibytes << 20, most))


def _read(stream: IO[bytes], tasks: queue.SimpleQueue[str]) -> None:
    """Take in tasks; end this process, whatever it does, when nobody is left to give any."""
    for line in stream:
        tasks.put(line.decode("ascii"))
    os._exit(0)


def _teller(replies: IO[str]) -> Tell:
    """Return a function that reports frames, twice a second at most."""
    told = time.monotonic()

    def tell(frames: int) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told >= _PULSE:
            told = now
            replies.write(f'{{"frames": {frames}}}\n')
            replies.flush()

    return tell


if __name__ == "__main__":
    main()
