"""How fast each profile is, beside the limit of the machine.

    python -m validation.benchmark

Every run is a process of its own. The limit is decoding plus one call of the landmark network for
each frame, on one core; it is measured anew before each round of a profile, ratios are taken within
a round, and medians over rounds are reported. The steady state is the marginal wall time per frame
between a video and the same video three times in a row, so that starting up is a figure of its own.
The report goes to
``validation/results/benchmark-DATE-COMMIT.md`` and ``.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from validation.loop import loop_video
from validation.provenance import RESULTS, ROOT, provenance, usable_cores
from validation.reference import SHARED, Reference
from validation.report import heading, number, table

BARS = {"default": 1.33, "openface": 3.33, "fast": 1.1}
"""Ratios to the limit, on two cores, that the profiles have to reach."""

LONGER = 3
GROWTH_FRAMES = (4_000, 20_000)
MAX_GROWTH = 1.05
MAX_RSS_MIB = 400 * 1e6 / 2**20


def run(what: str, cores: int, cache: Path | None = None, **task: Any) -> dict[str, Any]:
    """Run one task in a new process.

    Parameters
    ----------
    what : str
        A key of `validation.workload.TASKS`.
    cores : int
        How many cores it may use.
    cache : Path, optional
        Folder of compiled kernels; the user's if not given.
    **task
        The task's own settings.

    Returns
    -------
    dict
        Its figures.
    """
    environment = dict(os.environ)
    if cache is not None:
        environment["PYFACEAU_CACHE_DIR"] = str(cache)
    settings = json.dumps({"what": what, "cores": cores, "started": time.time(), **task})
    command = [sys.executable, "-m", "validation.workload", settings]
    done = subprocess.run(  # noqa: S603 - our own module
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def marginal(short: dict[str, Any], long: dict[str, Any], name: str) -> float:
    """Return the milliseconds that each further frame takes."""
    return float(1e3 * (long[name] - short[name]) / (long["frames"] - short["frames"]))


def round_of(
    what: str, videos: tuple[Path, Path], cores: int, names: Sequence[str], **task: Any
) -> dict[str, float]:
    """Return marginal times per frame (ms), start-up (s) and memory of one measurement.

    Parameters
    ----------
    what : str
        The task.
    videos : (Path, Path)
        The short and the long loop.
    cores : int
        Cores.
    names : sequence of str
        The times to take from the task's figures.
    **task
        The task's own settings.

    Returns
    -------
    dict of str to float
        The times by name, ``start`` and ``rss``.
    """
    short, long = (run(what, cores, video=str(video), **task) for video in videos)
    figures = {name: marginal(short, long, name) for name in names}
    figures["start"] = short["wall"] - figures["wall"] * short["frames"] / 1e3
    figures["rss"] = long["rss"] or float("nan")
    return figures


def beside_the_limit(
    config: str, videos: tuple[Path, Path], cores: int, repeats: int, limits: list[dict[str, float]]
) -> dict[str, float]:
    """Return a profile's medians over rounds, and those of its ratios to the limit.

    The limit is measured right before each round, so that a machine that is slower for a while is
    slower for both; `limits` receives it.
    """
    rounds = []
    for _ in range(repeats):
        limits.append(round_of("limit", videos, 1, ("wall", "cpu", "decode", "network")))
        figures = round_of("pipeline", videos, cores, ("wall", "cpu"), config=config)
        for name in ("wall", "cpu"):
            figures[f"{name}_ratio"] = figures[name] / limits[-1][name]
        rounds.append(figures)
    return medians(rounds)


def medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    """Return the median of each figure."""
    return {name: statistics.median(figures[name] for figures in rounds) for name in rounds[0]}


def start_up(config: str, video: Path) -> dict[str, float]:
    """Return seconds from process start to the first frame: kernels not compiled, compiled."""
    with tempfile.TemporaryDirectory() as cache:
        cold, warm = (
            run("first_frame", usable_cores(), Path(cache), config=config, video=str(video))
            for _ in range(2)
        )
    return {"cold": cold["first_frame"], "warm": warm["first_frame"], "loaded": warm["loaded"]}


def help_seconds() -> float:
    """Return how long ``pyfaceau --help`` takes, median of five."""
    command = [sys.executable, "-c", "from pyfaceau.cli.command import main; main()", "--help"]
    times = []
    for _ in range(5):
        began = time.perf_counter()
        subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)  # noqa: S603
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def growth_figures(config: str, source: Path, folder: Path, repeats: int) -> dict[str, float]:
    """Return time per frame and memory about frames 4,000 and 20,000 of a long loop.

    Medians over repeats; each time is that of the 4,000 frames about the one that is named.
    """
    video = folder / "growth.avi"
    frames = loop_video(source, 1, video)
    loop_video(source, -(-(GROWTH_FRAMES[1] + 2_000) // frames), video)
    rounds = []
    for _ in range(repeats):
        samples = run("growth", usable_cores(), config=config, video=str(video))["samples"]
        at = {count: (seconds, rss) for count, seconds, rss in samples}
        figures = {}
        for count in GROWTH_FRAMES:
            span = at[count + 2_000][0] - at[count - 2_000][0]
            figures[f"ms_{count}"], figures[f"rss_{count}"] = span / 4, at[count][1]
        for name in ("ms", "rss"):
            early, late = (figures[f"{name}_{count}"] for count in GROWTH_FRAMES)
            figures[f"{name}_ratio"] = late / early
        rounds.append(figures)
    return medians(rounds)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Take all figures."""
    source = Reference(options.shared).video(options.video)
    cores = [n for n in (1, 2) if n <= usable_cores()]
    figures: dict[str, Any] = {"video": options.video, "help": help_seconds(), "profiles": {}}
    with tempfile.TemporaryDirectory() as scratch:
        videos = Path(scratch) / "short.avi", Path(scratch) / "long.avi"
        for video, times in zip(videos, (1, LONGER), strict=True):
            loop_video(source, times, video)
        limits: list[dict[str, float]] = []
        for config in tqdm(options.configs, unit=" profiles", disable=None):
            run("pipeline", max(cores), config=config, video=str(videos[0]))  # compiles kernels
            profile: dict[str, Any] = {"first frame": start_up(config, videos[0]), "cores": {}}
            for n in cores:
                profile["cores"][n] = beside_the_limit(config, videos, n, options.repeats, limits)
            profile["stages"] = run("pipeline", 1, config=config, video=str(videos[1]), stages=True)
            if options.growth:
                profile["growth"] = growth_figures(config, source, Path(scratch), options.repeats)
            figures["profiles"][config] = profile
    figures["limit"] = medians(limits)
    return figures


