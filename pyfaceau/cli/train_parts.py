"""``pyfaceau train experts`` and ``pyfaceau train pdm``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyfaceau.cli.strict import StrictCommand
from pyfaceau.errors import PyfaceauError

if TYPE_CHECKING:
    from pyfaceau.pdm.model import PDM


@click.command(cls=StrictCommand)
@click.option(
    "--data",
    "paths",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="dlib XML, folder of .pts, or .npz; may be repeated.",
)
@click.option("--kind", type=click.Choice(["svr", "ccnf"]), default="svr", show_default=True)
@click.option(
    "--scale",
    "scales",
    type=click.FloatRange(0, min_open=True),
    multiple=True,
    default=(0.25, 0.35, 0.5),
    show_default=True,
    help="Pixels per mm; one file each.",
)
@click.option("--points", metavar="LIST", help="Points that count, such as 8,33,36-59; else all.")
@click.option("--pdm", type=click.Path(path_type=Path), help="Shape model; else the installed one.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the files.")
def experts(
    paths: tuple[Path, ...],
    kind: str,
    scales: tuple[float, ...],
    points: str | None,
    pdm: Path | None,
    out: Path,
) -> None:
    """Train patch experts; OUT gets own_KIND_SCALE.txt in OpenFace's format, and main_own_KIND.txt.

    Points that are not annotated get no expert and move with the others. Use the result by a
    profile: [refinement] method = "points" and [models] patch_experts = "OUT/own_svr_0.25.txt"; or,
    as a landmark model of its own, landmarks = "clnf" and [models] clnf = "OUT/main_own_svr.txt"
    """
    from pyfaceau.cli.evaluate import point_numbers

    chosen = None if points is None else point_numbers(points)
    try:
        _train(paths, kind, scales, chosen, pdm, out)
    except PyfaceauError as error:
        raise click.ClickException(str(error)) from error
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"{error.name} is not installed; training needs: pip install 'pyfaceau[train]'"
        ) from error


def _train(
    paths: tuple[Path, ...],
    kind: str,
    scales: tuple[float, ...],
    points: list[int] | None,
    pdm: Path | None,
    out: Path,
) -> None:
    from pyfaceau.config import Models
    from pyfaceau.landmarks.network import open_network
    from pyfaceau.models.weights import locate
    from pyfaceau.pdm.model import PDM
    from pyfaceau.training import experts as room
    from pyfaceau.training.data import only_points, read_faces
    from pyfaceau.training.lists import write_lists
    from pyfaceau.training.patches import cut_areas
    from pyfaceau.training.shapes import write_pdm

    data = read_faces(*paths)
    for problem in data.problems:
        click.echo(problem, err=True)
    samples = list(data.samples) if points is None else only_points(data.samples, points)
    model = PDM.load(locate(Models().pdm if pdm is None else pdm))
    network = open_network()
    files = []
    for scale in sorted(set(scales)):
        areas = cut_areas(samples, model, scale, network=network)
        path = out / f"own_{kind}_{scale:g}.txt"
        if kind == "svr":
            svr = room.train_svr(areas)
            confidence = svr.confidence
            room.write_svr(svr, path)
        else:
            ccnf = room.train_ccnf(areas)
            confidence = ccnf.confidence
            room.write_ccnf(ccnf, path)
        files.append(path.name)
        seen = confidence > 0
        click.echo(
            f"{path}: {seen.sum()} points; correlation with the response asked for "
            f"{confidence[seen].mean():.3f}"
        )
    if pdm is not None:
        write_pdm(model, out / pdm.name)
    main = write_lists(files, kind, Path(Models().pdm if pdm is None else pdm).name, out)
    click.echo(f"{main}: all of them, as a landmark model of its own")


@click.command(cls=StrictCommand)
@click.option(
    "--data",
    "paths",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="One .npz with points (n, 68, 3), mm; or annotated pictures, as for landmarks.",
)
@click.option("--kept", default=0.98, show_default=True, help="Of 3-D points: share of variance.")
@click.option("--modes", default=12, show_default=True, help="Of pictures: number of modes.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="The file.")
def pdm(paths: tuple[Path, ...], kept: float, modes: int, out: Path) -> None:
    """Make a shape model in OpenFace's format, of 3-D shapes or of pictures alone.

    Of 3-D shapes: principal components. Of pictures: non-rigid structure from motion, for which the
    heads must be turned in many directions; size is set by 90 mm between the eyes' outer corners.
    """
    from pyfaceau.training.shapes import has_depth, read_shapes, shape_model, write_pdm

    try:
        if len(paths) == 1 and has_depth(paths[0]):
            model = shape_model(read_shapes(paths[0]), kept)
        else:
            model = _of_pictures(paths, modes)
        write_pdm(model, out)
    except PyfaceauError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{out}: {model.n_points} points, {model.n_modes} modes")


def _of_pictures(paths: tuple[Path, ...], modes: int) -> PDM:
    from pyfaceau.training.data import read_faces
    from pyfaceau.training.motion import shape_model_of_pictures

    data = read_faces(*paths)
    for problem in data.problems:
        click.echo(problem, err=True)
    return shape_model_of_pictures(data.samples, modes)
