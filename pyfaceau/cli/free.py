"""What the command says of profiles that follow a mesh, and where there are no model files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from pyfaceau.errors import WeightsError

if TYPE_CHECKING:
    from pyfaceau.config import Config

_NOT_OF_A_MESH = {
    "hog": "--hog",
    "aligned": "--aligned",
    "simalign": "-simalign",
    "au_static": "-au_static",
    "network": "--landmarks",
}


def check_profile(
    settings: Config, groups: Sequence[str], options: Mapping[str, Any], profile: str
) -> None:
    """Refuse what a profile has not, and say what stands in the place of action units.

    Parameters
    ----------
    settings : Config
        The settings.
    groups : sequence of str
        Groups of columns that were asked for.
    options : mapping
        The command's options.
    profile : str
        As the user named it.

    Raises
    ------
    UsageError
        If something was asked for that the profile cannot give.
    WeightsError
        If no model file of the profile is there.
    """
    if "gaze" in groups and not settings.has_gaze:
        raise click.UsageError(f"-gaze: profile {profile} fits no eyes, its tables have no gaze")
    if settings.has_units:
        _need_models(settings)
        return
    for name in ("3Dfp", "pdmparams"):
        if name in groups:
            raise click.UsageError(f"-{name}: profile {profile} has no OpenFace shape model")
    for name, option in _NOT_OF_A_MESH.items():
        if options.get(name):
            raise click.UsageError(f"{option} does not go with profile {profile}")
    if "aus" in groups:
        click.echo(
            f"-aus: profile {profile} has none of OpenFace's action units; its columns are bs_* "
            "(blendshapes) and AU01_bs ... AU45_bs (0 to 1), another measurement",
            err=True,
        )


def _need_models(settings: Config) -> None:
    """Name both ways to model files where there are none."""
    from pyfaceau.models.weights import find, weights_dir

    models = settings.models
    if not any(find(name) for name in (models.pdm, models.au_predictors)):
        raise WeightsError(
            f"no model files in {weights_dir()}: for OpenFace's measurement (non-commercial "
            "research) run: pyfaceau weights install; for a smaller one, for any use: pyfaceau "
            "weights install free, and --config free"
        )
