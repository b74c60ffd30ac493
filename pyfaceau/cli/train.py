"""``pyfaceau train``: networks of one's own. Needs the extra ``train``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from pyfaceau.cli.strict import StrictCommand
from pyfaceau.cli.train_aus import aus
from pyfaceau.cli.train_parts import experts, pdm
from pyfaceau.errors import OutputError, PyfaceauError


@click.group()
def train() -> None:
    """Train networks and models of your own; they drop into the same pipeline."""


train.add_command(aus)
train.add_command(experts)
train.add_command(pdm)


@train.command(cls=StrictCommand)
@click.option(
    "--data",
    "paths",
    multiple=True,
    required=True,
    type=click.Path(path_type=Path),
    help="dlib XML, folder of .pts, or .npz; may be repeated.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the run.")
@click.option("--model", type=click.Choice(["pfld", "xception"]), default="pfld", show_default=True)
@click.option("--width", type=float, default=1.0, show_default=True, help="Channels, times this.")
@click.option("--gray", is_flag=True, help="One gray plane, -1 to 1.")
@click.option("--loss", type=click.Choice(["mse", "wing"]), default="mse", show_default=True)
@click.option("--epochs", type=int, default=30, show_default=True)
@click.option("--batch", type=int, default=32, show_default=True)
@click.option("--lr", type=float, default=7.5e-4, show_default=True)
@click.option(
    "--schedule",
    type=click.Choice(["constant", "cosine", "step"]),
    default="constant",
    show_default=True,
)
@click.option("--patience", type=int, default=0, help="End after so many epochs without a better.")
@click.option("--held-back", type=float, default=0.1, show_default=True, help="Share of people.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True)
@click.option("--resume", is_flag=True, help="Go on from last.pt in the run's folder.")
def landmarks(paths: tuple[Path, ...], out: Path, resume: bool, **options: Any) -> None:
    """Train a network of 68 landmarks and write OUT/best.onnx.

    People of the validation part are not in the training part. What cannot be used of the data is
    listed in OUT/problems.txt. Use the result by: pyfaceau VIDEO --landmarks OUT/best.onnx
    """
    try:
        _train(paths, out, resume, options)
    except PyfaceauError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        raise click.ClickException("interrupted; --resume goes on from the last epoch") from None


def _train(paths: tuple[Path, ...], out: Path, resume: bool, options: dict[str, Any]) -> None:
    try:
        import torch  # noqa: F401 - only whether it is there
    except ImportError:
        raise PyfaceauError(
            "training needs PyTorch: pip install 'pyfaceau[train]'; its CPU build is at "
            "https://download.pytorch.org/whl/cpu"
        ) from None
    from pyfaceau.training import checkpoint
    from pyfaceau.training.crops import cut_faces
    from pyfaceau.training.data import read_faces, split_by_person
    from pyfaceau.training.export import export
    from pyfaceau.training.networks import NetworkSpec
    from pyfaceau.training.options import TrainOptions
    from pyfaceau.training.plots import training_curves
    from pyfaceau.training.trainer import BEST, LAST, Trainer

    data = read_faces(*paths)
    held_back, device = options.pop("held_back"), options.pop("device")
    spec = NetworkSpec(options.pop("model"), options.pop("width"), options.pop("gray"))
    settings = TrainOptions(spec, **options)
    first, second = split_by_person(data.samples, held_back, settings.seed)
    _write_problems(data.problems, out)
    click.echo(
        f"{len(first)} faces to learn from, {len(second)} of other people to choose the best by; "
        f"{len(data.problems)} problems of the data in {out / 'problems.txt'}"
    )
    size = round(1.5 * spec.interface().side)
    before = checkpoint.load(out / LAST) if resume else None
    crops = cut_faces(first, size), cut_faces(second, size)
    trainer = Trainer(settings, *crops, out, device=device, resume=before, progress=True)
    run = trainer.run()
    training_curves(run.history, out / "curves.png")
    difference = export(checkpoint.load(out / BEST), out / "best.onnx")
    click.echo(
        f"{out / 'best.onnx'}: error {run.best:.2f} % of the outer-eye distance at epoch "
        f"{run.best_epoch} of {run.epochs}; agrees with PyTorch to {difference:.1e}"
    )


def _write_problems(problems: Sequence[str], out: Path) -> None:
    """Make the run's folder and list in it what cannot be used of the data."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "problems.txt").write_text("".join(f"{p}\n" for p in problems), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{out}: expected a folder to write to: {error.strerror}") from error
