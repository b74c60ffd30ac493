"""The command ``pyfaceau facemap``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pyfaceau.errors import PyfaceauError

_PATH = click.Path(path_type=Path)


@click.command()
@click.argument("source", required=False, type=_PATH, metavar="[IMAGE|VIDEO]")
@click.option("--image", type=_PATH, help="The same.")
@click.option("--video", type=_PATH, help="The same.")
@click.option(
    "--out", "--output", "out", type=_PATH, default=Path("facemap"), show_default=True,
    help="Folder of the overlays; tables go to its logs/.",
)  # fmt: skip
@click.option("--model", type=_PATH, help="ONNX file; the installed FaceMap if not given.")
@click.option("--inspect", is_flag=True, help="Show the model's inputs and outputs; do no more.")
@click.option(
    "--normalize", type=click.Choice(["none", "0_1", "-1_1", "imagenet"]), default="0_1",
    show_default=True, help="What pixel values are turned into.",
)  # fmt: skip
@click.option("--bgr", is_flag=True, help="Feed blue first; FaceMap wants red first.")
@click.option("--input-name", help="Input, of a model that has several.")
@click.option("--output-name", help="Output, of a model that has several.")
@click.option(
    "--assume-points", type=click.IntRange(1), metavar="N", help="The answer is N pairs x, y."
)
@click.option("--assume-norm", is_flag=True, help="Those are shares of the crop, not pixels.")
@click.option("--dump-npy", "npy", is_flag=True, help="logs/NAME_raw.npy.")
@click.option("--dump-csv", "raw", is_flag=True, help="logs/NAME_raw.csv: all values.")
@click.option(
    "--dump-landmarks-csv", "landmarks", is_flag=True, help="logs/NAME_landmarks.csv: points, pose."
)
@click.option(
    "--decode-3dmm", "decode", is_flag=True,
    help="Insist on decoding 265 values; done anyway where there are 265.",
)  # fmt: skip
@click.option("--face-detect", is_flag=True, help="Cut the face out; else the picture is the face.")
@click.option(
    "--face-margin", "margin", type=click.FloatRange(0, 5), default=0.25, show_default=True,
    help="How much wider than the face's box that is.",
)  # fmt: skip
@click.option("--skip-if-no-face", is_flag=True, help="No values where no face is found.")
@click.option(
    "--jump-threshold", type=float, default=25.0, show_default=True,
    help="Pixels; points that move by more between frames are marked.",
)  # fmt: skip
@click.option("--save-video", "overlay", is_flag=True, help="NAME_overlay.mp4.")
@click.option("--point-size", type=click.IntRange(0, 100), default=2, show_default=True)
@click.option("--line-width", type=click.IntRange(1, 100), default=1, show_default=True)
@click.option("--mesh", is_flag=True, help="Draw the triangles between the points.")
@click.option("--no-contours", is_flag=True, help="Draw no lines along brows, eyes, lips, jaw.")
@click.option("--clean", is_flag=True, help="First delete what this command wrote to the folder.")
def facemap(
    source: Path | None, image: Path | None, video: Path | None, out: Path, **options: Any
) -> None:
    """Fit FaceMap 3DMM to the face of an IMAGE or VIDEO: 68 points, head pose, 265 values.

    `pyfaceau weights install facemap --unchecked` fetches the network. Tables in logs/: NAME_meta
    (frame, status, reason, crop) and NAME_summary (least and greatest value) always, others as
    asked for. docs/landmarks.md describes them.
    """
    given = [path for path in (source, image, video) if path is not None]
    if len(given) > 1:
        raise click.UsageError("IMAGE|VIDEO, --image, --video: give one of them")
    if not (given or options["clean"] or options["inspect"]):
        raise click.UsageError("give an IMAGE or VIDEO")
    try:
        if options["inspect"]:
            _inspect(options["model"])
            return
        if options["clean"]:
            _clean(out)
        if given:
            _run(given[0], out, options)
    except PyfaceauError as error:
        raise click.ClickException(str(error)) from error


def _inspect(model: Path | None) -> None:
    from pyfaceau.landmarks.facemap_3dmm import describe, network_file

    path = network_file(model)
    click.echo(f"{path}\n{describe(path)}")
    click.echo("FaceMap 3DMM has an input (1, 3, 128, 128) float32, RGB 0 to 1, and 265 values out")


def _clean(out: Path) -> None:
    from pyfaceau.output.written import WrittenFiles

    deleted, kept = WrittenFiles(out).clean()
    click.echo(f"{out}: {len(deleted)} files deleted")
    for path in kept:
        click.echo(f"  {path}: kept, it was changed since")


def _run(path: Path, out: Path, options: dict[str, Any]) -> None:
    from pyfaceau.landmarks.facemap_3dmm import FaceMap3DMM
    from pyfaceau.pipeline.facemap import FaceMapOptions, FaceMapRunner

    names = "decode assume_points assume_norm face_detect margin skip_if_no_face jump_threshold"
    names += " raw landmarks npy point_size line_width mesh"
    chosen = FaceMapOptions(
        **{name: options[name] for name in names.split()},
        contours=not options["no_contours"],
        video=options["overlay"],
    )
    network = FaceMap3DMM(
        options["model"],
        normalize=options["normalize"],
        bgr=options["bgr"],
        input_name=options["input_name"],
        output_name=options["output_name"],
    )
    for written in FaceMapRunner(network, chosen).run(path, out):
        click.echo(written)
