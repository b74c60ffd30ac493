"""The list files by which a landmark model's parts are found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pyfaceau.errors import OutputError

_KEYWORDS = {"svr": "PatchesIntensity", "ccnf": "PatchesCCNF"}


def write_lists(experts: Sequence[str], kind: str, pdm: str, folder: Path) -> Path:
    """Write the list files of a landmark model whose parts are in a folder.

    Parameters
    ----------
    experts : sequence of str
        Names of its patch experts, one for each scale, from small to large.
    kind : {'svr', 'ccnf'}
        What they are.
    pdm : str
        Name of the shape model, in the folder or among the installed weights.
    folder : Path
        Where ``main_own_KIND.txt`` and ``own_KIND.txt`` go.

    Returns
    -------
    Path
        The first, for `pyfaceau.refinement.face_model.FaceModel.load` and
        `pyfaceau.tracking.clnf.CLNF`. Fits are judged by the installed validator.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    main = folder / f"main_own_{kind}.txt"
    parts = [f"PDM {pdm}", *(f"{_KEYWORDS[kind]} {name}" for name in experts)]
    judged = [f"LandmarkDetector own_{kind}.txt", "DetectionValidator validator_cnn.txt"]
    try:
        (folder / f"own_{kind}.txt").write_text("\n".join(parts) + "\n", encoding="utf-8")
        main.write_text("\n".join(judged) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{main}: cannot be written: {error}") from error
    return main
