"""Augmentation: points follow pixels, the mirror is undone by itself; losses, pose, refusals."""

from __future__ import annotations

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="needs the extra train")

from pyfaceau.errors import InputError
from pyfaceau.training import checkpoint
from pyfaceau.training.augment import (
    NONE,
    Augmentation,
    make_batch,
    maps,
    move_points,
    occlude,
    recolour,
    sample,
)
from pyfaceau.training.crops import MARGIN
from pyfaceau.training.data import read_faces
from pyfaceau.training.layouts import MIRROR_68
from pyfaceau.training.losses import landmark_loss, wing
from pyfaceau.training.networks import NetworkSpec
from pyfaceau.training.pose import POSE_POINTS, head_rotation

SIZE, SIDE = 96, 64
MOVES = Augmentation(
    turn=40, shift=0.1, zoom=0.3, mirror=0.5, colour=0, gray=0, occlusion=0, noise=0
)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@settings(max_examples=25)
@given(st.integers(0, 2**31))
def test_points_follow_pixels(seed: int) -> None:
    """A blob drawn at a point is found where the point is taken to."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(36, 60, (1, 68, 2)).astype(np.float32)
    y, x = np.mgrid[:SIZE, :SIZE]
    which = int(rng.integers(68))
    blob = np.exp(-((x - points[0, which, 0]) ** 2 + (y - points[0, which, 1]) ** 2) / 18)
    image = torch.from_numpy(blob.astype(np.float32))[None, None].expand(1, 3, -1, -1)
    matrix = maps(1, SIZE, SIDE, MOVES, seeded(seed))
    crop = sample(image, matrix, SIDE)[0, 0].numpy()
    moved = move_points(torch.from_numpy(points), matrix)[0].numpy()
    mirrored = bool(torch.linalg.det(matrix[0, :, :2]) < 0)
    place = int(np.flatnonzero(which == MIRROR_68)[0]) if mirrored else which
    v, u = np.mgrid[:SIDE, :SIDE]
    centre = np.array([(crop * u).sum(), (crop * v).sum()]) / crop.sum()
    np.testing.assert_allclose(centre, moved[place], atol=0.3)


@given(st.integers(0, 2**31))
def test_mirroring_twice_is_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    side = 30
    size = round(side * MARGIN)
    only = Augmentation(0, 0, 0, 1, 0, 0, 0, 0)
    matrix = maps(1, size, side, only, seeded(0))
    back = matrix.clone()
    back[0, :, 2] = matrix[0, :, 2] + torch.tensor([(side - size) / 2] * 2)
    back[0, 0, 2] = side - 1.0
    back[0, 1, 2] = 0.0
    points = torch.from_numpy(rng.uniform(0, size, (1, 68, 2)).astype(np.float32))
    plain = move_points(points, maps(1, size, side, NONE, seeded(0)))
    twice = move_points(move_points(points, matrix), back)
    np.testing.assert_allclose(twice, plain, atol=1e-4)


def test_nothing_changes_nothing() -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, SIZE, SIZE, 3), dtype=np.uint8)
    points = rng.uniform(0, SIZE, (2, 68, 2)).astype(np.float32)
    side = round(SIZE / MARGIN)
    crops, moved = make_batch(
        torch.from_numpy(images), torch.from_numpy(points), side, NONE, seeded(0)
    )
    edge = (SIZE - side) // 2
    cut = images[:, edge : edge + side, edge : edge + side, ::-1].transpose(0, 3, 1, 2) / 255
    np.testing.assert_allclose(crops, cut, atol=1e-4)
    np.testing.assert_allclose(moved, points - edge, atol=1e-3)


@given(st.integers(0, 2**31))
def test_colour_and_occlusion_stay_in_range(seed: int) -> None:
    images = torch.rand((3, 3, 20, 20), generator=seeded(seed))
    how = Augmentation(colour=0.6, gray=1.0, noise=0.0, occlusion=1.0)
    changed = recolour(images, how, seeded(seed))
    assert changed.min() >= 0
    assert changed.max() <= 1
    np.testing.assert_allclose(changed[:, 0], changed[:, 2], atol=1e-5)  # without colour
    covered = occlude(images, how, seeded(seed))
    share = (covered != images).any(dim=1).float().mean(dim=(1, 2))
    assert (share <= 0.42**2 + 0.1).all()
    assert torch.equal(occlude(images, NONE, seeded(seed)), images)


def test_gray_networks_see_minus_one_to_one() -> None:
    gray, colour = NetworkSpec("pfld", gray=True).interface(), NetworkSpec("pfld").interface()
    assert (gray.planes, gray.low, gray.high) == (1, -1, 1)
    assert (colour.planes, colour.low, colour.high) == (3, 0, 1)
    assert NetworkSpec("xception").interface().side == 299


def test_losses_by_hand() -> None:
    truth = torch.zeros((1, 68, 2))
    found = torch.full((1, 68, 2), 0.5)
    assert float(landmark_loss(found, truth, "mse")) == pytest.approx(0.25)
    w, e = 10 / 256, 2 / 256
    assert float(wing(torch.tensor(e))) == pytest.approx(w * np.log(2), rel=1e-5)
    above, below = wing(torch.tensor([w * 1.0001, w * 0.9999]))
    assert float(above) == pytest.approx(float(below), rel=1e-3)  # no step
    truth[0, 5:] = torch.nan
    found = found.clone().requires_grad_()
    loss = landmark_loss(found, truth, "wing")
    loss.backward()
    assert torch.isfinite(found.grad).all()
    assert not found.grad[0, 5:].any()


@given(st.floats(-0.6, 0.6), st.floats(-0.6, 0.6), st.floats(-0.6, 0.6))
def test_head_rotation_is_found_again(x: float, y: float, z: float) -> None:
    from pyfaceau.training.pose import _HEAD

    turns = [
        cv2.Rodrigues(np.array(axis) * angle)[0]
        for axis, angle in (((1.0, 0, 0), x), ((0, 1.0, 0), y), ((0, 0, 1.0), z))
    ]
    head = np.array(_HEAD) @ (turns[0] @ turns[1] @ turns[2]).T
    points = np.zeros((1, 68, 2), np.float32)
    points[0, list(POSE_POINTS)] = 3 * head[:, :2] + 200
    np.testing.assert_allclose(head_rotation(torch.from_numpy(points))[0], [x, y, z], atol=1e-3)


@pytest.mark.parametrize("width", [0.1, 0.25])
def test_xception_gives_136_numbers(width: float) -> None:
    network = NetworkSpec("xception", width, side=64).build().eval()
    with torch.no_grad():
        answer, pose = network(torch.zeros((2, 3, 64, 64)))
    assert answer.shape == (2, 136)
    assert pose is None
    kinds = [m.groups for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
    assert sum(groups > 1 for groups in kinds) == 34  # separable convolutions of figure 5


def test_a_checkpoint_that_would_run_something_is_refused(tmp_path: Path) -> None:
    class Bad:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (open, (str(tmp_path / "ran"), "w"))

    (tmp_path / "bad.pt").write_bytes(pickle.dumps({"version": Bad()}))
    torch.save({"version": Bad()}, tmp_path / "worse.pt")
    (tmp_path / "ran").unlink(missing_ok=True)
    for name in ("bad.pt", "worse.pt"):
        with pytest.raises(InputError, match="damaged checkpoint"):
            checkpoint.load(tmp_path / name)
    assert not (tmp_path / "ran").exists()
    with pytest.raises(InputError, match="no such checkpoint"):
        checkpoint.load(tmp_path / "gone.pt")


def test_what_is_wrong_with_data_is_listed(tmp_path: Path) -> None:
    folder = tmp_path / "faces"
    folder.mkdir()
    cv2.imwrite(str(folder / "a.png"), np.zeros((100, 100, 3), np.uint8))
    (folder / "torn.png").write_bytes(b"\x89PNG")
    good = np.random.default_rng(0).uniform(20, 80, (68, 2))
    outside, far, nan, line = good.copy(), good + 100, good.copy(), np.full((68, 2), 30.0)
    outside[3] = (-5, 50)
    nan[36] = np.nan
    names = ["a.png", "a.png", "gone.png", "torn.png", "a.png", "a.png", "a.png", "a.png"]
    points = np.array([good, good, good, good, outside, far, nan, line], np.float32)
    np.savez(tmp_path / "faces.npz", names=names, points=points)
    data = read_faces(tmp_path / "faces.npz")
    assert len(data.samples) == 2  # the first, and the one with a point outside
    text = "\n".join(data.problems)
    for words in (
        "twice",
        "is missing",
        "cannot be read",
        "1 points lie outside the picture; kept",
        "68 points lie outside the picture; left out",
        "both eyes' outer corners",
        "form no face",
    ):
        assert words in text, words
    assert len(data.problems) == 7
