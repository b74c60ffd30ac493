"""Make the two pictures of README and of the start page, from the samples in ../shared.

    python docs/pictures.py

needs the extra ``train`` (matplotlib) and the models; writes into ``docs/images``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np

import pyfaceau
from pyfaceau.report.drawing import draw_row
from pyfaceau.report.faces import TableFaces

mpl.use("Agg")
from matplotlib import pyplot as plt

IMAGES = Path(__file__).parent / "images"
SHARED = Path(__file__).resolve().parents[2] / "shared"
PERSON = "099"
VIDEO = "d10"
BARS = ("AU12_r", "AU06_r", "AU25_r", "AU04_r")
CURVES = ("AU01_r", "AU12_r", "AU25_r", "AU45_r")


def face() -> None:
    """Draw a neutral and a smiling picture of one person with what is measured of each."""
    sides = []
    pipeline = pyfaceau.PicturePipeline()
    for folder, kind in (("neutral_front", "03"), ("smiling_front", "08")):
        path = SHARED / "datasets/webmorph" / folder / f"{PERSON}_{kind}.jpg"
        with tempfile.TemporaryDirectory() as scratch:
            pipeline.write_csv(path, Path(scratch) / "face.csv")
            table = pyfaceau.read(Path(scratch) / "face.csv")
        image = cv2.imread(str(path))
        row = table.iloc[0]
        drawn = TableFaces(table).face(0)
        draw_row(image, drawn, bars={name[:-2]: float(row[name]) for name in BARS})
        sides.append(image[:-60])
    cv2.imwrite(str(IMAGES / "face.jpg"), np.hstack(sides), [cv2.IMWRITE_JPEG_QUALITY, 88])


def curves() -> None:
    """Plot action units of a sample video, by OpenFace and by two profiles."""
    ours = {}
    for config in ("openface", "default"):
        pipeline = pyfaceau.FullPythonAUPipeline(config=config)
        ours[config] = pipeline.process_video(SHARED / f"samples/video/{VIDEO}.mp4")
    theirs = pyfaceau.read(SHARED / f"reference/video/{VIDEO}.csv.gz")
    figure, axes = plt.subplots(
        1, len(CURVES), figsize=(11, 2.3), sharey=True, layout="constrained"
    )
    for axis, unit in zip(axes, CURVES, strict=True):
        axis.plot(theirs.timestamp, theirs[unit], color="0.75", lw=5, label="OpenFace 2.2 (C++)")
        axis.plot(theirs.timestamp, ours["openface"][unit], "k", lw=1, label="profile openface")
        axis.plot(theirs.timestamp, ours["default"][unit], "C0--", lw=1.2, label="profile default")
        axis.set(title=unit, xlabel="s")
    axes[0].set(ylabel="intensity, 0 to 5")
    axes[0].legend(frameon=False, fontsize=7, loc="upper right")
    figure.savefig(IMAGES / "curves.png", dpi=100)


if __name__ == "__main__":
    IMAGES.mkdir(exist_ok=True)
    face()
    curves()