def render(figures: dict[str, Any], origin: dict[str, str]) -> str:
    """Return the report."""
    limit = figures["limit"]
    sum_of = f"decoding {limit['decode']:.3f} ms + landmark network {limit['network']:.3f} ms"
    parts = [
        heading(f"Speed on {figures['video']}", origin),
        f"Limit: {sum_of} = **{limit['wall']:.3f} ms per frame** on one core.\n",
        "## Steady state\n",
        _steady_table(figures),
        "## Start-up\n",
        f"`pyfaceau --help`: {figures['help']:.2f} s\n",
        _start_table(figures),
    ]
    if any("growth" in profile for profile in figures["profiles"].values()):
        parts += ["## Frame 4,000 and frame 20,000\n", _growth_table(figures)]
    for config, profile in figures["profiles"].items():
        parts += [f"## Stages of {config}, one core\n", _stage_table(profile["stages"])]
    return "\n".join(parts)


def _steady_table(figures: dict[str, Any]) -> str:
    rows = []
    for config, profile in figures["profiles"].items():
        for cores, f in profile["cores"].items():
            bar = BARS.get(config) if int(cores) > 1 else None
            row = [config, str(cores), number(f["wall"], 3), f"{1e3 / f['wall']:.0f}"]
            row += [number(f["cpu"], 3), f"{f['cpu_ratio']:.2f}"]
            row += [f"{f['wall_ratio']:.2f}", number(bar, 2)]
            rows.append([*row, f"{f['start']:.2f}", f"{f['rss']:.0f}"])
    names = "profile,cores,ms per frame,frames/s,CPU ms per frame,CPU x limit,wall x limit,bar"
    names += ",start-up in the video; s,peak RSS; MiB"
    return table([name.replace(";", ",") for name in names.split(",")], rows)


