"""``pyfaceau train aus``: action-unit models of one's own. Needs the extra ``train``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyfaceau.cli.strict import StrictCommand
from pyfaceau.errors import InputError, PyfaceauError

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyfaceau.training.aus_fit import Fitted

_PATH = click.Path(path_type=Path)


@click.command(cls=StrictCommand)
@click.option(
    "--features",
    required=True,
    type=_PATH,
    help="Output folder of: pyfaceau study run VIDEOS --out FOLDER --keep-features",
)
@click.option(
    "--labels",
    required=True,
    type=_PATH,
    help="CSV: video; frame, or start and end in seconds; person; AU12_r, AU12_c, ...",
)
@click.option("--out", required=True, type=_PATH, help="New folder of the models.")
@click.option("--folds", type=int, default=5, show_default=True, help="Parts of the people.")
@click.option(
    "--most", type=int, default=3000, show_default=True, help="Faces to learn from, at most."
)
@click.option(
    "--cost", "costs", type=float, multiple=True, help="C; may be repeated. Default: six to try."
)
@click.option(
    "--presence-from",
    type=float,
    metavar="LEVEL",
    help="Where presence is not labelled, intensities from here on are presence.",
)
@click.option(
    "--others",
    default="AU_predictors",
    show_default=True,
    metavar="FOLDER|zero",
    help="Models of the units that are not trained; zero: they say 0.",
)
def aus(
    features: Path,
    labels: Path,
    out: Path,
    folds: int,
    most: int,
    costs: tuple[float, ...],
    presence_from: float | None,
    others: str,
) -> None:
    """Train linear models of action units and write them, with a card, to OUT.

    Static and dynamic (median-normalised) models of every labelled unit, judged on people who were
    not learnt from. Use them by: pyfaceau VIDEO -o out.csv --au-models OUT
    """
    try:
        import sklearn  # noqa: F401 - only whether it is there
    except ImportError:
        raise click.ClickException(
            "training needs scikit-learn: pip install 'pyfaceau[train]'"
        ) from None
    try:
        _train(features, labels, out, others, (folds, most, costs, presence_from))
    except PyfaceauError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        raise click.ClickException("interrupted; nothing was written") from None


def _train(
    features: Path,
    labels: Path,
    out: Path,
    others: str,
    settings: tuple[int, int, tuple[float, ...], float | None],
) -> None:
    from pyfaceau.config import Models
    from pyfaceau.models.weights import locate
    from pyfaceau.pdm.model import PDM
    from pyfaceau.training.aus import CARD, best_of, train_aus
    from pyfaceau.training.aus_fit import COSTS
    from pyfaceau.training.aus_options import AUOptions

    folds, most, costs, presence_from = settings
    options = AUOptions(folds, most, costs or COSTS, presence_from)
    rest = None if others == "zero" else locate(others)
    if rest is not None and not rest.is_dir():
        raise InputError(f"others: expected a folder of models or 'zero', got {others}")
    with _progress() as tell:
        fitted, skipped = train_aus(
            features, labels, out, PDM.load(locate(Models().pdm)), rest, options, tell
        )
    for one in sorted(best_of(fitted), key=lambda one: one.name):
        click.echo(_line(one))
    for name, reason in skipped.items():
        click.echo(f"{name}: not trained: {reason}", err=True)
    count = 35 - len({one.name for one in fitted})
    if count:
        what = "say 0" if rest is None else f"are those of {rest}"
        click.echo(f"{count} models were not trained; they {what}", err=True)
    click.echo(f"{out / CARD}: read it; then: pyfaceau VIDEO -o out.csv --au-models {out}")


def _line(one: Fitted) -> str:
    variant = "dynamic" if one.dynamic else "static"
    agreed = one.agreement
    if one.name.endswith("_r"):
        numbers = f"ICC {agreed.icc:.2f}, r {agreed.r:.2f}"
    else:
        numbers = f"F1 {agreed.f1:.2f}"
    return f"{one.name} {variant:7} {numbers} on held-out people ({one.faces} faces, {one.people})"


class _progress:  # noqa: N801 - used as a function
    """Progress bars on a terminal, one per stage."""

    def __enter__(self) -> Callable[[str, int, int], None]:
        self._bars: dict[str, object] = {}
        return self._tell

    def __exit__(self, *_: object) -> None:
        for bar in self._bars.values():
            bar.close()  # type: ignore[attr-defined]

    def _tell(self, stage: str, done: int, total: int) -> None:
        from tqdm import tqdm

        if stage not in self._bars:
            self._bars[stage] = tqdm(total=total, desc=stage, disable=None)
        bar = self._bars[stage]
        bar.update(done - bar.n)  # type: ignore[attr-defined]
