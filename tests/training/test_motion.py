"""A shape model from pictures: a known face that turns and bends is found again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from pyfaceau.cli.train import train
from pyfaceau.errors import InputError
from pyfaceau.pdm.model import PDM
from pyfaceau.training.data import FaceSample
from pyfaceau.training.layouts import MIRROR_68
from pyfaceau.training.motion import EYES_MM, shape_model_of_pictures

MIDDLE = [i for i in range(68) if MIRROR_68[i] == i]


def symmetric(rng: np.random.Generator, size: float) -> NDArray[np.float64]:
    """Return 68 random 3-D vectors that are their own mirror image."""
    vectors = rng.normal(size=(68, 3)) * size
    vectors = (vectors + vectors[MIRROR_68] * [-1, 1, 1]) / 2
    vectors[MIDDLE, 0] = 0
    return vectors


@pytest.fixture(scope="module")
def face() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean (68, 3) and two directions (2, 68, 3), mm, centred."""
    rng = np.random.default_rng(3)
    mean = symmetric(rng, 1.0)
    mean = (mean - mean.mean(0)) / mean.std(0) * [40, 45, 30]
    mean[30, 2] = -70  # the tip of the nose is nearest, the temples are furthest
    mean[[0, 16], 2] = 60
    mean[[36, 45], 0] = -45, 45
    mean[[36, 45], 1:] = mean[[36, 45], 1:].mean(0)
    return mean - mean.mean(0), np.stack([symmetric(rng, 4.0) for _ in range(2)])


def pictures(
    face: tuple[NDArray[np.float64], NDArray[np.float64]], count: int, turn: float
) -> list[FaceSample]:
    """Return faces turned by up to so many degrees, each bent by its own amounts."""
    rng = np.random.default_rng(5)
    result = []
    for _ in range(count):
        shape = face[0] + np.tensordot(rng.normal(size=2), face[1], 1)
        angles = rng.uniform(-turn, turn, 3) * [0.5, 1, 0.3]
        seen = Rotation.from_euler("xyz", angles, degrees=True).apply(shape)[:, :2]
        points = (rng.uniform(0.5, 3) * seen + rng.uniform(50, 400, 2)).astype(np.float32)
        result.append(FaceSample(Path("none.png"), points))
    return result


def distance_of_shapes(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Return the mean distance after the best rotation and scale, in units of the size."""
    one, other = one - one.mean(0), other - other.mean(0)
    rotation, _ = Rotation.align_vectors(other, one)
    one = rotation.apply(one)
    one *= (one * other).sum() / (one**2).sum()
    return float(np.linalg.norm(one - other, axis=1).mean() / np.linalg.norm(other, axis=1).mean())


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_a_turning_bending_face_is_found_again(
    face: tuple[NDArray[np.float64], NDArray[np.float64]], missing: float
) -> None:
    samples = pictures(face, 60, 40)
    rng = np.random.default_rng(7)
    for sample in samples:
        sample.points[rng.random(68) < missing] = np.nan
    model = shape_model_of_pictures(samples, modes=2, steps=40)
    mean = model.mean.reshape(3, 68).T.astype(np.float64)
    assert distance_of_shapes(mean, face[0]) < 0.02
    assert mean[30, 2] < mean[[0, 16], 2].min()  # depth has the right sign
    assert np.linalg.norm(mean[36] - mean[45]) == pytest.approx(EYES_MM, rel=1e-5)
    np.testing.assert_allclose(model.basis.T @ model.basis, np.eye(2), atol=1e-5)
    # Two independent directions of known size: the variances add up to theirs.
    size = EYES_MM / np.linalg.norm(face[0][36] - face[0][45])
    assert model.eigenvalues.sum() == pytest.approx(size**2 * (face[1] ** 2).sum(), rel=0.35)


def test_depth_is_not_invented(face: tuple[NDArray[np.float64], NDArray[np.float64]]) -> None:
    with pytest.raises(InputError, match="depth cannot be told"):
        shape_model_of_pictures(pictures(face, 60, 1.0), modes=2)


def test_too_few_faces_are_refused(face: tuple[NDArray[np.float64], NDArray[np.float64]]) -> None:
    samples = pictures(face, 20, 30)
    for sample in samples[:10]:
        sample.points[8] = np.nan
    with pytest.raises(InputError, match=r"expected 15 faces or more with each point.*got 10"):
        shape_model_of_pictures(samples, modes=2)
    with pytest.raises(InputError, match="modes: expected 1 to 60, got 0"):
        shape_model_of_pictures(samples, modes=0)


def test_the_command_tells_both_kinds_of_data_apart(
    face: tuple[NDArray[np.float64], NDArray[np.float64]], tmp_path: Path
) -> None:
    rng = np.random.default_rng(1)
    shapes = face[0] + np.einsum("fk,knd->fnd", rng.normal(size=(9, 2)), face[1])
    np.savez(tmp_path / "depth.npz", points=shapes)
    out = tmp_path / "pdm.txt"
    done = CliRunner().invoke(
        train, ["pdm", "--data", str(tmp_path / "depth.npz"), "--out", str(out)]
    )
    assert done.exit_code == 0
    assert PDM.load(out).n_modes == 2
    (tmp_path / "empty").mkdir()
    done = CliRunner().invoke(train, ["pdm", "--data", str(tmp_path / "empty"), "--out", str(out)])
    assert done.exit_code == 1
    assert "expected annotated faces" in done.output
