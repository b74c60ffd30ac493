"""The .task file: its parts, the canonical face, and files that are none."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pyfaceau.errors import InputError, WeightsError
from pyfaceau.mesh import bundle, runtime
from pyfaceau.mesh.bundle import Bundle, read_geometry

PARTS = (
    "face_detector.tflite",
    "face_landmarks_detector.tflite",
    "face_blendshapes.tflite",
    "geometry_pipeline_metadata_landmarks.binarypb",
)


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def field(number: int, value: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(value)) + value


def geometry(vertices: int = 468, basis: tuple[int, ...] = (4, 300)) -> bytes:
    """Return a canonical face whose vertex i lies at (i, 1, 2) cm."""
    numbers = [value for i in range(vertices) for value in (i, 1.0, 2.0, 0.0, 0.0)]
    mesh = field(3, struct.pack(f"<{len(numbers)}f", *numbers))
    entries = b"".join(
        field(2, varint(1 << 3) + varint(v) + varint(2 << 3 | 5) + struct.pack("<f", 0.25))
        for v in basis
    )
    return field(1, mesh) + entries


def task(path: Path, parts: tuple[str, ...] = PARTS, face: bytes | None = None) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in parts:
            archive.writestr(name, geometry() if face is None else face)
    return path


def test_the_canonical_face_is_in_mm_and_our_axes() -> None:
    face = read_geometry(geometry())
    np.testing.assert_array_equal(face.vertices[300], [3000.0, -10.0, -20.0])
    assert face.basis.tolist() == [4, 300]
    assert face.weights.tolist() == [0.25, 0.25]


@pytest.mark.parametrize(
    "data",
    [b"", geometry(467), geometry(basis=()), geometry(basis=(468,)), geometry()[:-3], b"\x0f"],
)
def test_what_is_no_canonical_face_is_refused(data: bytes) -> None:
    with pytest.raises((ValueError, IndexError, struct.error)):
        read_geometry(data)


def test_a_file_of_ones_own_under_another_name_is_read(tmp_path: Path) -> None:
    assert Bundle.load(task(tmp_path / "own.task")).face.vertices.shape == (468, 3)


def test_a_part_that_is_missing_is_named(tmp_path: Path) -> None:
    path = task(tmp_path / "own.task", PARTS[:2])
    with pytest.raises(WeightsError, match=r"missing.*face_blendshapes.*weights install free"):
        Bundle.load(path)


def test_what_is_no_zip_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "own.task"
    path.write_bytes(b"no zip")
    with pytest.raises(WeightsError, match=r"not a \.task file.*weights install free") as error:
        Bundle.load(path)
    assert len(str(error.value).splitlines()) == 1
    with pytest.raises(WeightsError, match="canonical face cannot be read"):
        Bundle.load(task(path, face=b"\x0f"))


def test_a_file_under_the_models_name_is_that_model(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"face_landmarker\.task: truncated"):
        Bundle.load(task(tmp_path / bundle.FILE))


def test_without_a_runtime_its_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'pyfaceau\[free\]'"):
        runtime.Network(b"", "x", (1,), (1,))


def test_the_real_face(landmarker: Path) -> None:
    face = Bundle.load(landmarker).face
    width = face.vertices[454, 0] - face.vertices[234, 0]
    assert 140 < width < 160  # mm, from ear to ear
    assert face.vertices[4, 2] == face.vertices[:, 2].min()  # the nose's tip is nearest
    assert face.vertices[10, 1] < face.vertices[152, 1]  # the forehead is above the chin
