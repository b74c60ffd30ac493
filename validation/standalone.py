"""The command line as one folder that needs no Python: built by PyInstaller, run on a video.

    python -m validation.standalone VIDEO [--work FOLDER]

Makes an environment of its own from the package index, installs the package of this checkout and
PyInstaller, builds, and runs the program with an empty home on the video. The model files stay
outside: $PYFACEAU_WEIGHTS_DIR. The table must be the one that this environment's pyfaceau writes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

from validation.provenance import RESULTS, ROOT, provenance
from validation.report import heading, table

PYINSTALLER = "pyinstaller==6.22.3"
ENTRY = "from pyfaceau.cli import main\n\nif __name__ == '__main__':\n    main()\n"


def build(work: Path) -> Path:
    """Return the program, built in a folder."""
    venv.create(work / "venv", with_pip=True)
    python = work / "venv/bin/python"
    alone = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(  # noqa: S603 - the words above
        [python, "-m", "pip", "install", "--quiet", PYINSTALLER, str(ROOT)], check=True, env=alone
    )
    (work / "entry.py").write_text(ENTRY)
    line = [
        python,
        "-m",
        "PyInstaller",
        "--noconfirm",
        "--log-level",
        "ERROR",
        "--name",
        "pyfaceau",
    ]
    for package in ("pyfaceau", "llvmlite", "numba", "av", "onnxruntime"):
        line += ["--collect-all", package]
    subprocess.run([*line, "entry.py"], cwd=work, check=True, env=alone)  # noqa: S603
    return work / "dist/pyfaceau/pyfaceau"


def run(program: list[str | Path], video: Path, target: Path, home: Path) -> float:
    """Measure a video with an empty home; return seconds."""
    kept = {
        name: os.environ[name] for name in ("PATH", "PYFACEAU_WEIGHTS_DIR") if name in os.environ
    }
    began = time.perf_counter()
    subprocess.run(  # noqa: S603 - the program that was built
        [*program, video, "-o", target], env={**kept, "HOME": str(home)}, check=True
    )
    return time.perf_counter() - began


def main(arguments: list[str] | None = None) -> int:
    """Build, run, compare, write the record."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--work", type=Path)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        work = given.work or Path(folder)
        work.mkdir(parents=True, exist_ok=True)
        program = build(work)
        size = sum(f.stat().st_size for f in program.parent.rglob("*") if f.is_file())
        home = work / "home"
        home.mkdir(exist_ok=True)
        video = given.video.absolute()
        first = run([program], video, work / "one.csv", home)
        second = run([program], video, work / "two.csv", home)
        run([sys.executable, "-m", "pyfaceau.cli"], video, work / "ours.csv", Path.home())
        same = len({(work / name).read_bytes() for name in ("one.csv", "two.csv", "ours.csv")}) == 1
    rows = [
        [
            given.video.name,
            f"{size / 2**20:.0f} MiB",
            f"{first:.0f} s",
            f"{second:.0f} s",
            str(same),
        ]
    ]
    head = [
        "video",
        "folder",
        "first run, kernels compiled",
        "second run",
        "same bytes as pyfaceau",
    ]
    origin = provenance(f"python -m validation.standalone {given.video.name}")
    text = heading("The command line built by PyInstaller", origin) + "\n" + table(head, rows)
    (RESULTS / "standalone.md").write_text(text, encoding="utf-8")
    sys.stdout.write(text)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
