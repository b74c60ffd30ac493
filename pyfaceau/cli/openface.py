"""OpenFace's programs, as commands that take its command line and leave its files.

Each translates its arguments to jobs of `pyfaceau`'s own pipelines, in profile ``openface``.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyfaceau.cli.command import GROUP_HELP, LENS_HELP, with_fit_option
from pyfaceau.cli.inputs import Job, Kind, videos_in
from pyfaceau.cli.openface_line import Line, parse
from pyfaceau.cli.running import INTERRUPTED, Runner
from pyfaceau.errors import InputError, PyfaceauError

if TYPE_CHECKING:
    from pyfaceau.config import Config

_LANDMARKS = tuple(name for name in GROUP_HELP if name != "aus")
_PROFILES = (("ceclm", "ceclm"), ("clnf", "openface"), ("clm", "clm"))
"""Part of the name of a list of landmark models, and the profile that has it; the first counts."""


@dataclass(frozen=True)
class Program:
    """One of OpenFace's programs.

    Attributes
    ----------
    name : str
        The command.
    kind : {'video', 'still'}
        What its inputs are.
    several : bool
        It follows several faces.
    groups : tuple of str
        Groups of columns where none is chosen.
    faces : bool
        Where nothing is chosen it writes descriptors and aligned faces too.
    """

    name: str
    kind: Kind = "video"
    several: bool = False
    groups: tuple[str, ...] = tuple(GROUP_HELP)
    faces: bool = True

    def __call__(self) -> None:
        """Run as a command."""
        sys.exit(self.run(sys.argv[1:]))

    def run(self, words: Sequence[str]) -> int:
        """Run.

        Parameters
        ----------
        words : sequence of str
            The command line, without the program's name.

        Returns
        -------
        int
            0, or 1 if something failed: what came before is written, what comes after is not begun.
        """
        logging.basicConfig(format="%(message)s", level=logging.WARNING)
        if not set(words) - {"-h", "-help", "--help"}:
            click.echo(_usage(self))
            return 0
        try:
            line = parse(words)
            _remark(self, line)
            settings = _settings(line)
            if "device" in line.values:
                return _film(line, settings)
            jobs = _jobs(self, line)
            runner = Runner(settings, _groups(self, line), self.several, _outputs(self, line))
            quiet = not line.flags.isdisjoint(("q", "quiet"))
            for job in jobs:
                self._process(runner, job, quiet)
        except PyfaceauError as error:
            click.echo(f"{self.name}: {' '.join(str(error).split())}", err=True)
            return 1
        except KeyboardInterrupt:
            click.echo(f"{self.name}: interrupted", err=True)
            return INTERRUPTED
        except Exception as error:  # noqa: BLE001 - whatever it is, a caller's script gets a line
            problem = " ".join(f"{type(error).__name__}: {error}".split())
            click.echo(f"{self.name}: {problem}", err=True)
            return 1
        return 0

    def _process(self, runner: Runner, job: Job, quiet: bool) -> None:
        """Process one input; where no face was found OpenFace leaves no table of its rows."""
        done = runner.write(job)
        if not done.frames and (self.several or self.kind == "still"):
            done.path.unlink(missing_ok=True)
        if not quiet:
            rows = f"{done.frames} rows, {done.faces} with a face"
            click.echo(f"{job.path}: {rows}: {job.table.parent}")


feature_extraction = Program("FeatureExtraction")
face_landmark_img = Program("FaceLandmarkImg", "still")
face_landmark_vid = Program("FaceLandmarkVid", groups=_LANDMARKS, faces=False)
face_landmark_vid_multi = Program("FaceLandmarkVidMulti", several=True)


def _usage(program: Program) -> str:
    """Return help, in a few lines."""
    what = "PICTURE" if program.kind == "still" else "VIDEO"
    return (
        f"Usage: {program.name} -f {what} [-f {what}]... | -fdir FOLDER | -device N  [-out_dir DIR]"
        "\n\nThe command of OpenFace, by pyfaceau: its options, its files, its defaults. What no\n"
        "option chooses is all written, to the folder processed/. docs/drop-in.md lists the "
        "options;\npyfaceau --help shows a command with more."
    )


def _remark(program: Program, line: Line) -> None:
    """Say once what has no effect."""
    if program.kind == "still" and "g" in line.flags:
        line.flags.remove("g")
        line.idle.append("-g")
    if program.kind != "still" and "bboxdir" in line.values:
        line.idle.append("-bboxdir")
    if line.idle:
        click.echo(f"{program.name}: without effect here: {', '.join(line.idle)}", err=True)
    if line.unknown:
        click.echo(f"{program.name}: unknown, ignored: {', '.join(line.unknown)}", err=True)


def _settings(line: Line) -> Config:
    """Return the profile with the line's options put in."""
    from dataclasses import replace

    from pyfaceau.config import Config

    model = Path(line.values.get("mloc", "clnf")).stem
    profile = next((profile for part, profile in _PROFILES if part in model.lower()), None)
    if profile is None:
        raise InputError(f"-mloc: expected a list named clnf, clm or ceclm, got {model!r}")
    settings = Config.load(profile)
    if "au_static" in line.flags:
        settings = replace(settings, static_aus=True)
    for name, value in line.fit:
        settings = with_fit_option(settings, name, value)
    lens = {name: line.values[name] for name in LENS_HELP if name in line.values}
    return replace(settings, lens=replace(settings.lens, **lens))


