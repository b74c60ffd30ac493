"""Whether a live session keeps up: frames a second, drops and latency, from its own recording.

    xvfb-run -a python -m validation.live VIDEO ... [--repeat N] [--slow-reader] [-- OPTIONS]

Each VIDEO is shown to a session of `pyfaceau live --file` at its own rate. OPTIONS go to
`pyfaceau live` as they are; without ``--json`` the window is opened on the display. Prints a line
per session, from the recorded CSV: rows per second, pictures that were dropped, median and 95th
percentile of `latency_ms` and, with the window, of `shown_ms`.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from pyfaceau import VideoReader
from validation.provenance import provenance


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def session(video: Path, options: list[str], slow_reader: bool) -> pd.DataFrame:
    """Run a session over the whole video; return what it recorded."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "live.csv"
        command = [sys.executable, "-m", "pyfaceau.cli", "live", "--file", str(video)]
        command += ["--record", str(table), *options]
        reading, writing = os.pipe()
        with subprocess.Popen(command, stdout=writing) as running:  # noqa: S603
            os.close(writing)
            while slow_reader and running.poll() is None:
                os.read(reading, 100)  # less than a message each time
                time.sleep(1.0)
            while not slow_reader and os.read(reading, 1 << 20):
                pass
        os.close(reading)
        if running.returncode:
            raise SystemExit(f"{' '.join(command)}: ended with {running.returncode}")
        return pd.read_csv(table)


def summary(table: pd.DataFrame, frames: int) -> str:
    """Return a recording as cells of the report."""
    span = table.timestamp.iloc[-1] - table.timestamp.iloc[0]
    rate = (len(table) - 1) / span
    cells = [f"{len(table)} of {frames}", f"{rate:.1f}", f"{table.dropped.iloc[-1]}"]
    for column in (table.latency_ms, table.shown_ms.dropna()):
        told = column.quantile([0.5, 0.95]).tolist() if len(column) else []
        cells.append(" / ".join(f"{value:.0f}" for value in told) or "no window")
    return " | ".join([*cells, f"{100 * table.success.mean():.0f} %"])


def main() -> None:
    """Run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("videos", type=Path, nargs="+")
    parser.add_argument("--repeat", type=int, default=2)
    parser.add_argument("--slow-reader", action="store_true", help="--json, read 100 bytes/s.")
    words = sys.argv[1:]
    cut = words.index("--") if "--" in words else len(words)
    given, options = parser.parse_args(words[:cut]), words[cut + 1 :]
    if given.slow_reader:
        options.append("--json")
    command = " ".join(["python -m validation.live", *words])
    say("\n".join(f"- {key}: {value}" for key, value in provenance(command).items()))
    say(f"- load of the machine before: {os.getloadavg()[0]:.1f}\n")
    say("| video | measured | frames/s | dropped | latency, ms | until drawn, ms | success |")
    say("|---|---|---|---|---|---|---|")
    for video in given.videos:
        with VideoReader(video) as reader:
            frames = sum(1 for _ in reader)
            width, height = reader.width, reader.height
        for _ in range(given.repeat):
            told = summary(session(video, options, given.slow_reader), frames)
            say(f"| {video.stem}, {width}x{height} | {told} |")


if __name__ == "__main__":
    main()
