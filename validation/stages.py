"""Stages fed with the reference's own inputs: here agreement is to the last bit or nearly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pyfaceau.alignment.aligner import FaceAligner
from pyfaceau.features.fhog import fhog
from pyfaceau.features.geometry import geometry_descriptor
from pyfaceau.gaze.gaze import estimate_gaze, eye_landmarks_3d
from pyfaceau.media.video import VideoReader
from pyfaceau.models.weights import locate, weights_dir
from pyfaceau.pdm.model import PDM
from pyfaceau.pdm.pose import head_pose
from pyfaceau.pdm.space import landmarks_3d
from pyfaceau.prediction.models import AUModels
from pyfaceau.prediction.predictor import AUPredictor
from pyfaceau.types import (
    AU_INTENSITIES,
    AU_PRESENCES,
    Camera,
    EyeFit,
    FaceFeatures,
    ShapeFit,
)
from validation.metrics import points
from validation.reference import Reference

OK_CONFIDENCE = 0.725
GOLDEN_VIDEO = "single_face"
GOLDEN_AUS = (4, 6, 7, 10, 12, 14, 1, 2, 5, 9, 15, 17, 20, 23, 25, 26, 45)
"""Order of the golden raw intensities."""

HOG_BAR, RAW_BAR, POSE_BAR = 1e-6, 1e-5, 1e-6
EXACT = "equal"


@dataclass(frozen=True)
class StageCheck:
    """One stage on one video.

    Attributes
    ----------
    stage, video : str
        What was fed and measured.
    measured, bar : str
        The figure and what it has to reach.
    holds : bool
        It does.
    """

    stage: str
    video: str
    measured: str
    bar: str
    holds: bool


def _within(stage: str, video: str, got: Any, expected: Any, bar: float) -> StageCheck:
    """Check the largest absolute difference; a bar of 0 asks for equality."""
    got, expected = np.asarray(got, np.float64), np.asarray(expected, np.float64)
    worst = float(np.abs(got - expected).max(initial=0.0))
    text = EXACT if bar == 0 else f"<= {bar:g}"
    return StageCheck(stage, video, f"{worst:.3g}", text, worst <= bar)


def geometry_stages(reference: Reference) -> Iterator[StageCheck]:
    """Check 3-D landmarks, head pose and gaze, fed with the tracker's golden state."""
    golden = reference.goldens()
    camera = Camera(*(float(value) for value in golden["cam"][3:7]))
    pdm = PDM.load(locate("In-the-wild_aligned_PDM_68.txt"))
    eye_pdms = (
        PDM.load(locate("pdm_28_l_eye_3D_closed.txt")),
        PDM.load(locate("pdm_28_eye_3D_closed.txt")),
    )
    shapes, poses, gazes = [], [], []
    for i in range(len(golden["f_global"])):
        fit = ShapeFit(golden["f_global"][i], golden["f_local"][i])
        landmarks = golden["f_lmk"][i].reshape(2, -1).T
        shape = landmarks_3d(pdm, fit, landmarks, camera)
        pose = head_pose(pdm, fit, landmarks, camera)
        left, right = (
            EyeFit(
                golden[f"f_part{part}_lmk"][i].reshape(2, -1).T,
                ShapeFit(golden[f"f_part{part}_g"][i], golden[f"f_part{part}_l"][i]),
            )
            for part in (1, 2)
        )
        gaze = estimate_gaze(shape, eye_landmarks_3d(eye_pdms, (left, right), camera), pose)
        shapes.append(shape.T.ravel())
        poses.append(np.concatenate([pose.translation, pose.rotation]))
        gazes.append(np.concatenate([gaze.vectors.ravel(), gaze.angles]))
    yield _within("3-D landmarks", GOLDEN_VIDEO, shapes, golden["f_shape3d"], 0)
    yield _within("head pose", GOLDEN_VIDEO, poses, golden["f_pose"], POSE_BAR)
    yield _within("gaze", GOLDEN_VIDEO, gazes, golden["f_gaze"], POSE_BAR)


def action_unit_stages(reference: Reference, name: str) -> Iterator[StageCheck]:
    """Check everything after the landmarks, fed with the reference's landmarks of one video."""
    precise = reference.precise(name)
    ok = precise["confidence"].to_numpy() > OK_CONFIDENCE
    aligned, hog, raw, written = _after_landmarks(reference, name, points(precise), ok)
    if name == GOLDEN_VIDEO:
        golden = reference.goldens()
        yield _within("aligned face", name, aligned, golden["aligned_bgr"][ok], 0)
        order = [AU_INTENSITIES.index(f"AU{number:02d}_r") for number in GOLDEN_AUS]
        yield _within("raw AU intensity", name, raw[:, order], golden["f_aur"], RAW_BAR)
    descriptors = reference.hog(name)
    if descriptors is not None:
        yield _within("HOG", name, hog, descriptors[ok], HOG_BAR)
    yield _written_check(reference.lines(name), name, written)


def _after_landmarks(
    reference: Reference, name: str, landmarks: NDArray[np.float64], ok: NDArray[np.bool_]
) -> tuple[list[Any], list[Any], NDArray[np.float64], pd.DataFrame]:
    """Return aligned faces and HOG of the good frames, raw intensities, the final AU columns."""
    pdm = PDM.load(locate("In-the-wild_aligned_PDM_68.txt"))
    aligner = FaceAligner(pdm, locate("tris_68_full.txt"))
    predictor = AUPredictor(AUModels.load(weights_dir() / "AU_predictors"))
    aligned: list[Any] = []
    hogs: list[Any] = []
    raw = []
    with VideoReader(reference.video(name), square=False) as frames:
        for frame, face, good in zip(frames, landmarks, ok, strict=False):
            features = None
            if good:
                shape = face.astype(np.float32)
                fit = pdm.calc_params(shape)
                image = aligner.align(frame.image, shape, fit).image
                hog = fhog(image)
                features = FaceFeatures(hog, geometry_descriptor(pdm, fit.params_local))
                aligned.append(image)
                hogs.append(hog)
            raw.append(predictor.update(features).intensities)
    au_r, au_c = predictor.finish()
    table = pd.DataFrame(np.hstack([au_r, au_c]), columns=[*AU_INTENSITIES, *AU_PRESENCES])
    return aligned, hogs, np.array(raw), table


def _written_check(lines: Sequence[str], name: str, table: pd.DataFrame) -> StageCheck:
    header = lines[0].split(", ")
    columns = [header.index(str(column)) for column in table]
    equal = total = 0
    for line, row in zip(lines[1:], table.to_numpy(), strict=True):
        cells = line.split(", ")
        total += len(columns)
        equal += sum(cells[i] == f"{value:.2f}" for i, value in zip(columns, row, strict=True))
    text = f"{equal}/{total} cells"
    return StageCheck("AU_r and AU_c as written", name, text, "all equal", equal == total)
