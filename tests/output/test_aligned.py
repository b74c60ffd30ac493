"""Pictures of aligned faces: names, what is on them, frames without face."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from pyfaceau.errors import InputError, OutputError
from pyfaceau.output.aligned import AlignedFaces, Crop
from tests.output.results import face, frame


def refuse(*_):
    raise AssertionError("aligned anew")


def write(folder, results, crop=None, align=refuse, still=False):
    with AlignedFaces(folder, crop or Crop(), align, still) as faces:
        for result in results:
            faces.write(frame(result.index), [result])
        return faces.finish()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_faces_are_those_that_the_models_saw_and_black_where_there_is_none(tmp_path):
    results = [face(0), face(1, success=False, seen=False), face(2)]
    folder = write(tmp_path / "a", results)
    assert names(folder) == [f"frame_det_00_{k:06d}.bmp" for k in (1, 2, 3)]
    pictures = [cv2.imread(str(folder / name), cv2.IMREAD_UNCHANGED) for name in names(folder)]
    np.testing.assert_array_equal(pictures[0], results[0].aligned.image)
    np.testing.assert_array_equal(pictures[2], results[2].aligned.image)
    assert pictures[1].shape == (112, 112, 3)
    assert not pictures[1].any()


def test_names_tell_face_and_frame(tmp_path):
    with AlignedFaces(tmp_path / "a", Crop(), refuse) as faces:
        faces.write(frame(1_234_567), [face(1_234_567), face(1_234_567, face_id=3)])
        faces.finish()
    assert names(tmp_path / "a") == ["frame_det_00_1234568.bmp", "frame_det_03_1234568.bmp"]
    write(tmp_path / "b", [face(face_id=0), face(face_id=11)], still=True)
    assert names(tmp_path / "b") == ["face_det_000000.bmp", "face_det_000011.bmp"]


def test_failures_can_be_left_out(tmp_path):
    results = [face(0), face(1, success=False, seen=False), face(2, success=False)]
    folder = write(tmp_path / "a", results, Crop(failures=False))
    assert names(folder) == ["frame_det_00_000001.bmp"]


def test_a_rejected_face_is_shown_all_the_same(tmp_path):
    result = face(success=False)
    [path] = write(tmp_path / "a", [result], still=True).iterdir()
    np.testing.assert_array_equal(cv2.imread(str(path)), result.aligned.image)


def test_gray_has_one_channel(tmp_path):
    result = face()
    [path] = write(tmp_path / "a", [result], Crop(gray=True)).iterdir()
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    expected = cv2.cvtColor(np.array(result.aligned.image), cv2.COLOR_BGR2GRAY)
    assert picture.ndim == 2
    assert np.abs(picture.astype(int) - expected).max() <= 1


def test_another_size_is_aligned_anew(tmp_path):
    asked = []

    def align(image, tracked, size, scale, mask):
        asked.append((size, scale, mask))
        return np.full((size, size, 3), 7, np.uint8)

    crops = [Crop(size=224), Crop(scale=0.5), Crop(mask=False), Crop(size=56, scale=0.7)]
    for number, crop in enumerate(crops):
        results = [face(0), face(1, success=False, seen=False)]
        folder = write(tmp_path / str(number), results, crop, align)
        sides = {cv2.imread(str(path)).shape for path in folder.iterdir()}
        assert sides == {(crop.size, crop.size, 3)}
    assert asked == [(224, 1.4, True), (112, 0.5, True), (112, 0.7, False), (56, 0.7, True)]


@pytest.mark.parametrize("values", [{"size": 0}, {"scale": 0.0}, {"scale": float("nan")}])
def test_a_crop_that_cannot_be_is_refused(values):
    with pytest.raises(InputError, match=rf"{next(iter(values))}: expected a positive number"):
        Crop(**values)


def test_what_is_not_finished_leaves_nothing(tmp_path):
    with AlignedFaces(tmp_path / "a", Crop(), refuse) as faces:
        faces.write(frame(), [face()])
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_output_error_and_leaves_nothing(tmp_path, full_disk):
    with full_disk(10_000), pytest.raises(OutputError, match=r"a: cannot be written: "):
        write(tmp_path / "a", [face()])
    assert list(tmp_path.iterdir()) == []
