"""Files of patch experts of every kind, told apart by their contents."""

from __future__ import annotations

from pathlib import Path

from pyfaceau.models.modelfile import read_bytes
from pyfaceau.refinement.ccnf import CCNFExperts
from pyfaceau.refinement.cen import CENExperts, is_cen
from pyfaceau.refinement.experts import PatchExperts
from pyfaceau.refinement.svr import SVRExperts

_HEADER = 1 << 16
"""Bytes at the start of a binary file that hold its views."""


def load_experts(path: str | Path) -> PatchExperts:
    """Load patch experts of any kind, told apart by the file's contents.

    Parameters
    ----------
    path : str or Path
        Binary CEN or CCNF file, or SVR text file.

    Returns
    -------
    PatchExperts
        `CENExperts`, `CCNFExperts` or `SVRExperts`.

    Raises
    ------
    WeightsError
        If the file is missing or is none of these.
    """
    start = read_bytes(path, _HEADER)
    if b"\0" not in start[:64]:
        return SVRExperts.load(path)
    return CENExperts.load(path) if is_cen(start) else CCNFExperts.load(path)
