"""Feature files: every bit comes back; what is not whole is refused."""

from __future__ import annotations

import dataclasses
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pyfaceau.errors import InputError, OutputError
from pyfaceau.features.geometry import geometry_descriptor
from pyfaceau.pdm.model import PDM
from pyfaceau.study.feature_writer import BLOCK, FeatureWriter
from pyfaceau.study.features import FeatureFile
from pyfaceau.types import (
    EyeFit,
    FaceFeatures,
    FrameResult,
    Gaze,
    HeadPose,
    ShapeFit,
    SplitFace,
    TrackedFace,
)

F32 = np.float32


@pytest.fixture(scope="module")
def pdm() -> PDM:
    rng = np.random.default_rng(1)
    return PDM(
        rng.normal(size=204).astype(F32),
        rng.normal(size=(204, 34)).astype(F32),
        np.linspace(900, 1, 34).astype(F32),
    )


def results(count: int, pdm: PDM, eyes: bool = False) -> list[FrameResult]:
    """Return frames full of random bits, every third without a face."""
    rng = np.random.default_rng(count)

    def some(*shape: int) -> Any:
        return rng.normal(size=shape).astype(F32)

    made = []
    for index in range(count):
        found = index % 3 != 1
        pair = tuple(EyeFit(some(28, 2), ShapeFit(some(6), some(10))) for _ in range(2))
        face = TrackedFace(
            found,
            found,
            float(rng.random()),
            some(68, 2),
            ShapeFit(some(6), some(34)),
            pair if eyes else None,  # type: ignore[arg-type]
            "" if found else f"lost for reason {index % 2}",
        )
        features = None
        if found:
            shape = geometry_descriptor(pdm, some(34))
            features = FaceFeatures(rng.random(4464).astype(F32), shape)
        made.append(
            FrameResult(
                index,
                index / 29.97,
                face,
                some(68, 3),
                HeadPose(some(3), some(3)),
                Gaze(some(2, 3), some(2)) if eyes else None,
                some(56, 3) if eyes else None,
                features=features,
            )
        )
    return made


def flat(value: Any) -> Iterator[Any]:
    """Yield all that a result holds."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from flat(getattr(value, field.name))
    elif isinstance(value, tuple):
        for item in value:
            yield from flat(item)
    else:
        yield value.tobytes() if isinstance(value, np.ndarray) else value


def write(path: Path, frames: list[FrameResult]) -> Path:
    with FeatureWriter(path) as writer:
        for frame in frames:
            writer.write(frame)
        return writer.finish({"fps": 29.97})


@pytest.mark.parametrize("eyes", [False, True])
@pytest.mark.parametrize("count", [1, 2, BLOCK, BLOCK + 2])
def test_every_bit_comes_back(tmp_path: Path, pdm: PDM, count: int, eyes: bool):
    frames = results(count, pdm, eyes)
    path = write(tmp_path / "sub/a.features", frames)
    with FeatureFile(path, pdm) as file:
        back = list(file)
        assert file.header["frames"] == count
        assert file.header["source"] == {"fps": 29.97}
    assert [list(flat(frame)) for frame in back] == [list(flat(frame)) for frame in frames]


def test_halves_come_back(tmp_path: Path, pdm: PDM):
    faces = [frame.features for frame in results(BLOCK + 3, pdm)]
    pairs = [(faces[k], faces[-1 - k]) if k % 5 else (None, None) for k in range(len(faces))]
    frames = [
        dataclasses.replace(frame, split=SplitFace(*pair, k / 100) if k % 3 else None)
        for k, (frame, pair) in enumerate(zip(results(BLOCK + 3, pdm), pairs, strict=True))
    ]
    with FeatureWriter(tmp_path / "a", sides=True) as writer:
        for frame in frames:
            writer.write(frame)
        path = writer.finish({})
    with FeatureFile(path, pdm) as file:
        assert file.sides
        assert [list(flat(frame)) for frame in file] == [list(flat(frame)) for frame in frames]
        halves = file.halves()
    split = [frame.split for frame in frames]
    assert halves["left"].tolist() == [s is not None and s.left is not None for s in split]
    assert halves["right"].tolist() == [s is not None and s.right is not None for s in split]
    with FeatureFile(write(tmp_path / "b", frames), pdm) as file:
        assert not file.sides
        assert len(file.halves()) == 0
        assert all(frame.split is None for frame in file)


def test_the_same_frames_give_the_same_bytes(tmp_path: Path, pdm: PDM):
    one, two = (write(tmp_path / name, results(9, pdm)) for name in ("a", "b"))
    assert one.read_bytes() == two.read_bytes()


def test_no_frames_are_a_file_too(tmp_path: Path, pdm: PDM):
    with FeatureFile(write(tmp_path / "a", []), pdm) as file:
        assert list(file) == []


def test_it_is_compact_and_any_zip_tool_reads_it(tmp_path: Path, pdm: PDM):
    path = write(tmp_path / "a.features", results(BLOCK, pdm))
    with zipfile.ZipFile(path) as archive:
        assert set(archive.namelist()) == {
            "frames/000000.npy",
            "hog/000000.npy",
            "geometry/000000.npy",
            "header.json",
        }
        with archive.open("hog/000000.npy") as member:
            assert np.load(member).shape == (4, 4464, 43)
    assert path.stat().st_size < 43 * (4464 * 4 + 34 * 4) + BLOCK * 2000


def test_leaving_early_leaves_nothing(tmp_path: Path, pdm: PDM):
    def fail() -> None:
        with FeatureWriter(tmp_path / "a.features") as writer:
            writer.write(results(1, pdm)[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["cut", "missing", "text", "version", "other zip", "block"])
def test_what_is_not_whole_is_refused(tmp_path: Path, pdm: PDM, damage: str):
    path = write(tmp_path / "a.features", results(9, pdm))
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-30])
    elif damage == "missing":
        path.unlink()
    elif damage == "text":
        path.write_text("features")
    else:
        with zipfile.ZipFile(path, "w") as archive:
            if damage == "version":
                archive.writestr("header.json", '{"format": "pyfaceau features", "version": 2}')
            elif damage == "block":
                header = '{"format": "pyfaceau features", "version": 1, "frames": 9, "block": 64}'
                archive.writestr("header.json", header)

    def read() -> None:
        with FeatureFile(path, pdm) as file:
            list(file)

    with pytest.raises(InputError, match=r"a\.features: (no|damaged|expected pyfaceau)"):
        read()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        FeatureWriter(tmp_path / "file" / "a.features")


def test_eyes_may_not_come_and_go(tmp_path: Path, pdm: PDM):
    with FeatureWriter(tmp_path / "a") as writer:
        writer.write(results(1, pdm, eyes=True)[0])
        writer.write(results(1, pdm)[0])
        with pytest.raises(InputError, match="result: expected eyes and gaze"):
            writer.finish({})