def _start_table(figures: dict[str, Any]) -> str:
    rows = []
    for config, profile in figures["profiles"].items():
        first = profile["first frame"]
        rows.append([config, *(f"{first[name]:.2f}" for name in ("cold", "loaded", "warm"))])
    header = ("profile", "first run ever: first frame, s", "later: models loaded, s")
    return table((*header, "later: first frame, s"), rows)


def _growth_table(figures: dict[str, Any]) -> str:
    rows = []
    for config, profile in figures["profiles"].items():
        for name, unit in (("ms", "ms per frame"), ("rss", "RSS, MiB")):
            early, late = (profile["growth"][f"{name}_{count}"] for count in GROWTH_FRAMES)
            ratio = profile["growth"][f"{name}_ratio"]
            rows.append([f"{config}: {unit}", f"{early:.3f}", f"{late:.3f}", f"{ratio:.3f}"])
    return table(("figure", "at 4,000", "at 20,000", f"ratio (at most {MAX_GROWTH})"), rows)


def _stage_table(run_figures: dict[str, Any]) -> str:
    frames, wall = run_figures["frames"], 1e3 * run_figures["wall"]
    stages = dict(run_figures["stages"])
    rest = {
        name: 1e3 * run_figures[total] - sum(s[name] for s in stages.values())
        for name, total in (("wall_ms", "wall"), ("cpu_ms", "cpu"))
    }
    stages["rest"] = {"calls": frames, "median_ms": None, **rest}
    ordered = sorted(stages.items(), key=lambda item: -item[1]["wall_ms"])
    rows = []
    for name, s in ordered:
        row = [name, str(s["calls"]), number(s["median_ms"], 3)]
        row += [number(s["wall_ms"] / frames, 3), number(s["cpu_ms"] / frames, 3)]
        rows.append([*row, f"{100 * s['wall_ms'] / wall:.1f} %"])
    header = ("stage", "calls", "median ms", "ms per frame", "CPU ms per frame", "share")
    return table(header, rows)


def missed(figures: dict[str, Any]) -> list[str]:
    """Return the bars that do not hold."""
    clauses = []
    for config, profile in figures["profiles"].items():
        two = profile["cores"].get(2)
        if two is None:
            continue
        if config in BARS and two["wall_ratio"] > BARS[config]:
            clauses.append(f"{config}: {two['wall_ratio']:.2f} x the limit, bar {BARS[config]}")
        if two["rss"] > MAX_RSS_MIB:
            clauses.append(f"{config}: peak RSS {two['rss']:.0f} MiB, bar {MAX_RSS_MIB:.0f}")
        for name in ("ms", "rss") if "growth" in profile else ():
            ratio = profile["growth"][f"{name}_ratio"]
            if ratio > MAX_GROWTH:
                clauses.append(f"{config}: {name} grows by {ratio:.3f}")
    return clauses


def main(arguments: list[str] | None = None) -> int:
    """Parse, measure, write the report; return 1 where a bar does not hold."""
    parser = argparse.ArgumentParser(prog="python -m validation.benchmark", description=__doc__)
    profiles = ["default", "openface", "fast"]
    parser.add_argument("--configs", nargs="+", default=profiles, metavar="NAME")
    parser.add_argument("--video", default="2015-10-15-15-14", help="an AVI among the samples")
    parser.add_argument("--repeats", type=int, default=3, help="medians are over so many")
    parser.add_argument("--growth", action="store_true", help="also 22,000 frames per profile")
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of the samples")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the report goes")
    options = parser.parse_args(arguments)
    busy = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"
    figures = measure(options)
    command = "python -m validation.benchmark --configs " + " ".join(options.configs)
    command += f" --video {options.video} --repeats {options.repeats}"
    command += " --growth" if options.growth else ""
    origin = {**provenance(command), "load average before": busy}
    options.results.mkdir(parents=True, exist_ok=True)
    target = options.results / f"benchmark-{origin['date']}-{origin['commit'][:7]}.md"
    target.write_text(render(figures, origin), encoding="utf-8")
    text = json.dumps({**origin, **figures}, indent=1) + "\n"
    target.with_suffix(".json").write_text(text, encoding="utf-8")
    clauses = missed(figures)
    sys.stdout.write(_steady_table(figures) + f"\n{target}\n")
    sys.stdout.writelines(f"missed: {clause}\n" for clause in clauses)
    return 1 if clauses else 0


if __name__ == "__main__":
    sys.exit(main())
