"""Patch experts and shape models of one's own: what is written is read and says the same."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch", reason="needs the extra train")
pytest.importorskip("sklearn", reason="needs the extra train")

from pyfaceau.cli.command import main
from pyfaceau.errors import InputError, OutputError
from pyfaceau.landmarks.pfld import PFLD, crop_from_points
from pyfaceau.models.weights import locate
from pyfaceau.pdm.model import PDM
from pyfaceau.refinement.expert_files import load_experts
from pyfaceau.refinement.targeted_refiner import TargetedCLNFRefiner
from pyfaceau.tracking.clnf import CLNF
from pyfaceau.training import experts
from pyfaceau.training.crops import level_crop
from pyfaceau.training.data import FaceSample, load_picture, only_points, read_faces
from pyfaceau.training.patches import Areas, cut_areas
from pyfaceau.training.shapes import read_shapes, shape_model, write_pdm
from pyfaceau.types import FaceBox

EYES = list(range(36, 48))
BY_HAND = [8, 17, 26, 33, *range(36, 60), 61, 62, 63, 65, 66, 67]


@pytest.fixture(scope="module")
def portraits(shared: Path) -> list[FaceSample]:
    return only_points(read_faces(shared / "datasets/webmorph/neutral_front.npz").samples, EYES)


@pytest.fixture(scope="module")
def areas(portraits: list[FaceSample], weights_dir: Path) -> Areas:
    pdm = PDM.load(locate("In-the-wild_aligned_PDM_68.txt"))
    return cut_areas(portraits[:20], pdm, 0.35, network=PFLD())


def test_areas_show_the_point_where_the_target_is(areas: Areas) -> None:
    assert areas.pixels.shape == (68, 40, 17, 17)
    assert areas.known.sum(axis=1)[EYES].tolist() == [40] * 12
    assert not areas.known[:36].any()
    peak = areas.targets[36].reshape(40, -1)
    assert peak.max(axis=1).min() > 0.6  # the point is at most half a pixel's diagonal away
    # The mirror image of the right eye's outer corner is the left eye's: mean areas are mirrored.
    assert (
        np.corrcoef(
            areas.pixels[36, ::2].mean(0).ravel(), areas.pixels[45, 1::2].mean(0)[:, ::-1].ravel()
        )[0, 1]
        > 0.9
    )


@pytest.fixture(scope="module")
def own(shared: Path, weights_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that the command makes of 24 people's hand-placed points."""
    folder, made = shared / "datasets/webmorph", tmp_path_factory.mktemp("own")
    with np.load(folder / "neutral_front.npz", allow_pickle=False) as table:
        names, points = table["names"][:24], table["ibug68"][:24]
    names = np.array([str(folder / "neutral_front" / str(name)) for name in names])
    np.savez(made / "few.npz", names=names, points=points)
    args = ["--points", "8,17,26,33,36-59,61-63,65-67", "--scale", "0.25", "--scale", "0.35"]
    done = CliRunner().invoke(
        main, ["train", "experts", "--data", str(made / "few.npz"), *args, "--out", str(made)]
    )
    assert done.exit_code == 0, done.output
    assert "34 points" in done.output
    return made


@pytest.fixture(scope="module")
def others(shared: Path) -> list[FaceSample]:
    """Return 15 people who were not learnt from."""
    samples = read_faces(shared / "datasets/webmorph/neutral_front.npz").samples
    return only_points(samples, BY_HAND)[40:55]


def picture_and_pfld(sample: FaceSample, network: PFLD) -> tuple[np.ndarray, np.ndarray]:
    image = load_picture(sample.picture)
    assert image is not None
    first = network.predict_crops(image, level_crop(sample.points, 112)[None])[0]
    return image, network.predict_crops(image, crop_from_points(first)[None])[0]


def error(points: np.ndarray, sample: FaceSample) -> float:
    eyes = np.hypot(*(sample.points[36] - sample.points[45]))
    return float(np.nanmean(np.hypot(*(points - sample.points).T)) / eyes)


def test_experts_bring_pfld_nearer_to_points_placed_by_hand(
    own: Path, others: list[FaceSample]
) -> None:
    refiner = TargetedCLNFRefiner([own / f"own_svr_{s}.txt" for s in (0.25, 0.35)], points=None)
    network, before, after = PFLD(), [], []
    for sample in others:
        image, found = picture_and_pfld(sample, network)
        better = refiner.refine_landmarks(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), found)
        before.append(error(found, sample))
        after.append(error(better, sample))
    assert np.mean(after) < 0.95 * np.mean(before)


def test_the_command_gives_a_landmark_model(own: Path, others: list[FaceSample]) -> None:
    """As a CLM: from the mean face in a box, its fit goes most of the way to the points."""
    model = CLNF(model=own / "main_own_svr.txt")
    network, before, after = PFLD(), [], []
    for sample in others[:6]:
        image, found = picture_and_pfld(sample, network)
        (x, y), (width, height) = found.min(axis=0).tolist(), np.ptp(found, axis=0).tolist()
        start = model.model.from_box(FaceBox(x, y, width, height))
        before.append(error(model.model.main.pdm.shape_2d(start), sample))
        after.append(error(model.fit(image, (x, y, width, height))[0], sample))
    assert np.mean(after) < 0.5 * np.mean(before)


