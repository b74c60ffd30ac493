"""Compare tables that different kinds of processors write of the same videos, cell by cell.

    python -m validation.machines root FOLDER            # once, as root: an ARM64 Debian to emulate
    python -m validation.machines run --root FOLDER [VIDEO ...]

needs Debian's packages ``qemu-user`` and ``debootstrap`` and an x86-64 machine, and writes
``validation/results/machines.md``. What the folder of ``--work`` has already is not measured
again, so kinds can be taken one after another (``--only``). Without videos it takes some of the
samples, and recodes one into other formats. Each kind of processor measures the first frames of
each video with the command of this interpreter's packages (the ARM64 one with PyPI's aarch64
wheels of the same versions), all kernels compiled there; then the kernels' tests run there.
Emulation is slow: up to an hour for each kind.

What this is not: real ARM hardware, macOS or Windows.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from validation import report
from validation.provenance import LIBRARIES, RESULTS, ROOT, provenance
from validation.reference import SHARED

FRAMES = 12
CONFIGS = ("openface", "default")
PICTURES = "pictures"
"""In place of a profile: pictures alone, no tables."""
SAMPLES = ("single_face.mp4", "d9.mp4", "face_noface.mov", "default.wmv",
           "WDA_AlexandriaOcasioCortez_000.mp4", "multi_face.avi")  # fmt: skip
RECODED = {
    "mjpeg.avi": ("mjpeg", "yuvj420p"),
    "hevc10.mp4": ("libx265", "yuv420p10le"),
    "h264-422.mp4": ("libx264", "yuv422p"),
}
TESTS = (
    "tests/numerics",
    "tests/media/test_colour.py",
    "tests/media/test_decoding.py",
    "tests/landmarks/test_pfld_network.py",
    "tests/detection/test_resize.py",
)
PYTEST = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
OTHERS = (
    "pillow",
    "pillow-heif",
    "pandas",
    "click",
    "tqdm",
    "platformdirs",
    "pytest",
    "hypothesis",
)
DEBIAN = {"python3.11": "bookworm", "python3.13": "trixie"}
PLATFORMS = (
    "manylinux_2_28",
    "manylinux_2_27",
    "manylinux_2_26",
    "manylinux_2_17",
    "manylinux2014",
)
CPUINFO = """processor\t: 0
Features\t: fp asimd aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x3
CPU part\t: 0xd0c
CPU revision\t: 1
"""
"""ONNX Runtime reads this file, and crashes on an ARM build that finds an x86 one."""


@dataclass(frozen=True)
class Kind:
    """A kind of processor, as a way to start Python.

    Attributes
    ----------
    name : str
        For the table.
    command : tuple of str
        Python.
    settings : dict of str
        Environment.
    """

    name: str
    command: tuple[str, ...]
    settings: dict[str, str] = field(default_factory=dict)

    def run(self, arguments: Sequence[str], cache: Path) -> subprocess.CompletedProcess[str]:
        """Run Python with arguments, kernels compiled into a folder of its own."""
        settings = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PYFACEAU_CACHE_DIR": str(cache),
            **self.settings,
        }
        return subprocess.run(  # noqa: S603 - the commands are those of `kinds`
            [*self.command, *arguments],
            env=settings,
            cwd=ROOT,
            text=True,
            capture_output=True,
            check=False,
        )


def kinds(root: Path | None) -> list[Kind]:
    """Return the kinds that can be had here, this processor first."""
    python = sys.executable
    found = [
        Kind("x86-64, this processor", (python,)),
        Kind("the same, kernels for any x86-64", (python,), _compiled_for("generic")),
        Kind("the same, kernels for AVX2", (python,), _compiled_for("haswell")),
    ]
    if "avx512f" in Path("/proc/cpuinfo").read_text():
        found.append(
            Kind("the same, kernels for AVX-512", (python,), _compiled_for("skylake-avx512"))
        )
    for cpu, what in (("Haswell", "AVX2"), ("Nehalem", "no AVX")):
        found.append(Kind(f"x86-64 emulated, {what}", ("qemu-x86_64", "-cpu", cpu, python)))
    if root is not None:
        settings = {"PYTHONHOME": f"{root}/usr", "PYTHONPATH": f"{root}/site:{ROOT}"}
        python = str(root / "usr/bin" / f"python3.{sys.version_info.minor}")
        found.append(Kind("ARM64 emulated", ("qemu-aarch64", "-L", str(root), python), settings))
    return found


def _compiled_for(cpu: str) -> dict[str, str]:
    return {"NUMBA_CPU_NAME": cpu, **({"NUMBA_CPU_FEATURES": ""} if cpu == "generic" else {})}


def make_root(root: Path) -> None:
    """Put an ARM64 Debian with this interpreter's packages into a folder; nothing runs in it."""
    python = f"python3.{sys.version_info.minor}"
    include = f"--include={python},libstdc++6,libgomp1"
    command = ["debootstrap", "--foreign", "--arch=arm64", "--variant=minbase", include]
    subprocess.run([*command, DEBIAN[python], str(root)], check=True)  # noqa: S603
    for package in sorted((root / "var/cache/apt/archives").glob("*.deb")):
        subprocess.run(["dpkg-deb", "-x", str(package), str(root)], check=True)  # noqa: S603, S607
    (root / "proc").mkdir(exist_ok=True)
    (root / "proc/cpuinfo").write_text(CPUINFO)
    names = [f"{name}=={importlib.metadata.version(name)}" for name in (*LIBRARIES, *OTHERS)]
    options = [f"--platform={p}_aarch64" for p in PLATFORMS]
    options += [f"--abi={abi}" for abi in (f"cp3{sys.version_info.minor}", "abi3", "none")]
    pip = [sys.executable, "-m", "pip", "install", "--target", str(root / "site")]
    version = f"--python-version=3.{sys.version_info.minor}"
    subprocess.run([*pip, "--only-binary=:all:", version, *options, *names], check=True)  # noqa: S603


