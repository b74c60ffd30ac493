"""Recordings made by hand: a face that smiles with its left side and blinks with both eyes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tests.asymmetry.faces import symmetric_face, table_of
from tests.video_files import pictures, write_video

SIZE = (160, 120)


def recording(rows: int = 50, fps: float = 25.0) -> pd.DataFrame:
    """Return a table: at rest for a second, then the left corner of the mouth rises."""
    raised = np.clip(np.arange(rows) - fps, 0, 10) / 10
    points = np.repeat(symmetric_face()[None], rows, axis=0)
    points[:, 54, 1] -= 0.2 * raised  # on the image's right, the patient's left
    table = table_of(points * 30 + (80, 50))
    table.insert(0, "timestamp", np.arange(rows) / fps)
    table["confidence"] = 0.98
    blink = np.isin(np.arange(rows), (10, 11, 12))
    values = {"AU12_r": 2 * raised, "AU12_r_left": 3 * raised, "AU12_r_right": 0.0 * raised}
    values |= {"AU45_r": 2.0 * blink, "AU45_r_left": 2.0 * blink, "AU45_r_right": 2.0 * blink}
    return table.assign(**values)


def write_table(path: Path, table: pd.DataFrame) -> Path:
    """Write a table as the pipeline does: text with OpenFace's separators."""
    table.round(3).to_csv(path, sep=",")
    return path


def write_recording(folder: Path, rows: int = 50) -> tuple[Path, Path]:
    """Write a video and its table."""
    video = write_video(folder / "video.mp4", pictures(rows, *SIZE))
    return video, write_table(folder / "table.csv", recording(rows))
