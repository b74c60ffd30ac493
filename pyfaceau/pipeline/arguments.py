"""What the constructor of the video pipeline takes beside a profile."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pyfaceau.config import Config


def with_arguments(
    config: Config, files: dict[str, str | Path | None], refine: bool | None
) -> Config:
    """Return settings with the arguments that were given put in.

    Parameters
    ----------
    config : Config
        The profile's.
    files : dict
        Model files by their names in `Models`; None for those that are not given.
    refine : bool or None
        Refine the landmark network's points; None for the profile's choice.

    Returns
    -------
    Config
        The settings.
    """
    given = {name: str(path) for name, path in files.items() if path is not None}
    refinement = config.refinement
    if files["patch_experts"] is not None:
        named = Path(files["patch_experts"]).name
        if named != Path(config.models.patch_experts).name:  # experts of one's own choice
            refinement = replace(refinement, method="points")
    if refine is not None:
        refinement = replace(refinement, enabled=refine)
    return replace(config, models=replace(config.models, **given), refinement=refinement)