def measure(config: str, output: Path, videos: Sequence[Path]) -> None:
    """Write digests of videos' pictures, and their tables by a profile; runs on each kind."""
    import zlib

    from pyfaceau.media.video import VideoReader
    from pyfaceau.pipeline.video import FullPythonAUPipeline

    output.mkdir(parents=True, exist_ok=True)
    for path in videos:
        with VideoReader(path) as video:
            pictures = [
                zlib.crc32(frame.image) for frame, _ in zip(video, range(FRAMES), strict=False)
            ]
        (output / f"{path.stem}.txt").write_text("\n".join(map(str, pictures)))
        if config == PICTURES:
            continue
        pipeline = FullPythonAUPipeline(config=config)
        pipeline.process_video(path, output / f"{path.stem}.csv", max_frames=FRAMES)


def recode(source: Path, folder: Path) -> list[Path]:
    """Write the first frames of a video in other formats."""
    import av

    folder.mkdir(parents=True, exist_ok=True)
    with av.open(str(source)) as container:
        decoded = container.decode(video=0)
        pictures = [next(decoded).to_ndarray(format="bgr24") for _ in range(FRAMES)]
    for name, (codec, pixels) in RECODED.items():
        with av.open(str(folder / name), "w") as container:
            stream = container.add_stream(codec, rate=25)
            stream.height, stream.width = pictures[0].shape[:2]
            stream.pix_fmt = pixels
            for picture in pictures:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
            container.mux(stream.encode(None))
    return [folder / name for name in RECODED]


def compare(first: Path, second: Path) -> list[str]:
    """Return how two kinds' results of a video differ: pictures, cells, action units, points."""
    texts = [path.with_suffix(".txt").read_text().split() for path in (first, second)]
    pictures = f"{sum(a != b for a, b in zip(*texts, strict=True))}/{len(texts[0])}"
    if not first.exists():
        return [pictures, *["-"] * 4]
    one, two = (pd.read_csv(path, skipinitialspace=True, dtype=str) for path in (first, second))
    unequal = int((one.to_numpy() != two.to_numpy()).sum())
    away = (one.astype(float) - two.astype(float)).abs()
    units = away[[name for name in away if name.startswith("AU") and name.endswith("_r")]].max()
    points = away[[name for name in away if name[:2] in ("x_", "y_")]].to_numpy()
    worst = f"{units.max():.2f} ({units.idxmax()})" if units.max() > 0 else "0"
    changed = int((units > 0).sum())
    return [
        pictures,
        f"{unequal:,}/{one.size:,}",
        f"{changed}",
        worst,
        f"{np.nanmax(points, initial=0):.1f}",
    ]


def run(
    root: Path | None,
    videos: list[Path],
    work: Path,
    only: str,
    configs: Sequence[str],
    tests: bool,
) -> int:
    """Measure on the kinds that are asked for and not done yet; report all that are done.

    Returns 0 if profile openface is the same everywhere.
    """
    videos = videos or [SHARED / "samples/video" / name for name in SAMPLES]
    videos = [*videos, *recode(videos[0], work / "recoded")]
    known = kinds(root)
    for number, kind in enumerate(known):
        if number and only not in kind.name:
            continue
        for config in configs:
            for video in videos:
                if message := _measure_there(kind, config, work / str(number), video):
                    sys.stderr.write(f"{kind.name}, {config}, {video.name}: {message}\n")
            same = report_of(known, videos, work, configs, root)
        if tests and not (work / str(number) / "tests.txt").exists():
            done = kind.run([*PYTEST, *TESTS], work / str(number) / "cache")
            (work / str(number) / "tests.txt").write_text(_last_line(done))
            same = report_of(known, videos, work, configs, root)
    return 0 if same else 1