def test_written_ccnf_answers_as_the_trained_one(areas: Areas, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    trained = experts.train_ccnf(areas, epochs=8)
    assert trained.confidence[EYES].mean() > 0.5
    assert not trained.confidence[:36].any()
    path = tmp_path / "own_ccnf_0.35.txt"
    experts.write_ccnf(trained, path)
    loaded = load_experts(path)
    gray = np.random.default_rng(0).integers(0, 256, (90, 90)).astype(np.uint8)
    points = np.full((68, 2), 45, np.float32)
    maps = loaded.responses(gray, points, np.eye(2, dtype=np.float32), 0, 7)
    cut = gray[37:54, 37:54].astype(np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(cut, (11, 11)).reshape(49, 121)
    windows = windows - windows.mean(axis=1, keepdims=True)
    windows /= np.linalg.norm(windows, axis=1, keepdims=True)
    for i in (36, 45):
        hidden = 1 / (
            1 + np.exp(-(windows @ trained.weights[i].reshape(7, 121).T + trained.biases[i]))
        )
        field = np.einsum("c,cij->ij", trained.betas[i], experts.components(7))
        precision = 2 * (trained.alphas[i].sum() * np.eye(49) + field)
        expected = np.linalg.solve(precision, 2 * hidden @ trained.alphas[i])
        expected -= min(expected.min(), 0)
        np.testing.assert_allclose(maps[i].ravel(), expected, atol=2e-5)


def test_field_components_by_hand() -> None:
    alike, apart = experts.components(3)
    ones = np.ones(9)
    np.testing.assert_allclose(alike @ ones, 0)  # all alike costs nothing
    assert alike[4].tolist() == [0, -1, 0, -1, 4, -1, 0, -1, 0]
    assert not apart.any()  # nothing is 4 apart in a map of 3


def test_svr_file_holds_what_was_trained(areas: Areas, tmp_path: Path) -> None:
    trained = experts.train_svr(areas)
    experts.write_svr(trained, tmp_path / "own_svr_0.35.txt")
    loaded = load_experts(tmp_path / "own_svr_0.35.txt")
    by_column = trained.weights[36, 0].T.ravel()
    np.testing.assert_allclose(loaded.templates[0, 36, 0], by_column, atol=1e-6)
    np.testing.assert_allclose(loaded.confidence[0], trained.confidence, atol=1e-6)


def test_nothing_to_learn_is_said(areas: Areas, tmp_path: Path) -> None:
    few = Areas(0.35, areas.pixels[:, :2], areas.targets[:, :2], areas.known[:, :2])
    with pytest.raises(InputError, match="expected 10 areas or more of some point, got none"):
        experts.write_svr(experts.train_svr(few), tmp_path / "x.txt")


def test_a_full_disk_leaves_the_file_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "own_svr_0.35.txt"
    path.write_text("before", encoding="ascii")
    trained = experts.TrainedSVR(
        0.35, np.zeros((68, 2, 11, 11)), np.ones((68, 2)), np.zeros((68, 2)), np.ones(68)
    )

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="cannot be written"):
        experts.write_svr(trained, path)
    assert path.read_text(encoding="ascii") == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_shape_model_is_found_again(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    mean = rng.normal(size=(68, 3)) * 40
    modes, _ = np.linalg.qr(rng.normal(size=(204, 2)))
    shapes = []
    for scale in rng.normal(size=(60, 2)) * [9, 4]:
        turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
        shape = mean + (modes @ scale).reshape(3, 68).T
        shapes.append(shape @ (turn * np.sign(np.linalg.det(turn))) + rng.normal(size=3) * 100)
    np.savez(tmp_path / "shapes.npz", points=np.array(shapes))
    args = ["train", "pdm", "--data", str(tmp_path / "shapes.npz"), "--out"]
    done = CliRunner().invoke(main, [*args, str(tmp_path / "own_pdm.txt"), "--kept", "0.999"])
    assert done.exit_code == 0, done.output
    model = PDM.load(tmp_path / "own_pdm.txt")
    assert model.n_points == 68
    assert model.n_modes <= 4  # two, and what the rotation makes of them
    again = shape_model(read_shapes(tmp_path / "shapes.npz"), 0.999)
    np.testing.assert_allclose(again.mean, model.mean, rtol=1e-6, atol=1e-5)
    np.testing.assert_allclose(model.basis.T @ model.basis, np.eye(model.n_modes), atol=1e-5)
    assert model.eigenvalues[0] == pytest.approx(81, rel=0.5)
    write_pdm(model, tmp_path / "twice.txt")
    assert (tmp_path / "twice.txt").read_bytes() == (tmp_path / "own_pdm.txt").read_bytes()


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (np.zeros((1, 68, 3)), "two or more shapes"),
        (np.full((3, 68, 3), np.nan), "expected finite points"),
        (np.ones((3, 68, 3)), "shapes that differ"),
    ],
)
def test_shapes_of_no_use_are_refused(tmp_path: Path, points: np.ndarray, message: str) -> None:
    np.savez(tmp_path / "shapes.npz", points=points)
    args = ["train", "pdm", "--data", str(tmp_path / "shapes.npz"), "--out", str(tmp_path / "x")]
    done = CliRunner().invoke(main, args)
    assert done.exit_code == 1
    assert message in done.output


def test_a_folder_that_is_a_file_is_said_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "shapes.npz", points=rng.normal(size=(5, 68, 3)))
    args = ["train", "pdm", "--data", str(tmp_path / "shapes.npz"), "--out"]
    done = CliRunner().invoke(main, [*args, str(tmp_path / "file/own_pdm.txt")])
    assert done.exit_code == 1
    assert "own_pdm.txt: cannot be written: " in done.output
    assert len(done.output.strip().splitlines()) == 1
    done = CliRunner().invoke(main, [*args, str(tmp_path / "x.txt"), "--kept", "3"])
    assert "kept: expected a number above 0 and up to 1, got 3.0" in done.output
