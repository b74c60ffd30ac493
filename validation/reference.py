"""The reference program's output, in the folder ``shared`` beside the checkout."""

from __future__ import annotations

import gzip
import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pyfaceau.config import Config

SHARED = Path(__file__).resolve().parents[2] / "shared"
HOG_HEADER_BYTES = 16
HOG_SIZE = 4464


@dataclass(frozen=True)
class Reference:
    """What OpenFace wrote for the sample videos.

    Attributes
    ----------
    shared : Path
        The folder with ``reference/`` and ``samples/``.
    """

    shared: Path = SHARED

    def names(self) -> list[str]:
        """Return the names of the videos, without suffix."""
        files = (self.shared / "reference" / "video").glob("*.csv.gz")
        names = sorted(file.name.removesuffix(".csv.gz") for file in files)
        if not names:
            msg = f"no reference under {self.shared}: give its folder with --shared"
            raise FileNotFoundError(msg)
        return names

    def video(self, name: str) -> Path:
        """Return the sample video of that name."""
        found = sorted((self.shared / "samples" / "video").glob(f"{name}.*"))
        if not found:
            msg = f"{name}: no such sample video under {self.shared}"
            raise FileNotFoundError(msg)
        return found[0]

    def lines(self, name: str) -> list[str]:
        """Return the reference CSV's lines, header first."""
        path = self.shared / "reference" / "video" / f"{name}.csv.gz"
        return gzip.decompress(path.read_bytes()).decode("ascii").splitlines()

    def table(self, name: str) -> pd.DataFrame:
        """Return the reference CSV as OpenFace wrote it."""
        return read_table(self.shared / "reference" / "video" / f"{name}.csv.gz")

    def precise(self, name: str) -> pd.DataFrame:
        """Return the same run with seven decimals."""
        return read_table(self.shared / "reference" / "precise" / f"{name}.csv.gz")

    def noise(self) -> dict[str, dict[str, dict[str, float]]]:
        """Return how far the reference is from itself, by video and arithmetic kernel."""
        text = (self.shared / "reference" / "noise.json").read_text()
        loaded: dict[str, dict[str, dict[str, float]]] = json.loads(text)
        return loaded

    def goldens(self) -> dict[str, NDArray[Any]]:
        """Return the stage goldens of ``single_face``, by name."""
        folder = self.shared / "reference" / "stages" / "single_face"
        with np.load(folder / "stages.npz", allow_pickle=False) as stages:
            arrays = {name: stages[name] for name in stages.files}
        with np.load(folder / "aligned_bgr.npz", allow_pickle=False) as aligned:
            arrays["aligned_bgr"] = aligned[aligned.files[0]]
        return arrays

    def hog(self, name: str) -> NDArray[np.float32] | None:
        """Return the descriptors of OpenFace's ``.hog`` file, (n, 4464), or None without one."""
        found = sorted((self.shared / "reference" / "stages").rglob(f"{name}.hog.gz"))
        if not found:
            return None
        raw = np.frombuffer(gzip.decompress(found[0].read_bytes()), np.uint8)
        rows = raw.reshape(-1, HOG_HEADER_BYTES + 4 * HOG_SIZE)[:, HOG_HEADER_BYTES:]
        return np.ascontiguousarray(rows).view("<f4")


def read_table(path: Path | io.StringIO) -> pd.DataFrame:
    """Read a CSV in OpenFace's dialect: a space after each comma."""
    table = pd.read_csv(path, skipinitialspace=True)
    table.columns = [name.strip() for name in table.columns]
    return table


def as_stored(profile: str) -> Config:
    """Return a profile that measures what is stored, as the reference does, as one person.

    Parameters
    ----------
    profile : str
        Its name.

    Returns
    -------
    Config
        With pixels as they are stored and one neutral face for all scenes.
    """
    config = Config.load(profile)
    return replace(config, reading=replace(config.reading, pixels="stored", at_cuts="keep"))
