"""Run a profile over the sample videos and compare its CSV with the reference program's.

    python -m validation.conformance --config default

writes ``validation/results/conformance-default.md`` and ``.json``. For the profile ``openface`` the
exit status says whether the bars of that profile hold.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from tqdm import tqdm

from pyfaceau.errors import PyfaceauError
from validation import report
from validation.metrics import Comparison, TextAgreement, compare, compare_text, noise_failures
from validation.provenance import RESULTS, provenance
from validation.reference import SHARED, Reference, as_stored, read_table
from validation.stages import StageCheck, action_unit_stages, geometry_stages

logger = logging.getLogger("validation")
EXACT_PROFILE = "openface"
OTHER_MODELS = {"ceclm": "CE-CLM", "clm": "CLM"}
"""Profiles whose landmark model is not the reference's."""

OTHER_MODEL = """The reference was made with OpenFace's CLNF model, this profile has its {}: the
figures show how far two models of one program lie apart, and that this one follows faces. A
reference of its own, made by OpenFace's `-mloc`, can be given by `--shared`.
"""

RULE = """Over frames where both report success; an AU counts if its reference std is above 0.05;
constant output counts as r = 0. Bias is output minus reference.
"""


class Pipeline(Protocol):
    """What is measured."""

    def process_video(self, video_path: str, output_csv: str) -> Any:
        """Write the CSV of a video."""


@dataclasses.dataclass
class Run:
    """All that one run measures."""

    comparisons: dict[str, Comparison] = dataclasses.field(default_factory=dict)
    texts: dict[str, TextAgreement] = dataclasses.field(default_factory=dict)
    failed: dict[str, str] = dataclasses.field(default_factory=dict)
    checks: list[StageCheck] = dataclasses.field(default_factory=list)


def run_videos(reference: Reference, names: Iterable[str], pipeline: Pipeline, folder: Path) -> Run:
    """Write a CSV for every video with one pipeline object, and compare each."""
    run = Run()
    frames = {name: len(reference.lines(name)) - 1 for name in names}
    with tqdm(total=sum(frames.values()), unit=" frames", disable=None) as bar:
        for name, count in frames.items():
            bar.set_description(name)
            output = folder / f"{name}.csv"
            try:
                pipeline.process_video(
                    video_path=str(reference.video(name)), output_csv=str(output)
                )
            except PyfaceauError as error:
                logger.warning("%s: %s", name, error)
                run.failed[name] = str(error)
            else:
                lines = output.read_text(encoding="ascii").splitlines()
                run.texts[name] = compare_text(reference.lines(name), lines)
                run.comparisons[name] = compare(reference.table(name), read_table(output))
            bar.update(count)
    return run


def run_stages(reference: Reference, names: list[str]) -> list[StageCheck]:
    """Feed the stages with the reference's inputs."""
    checks = list(geometry_stages(reference))
    for name in tqdm(names, desc="stages", unit=" videos", disable=None):
        checks += action_unit_stages(reference, name)
    return checks


def render(run: Run, config: str, noise: dict[str, Any], origin: dict[str, str]) -> str:
    """Return the report."""
    parts = [report.heading(f"Conformance of profile {config}", origin)]
    if config in OTHER_MODELS:
        parts.append(OTHER_MODEL.format(OTHER_MODELS[config]))
    parts += [
        RULE,
        "## Videos\n",
        report.video_table(run.comparisons),
        "## Action units: r by video\n",
        report.unit_table(run.comparisons),
    ]
    if config == EXACT_PROFILE:
        parts += ["## Against the reference's own repeatability\n"]
        parts += [report.noise_table(run.comparisons, noise)]
    parts += ["## Equal to the reference, character for character\n", report.text_table(run.texts)]
    if run.checks:
        parts += ["## Stages fed with the reference's inputs\n", report.stage_table(run.checks)]
    if run.failed:
        parts += ["## Failed\n", *(f"- {name}: {why}" for name, why in run.failed.items())]
    return "\n".join(parts)


def as_json(run: Run, config: str, origin: dict[str, str]) -> str:
    """Return the same figures for a machine."""
    videos = {
        name: {
            **c.summary(),
            "intensities": {au: dataclasses.asdict(v) for au, v in c.intensities.items()},
            "presences": c.presences,
            "text": dataclasses.asdict(run.texts[name]),
        }
        for name, c in run.comparisons.items()
    }
    stages = [dataclasses.asdict(check) for check in run.checks]
    figures = {"config": config, **origin, "videos": videos, "stages": stages, "failed": run.failed}
    return json.dumps(figures, indent=1) + "\n"


def missed(run: Run, config: str, noise: dict[str, Any]) -> list[str]:
    """Return what does not hold: failed videos, stages, and the bars of the exact profile."""
    clauses = [f"{name}: {why}" for name, why in run.failed.items()]
    clauses += [f"{c.stage}, {c.video}: {c.measured}" for c in run.checks if not c.holds]
    if config == EXACT_PROFILE:
        for name, comparison in run.comparisons.items():
            clauses += [f"{name}: {w}" for w in noise_failures(comparison, noise.get(name, {}))]
    return clauses


def main(arguments: list[str] | None = None) -> int:
    """Parse, run, write the report; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m validation.conformance", description=__doc__)
    parser.add_argument("--config", default="default", help="profile (default: %(default)s)")
    parser.add_argument("--videos", nargs="+", metavar="NAME", help="some of the videos only")
    parser.add_argument("--no-stages", action="store_true", help="leave the stage checks out")
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of the reference")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the report goes")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the CSVs here")
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(message)s")
    from pyfaceau.pipeline.video import FullPythonAUPipeline

    try:
        pipeline = FullPythonAUPipeline(config=as_stored(options.config))
    except PyfaceauError as error:
        parser.exit(2, f"{error}\n")
    reference = Reference(options.shared)
    names = options.videos or reference.names()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        run = run_videos(reference, names, pipeline, folder)
    if not options.no_stages:
        run.checks = run_stages(reference, names)
    command = f"python -m validation.conformance --config {options.config}"
    command += " --videos " + " ".join(options.videos) if options.videos else ""
    command += " --no-stages" if options.no_stages else ""
    origin, noise = provenance(command), reference.noise()
    options.results.mkdir(parents=True, exist_ok=True)
    target = options.results / f"conformance-{options.config}.md"
    target.write_text(render(run, options.config, noise, origin), encoding="utf-8")
    target.with_suffix(".json").write_text(as_json(run, options.config, origin), encoding="utf-8")
    clauses = missed(run, options.config, noise)
    sys.stdout.write(report.video_table(run.comparisons) + f"\n{target}\n")
    sys.stdout.writelines(f"missed: {clause}\n" for clause in clauses)
    return 1 if clauses else 0


if __name__ == "__main__":
    sys.exit(main())
