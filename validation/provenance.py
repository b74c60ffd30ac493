"""Where a measurement comes from: the command, the machine, the day and the commit."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "validation" / "results"
LIBRARIES = ("numpy", "numba", "onnxruntime", "av", "opencv-python-headless")


def provenance(command: str) -> dict[str, str]:
    """Return what is needed to repeat a measurement.

    Parameters
    ----------
    command : str
        The command line that makes it.

    Returns
    -------
    dict of str
        Command, machine (processor model and number of usable cores), versions, date, commit.
    """
    versions = " ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)
    return {
        "command": command,
        "machine": f"{_processor()}, {usable_cores()} cores, {platform.system()}",
        "versions": f"Python {platform.python_version()} {versions}",
        "date": dt.date.today().isoformat(),
        "commit": _commit(),
    }


def usable_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _commit() -> str:
    def git(*arguments: str) -> str:
        command = ["git", "-C", str(ROOT), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        return done.stdout.strip()

    commit = git("rev-parse", "--short=12", "HEAD") or "unknown"
    changed = git("status", "--porcelain", "--untracked-files=no", "--", "pyfaceau", "configs")
    return f"{commit} with uncommitted changes" if changed else commit