def _measure_there(kind: Kind, config: str, work: Path, video: Path) -> str:
    """Measure one video on one kind unless it is done; return what went wrong."""
    place = work / config
    suffix = ".txt" if config == PICTURES else ".csv"
    if (place / video.stem).with_suffix(suffix).exists():
        return ""
    arguments = ["-m", "validation.machines", "measure", config, str(place), str(video)]
    done = kind.run(arguments, work / "cache")
    return done.stderr[-2000:] if done.returncode else ""


def report_of(
    known: list[Kind], videos: list[Path], work: Path, configs: Sequence[str], root: Path | None
) -> bool:
    """Write the report of what is done; return whether profile openface is the same everywhere."""
    rows: list[list[str]] = []
    results: list[list[str]] = []
    for number, kind in enumerate(known):
        for config in configs if number else ():
            for video in videos:
                name = f"{config}/{video.stem}"
                pair = [work / str(n) / f"{name}.csv" for n in (0, number)]
                ended = pair if config != PICTURES else [t.with_suffix(".txt") for t in pair]
                if all(path.exists() for path in ended):
                    rows.append([kind.name, config, video.name, *compare(*pair)])
        if (outcome := work / str(number) / "tests.txt").exists():
            results.append([kind.name, outcome.read_text()])
    write(rows, results, root)
    return all(row[4].startswith("0/") for row in rows if row[1] == "openface")


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = done.stdout.strip().splitlines() or done.stderr.strip().splitlines() or [""]
    return lines[-1].strip("= ")


def write(rows: list[list[str]], tests: list[list[str]], root: Path | None) -> None:
    """Write the report."""
    command = "python -m validation.machines run" + (" --root FOLDER" if root else "")
    head = "\n".join(f"- {key}: {value}" for key, value in provenance(command).items())
    header = [
        "processor",
        "profile",
        "video",
        "pictures",
        "cells",
        "AUs",
        "worst AU_r",
        "points, px",
    ]
    text = (
        f"# The same videos on other kinds of processors\n\n{head}\n"
        f"- frames of each video: {FRAMES}\n\n"
        "Each line compares with the first kind, this processor: how many pictures have another\n"
        "byte, how many cells of the table another string, in how many action units' intensities,\n"
        "by how much at most, and how far the farthest landmark is.\n\n"
        "Emulated kinds are qemu-user's (`qemu-x86_64 -cpu NAME`, `qemu-aarch64 -L FOLDER`): no\n"
        "binfmt_misc, no chroot; every library is PyPI's wheel, which chooses its code by what\n"
        "the emulated processor says it can. qemu knows no AVX-512; on a machine that has it, the\n"
        "script has one kind more. Real ARM hardware, macOS and Windows: not run.\n\n"
        + report.table(header, rows)
        + "\n## Tests there\n\n`pytest "
        + " ".join(TESTS)
        + "`\n\n"
        + report.table(["processor", "result"], tests)
    )
    (RESULTS / "machines.md").write_text(text)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("root").add_argument("folder", type=Path)
    runner = commands.add_parser("run")
    runner.add_argument("--root", type=Path)
    runner.add_argument("--work", type=Path, default=Path("machines-work"))
    runner.add_argument("--only", default="", help="kinds whose name has this")
    runner.add_argument("--profiles", nargs="+", default=CONFIGS, help="or 'pictures' alone")
    runner.add_argument("--no-tests", action="store_true")
    runner.add_argument("videos", type=Path, nargs="*")
    worker = commands.add_parser("measure")
    worker.add_argument("config")
    worker.add_argument("output", type=Path)
    worker.add_argument("videos", type=Path, nargs="+")
    options = parser.parse_args()
    if options.command == "root":
        if shutil.which("debootstrap") is None:
            parser.error("debootstrap is not there: apt-get install debootstrap qemu-user")
        make_root(options.folder.resolve())
        return 0
    if options.command == "measure":
        measure(options.config, options.output, options.videos)
        return 0
    root = options.root.resolve() if options.root else None
    place, tests = options.work.resolve(), not options.no_tests
    return run(root, options.videos, place, options.only, options.profiles, tests)


if __name__ == "__main__":
    raise SystemExit(main())