def _groups(program: Program, line: Line) -> tuple[str, ...]:
    """Return the groups of columns; ``meta`` alone where only other outputs are chosen."""
    if not line.chooses:
        return program.groups
    return tuple(name for name in GROUP_HELP if name in line.flags) or ("meta",)


def _outputs(program: Program, line: Line) -> dict[str, Any]:
    """Return the files beside the table, as `pyfaceau.cli.outputs` has them."""
    faces = program.faces or line.chooses
    return {
        "hog": faces and line.wants("hogalign"),
        "aligned": None,
        "simalign": faces and line.wants("simalign"),
        "simsize": line.values.get("simsize"),
        "simscale": line.values.get("simscale"),
        **{name: name in line.flags for name in ("nomask", "g", "nobadaligned")},
        "tracked": None,
        "named_tracked": line.wants("tracked"),
        "details": True,
        "threads": None,
    }


def _jobs(program: Program, line: Line) -> list[Job]:
    """Return the inputs with their tables; all that can be refused is refused here."""
    inputs = _pictures(line) if program.kind == "still" else line.inputs
    if not inputs:
        raise InputError("expected an input, -f FILE, -fdir FOLDER or -device N, got none")
    if line.names and len(line.names) != len(inputs):
        raise InputError(
            f"-of: expected one name for each of {len(inputs)} inputs, got {len(line.names)}"
        )
    out = Path(line.values.get("out_dir") or "processed")
    boxes = _boxes(line, inputs) if program.kind == "still" else {}
    jobs: list[Job] = []
    for number, (kind, path) in enumerate(inputs):
        if kind == "fdir":
            _check_sequence(path)
        elif not path.is_file():
            raise InputError(f"-f: expected a file, got {path}, which is none")
        name = path.resolve().name if kind == "fdir" else path.stem
        named = Path(line.names[number]) if line.names else None
        if named is not None and not named.name:
            raise InputError(f"-of: expected a name, got {line.names[number]!r}")
        table = out / (named.with_suffix("") if named else name)
        table = table.with_name(f"{table.name}.csv")
        jobs.append(Job(program.kind, path, table, boxes.get(path)))
    return jobs


def _pictures(line: Line) -> list[tuple[str, Path]]:
    """Return the still pictures: those of -f, else those of the first -fdir."""
    from pyfaceau.media.picture import pictures_in

    files = [pair for pair in line.inputs if pair[0] == "f"]
    if files or not line.inputs:
        return files
    folder = line.inputs[0][1]
    _check_sequence(folder)
    return [("f", path) for path in pictures_in(folder)]


def _check_sequence(folder: Path) -> None:
    """Refuse what is no folder of pictures."""
    if not folder.is_dir():
        raise InputError(f"-fdir: expected a folder of pictures, got {folder}, which is no folder")
    if videos := videos_in(folder):
        raise InputError(
            f"-fdir: expected a folder of pictures, got {folder} with {len(videos)} "
            f"video{'s' * (len(videos) > 1)}: give each by -f, or use pyfaceau study run"
        )


def _boxes(line: Line, inputs: Sequence[tuple[str, Path]]) -> dict[Path, Path]:
    """Return the file of boxes of each picture."""
    if "bboxdir" not in line.values:
        return {}
    folder = Path(line.values["bboxdir"])
    if any(kind == "f" for kind, _ in line.inputs):
        raise InputError("-bboxdir: expected pictures by -fdir, got them by -f")
    files = {path: folder / f"{path.stem}.txt" for _, path in inputs}
    for path in files.values():
        if not path.is_file():
            raise InputError(f"-bboxdir: expected {path}, the boxes of a picture, got no such file")
    return files


def _film(line: Line, settings: Config) -> int:
    """Record a camera until key q or Ctrl-C, with a window where there is a display and Qt."""
    from pyfaceau.cli.live import film

    name = line.names[0] if line.names else time.strftime("webcam_%Y-%m-%d-%H-%M")
    table = Path(line.values.get("out_dir") or "processed") / Path(name).with_suffix(".csv")
    words = ["--camera", str(line.values["device"]), "--record", str(table)]
    try:
        from pyfaceau.live.window import check_display

        check_display()
    except PyfaceauError:
        words.append("--json")
    model = {"main_clm_general.txt": "clm", "main_ceclm_general.txt": "ceclm"}
    words += ["--config", model.get(settings.models.clnf, "openface")]
    film(words, "try -device with another number, or -f FILE")
    return 0
