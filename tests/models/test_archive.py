"""Networks in archives: unpacked, mended, refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from pyfaceau.errors import WeightsError
from pyfaceau.models.archive import unpacked_network


def packed(path: Path, **files: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(f"folder/{name.replace('_', '.')}", data)
    return path


def test_the_network_lies_beside_its_data(tmp_path: Path) -> None:
    archive = packed(tmp_path / "n.zip", net_onnx=b"graph", net_data=b"weights", notes_txt=b"")
    assert unpacked_network(archive) == tmp_path / "net.onnx"
    assert {p.name for p in tmp_path.iterdir()} == {"n.zip", "net.onnx", "net.data"}
    assert (tmp_path / "net.data").read_bytes() == b"weights"


def test_an_altered_file_is_unpacked_again(tmp_path: Path) -> None:
    archive = packed(tmp_path / "n.zip", net_onnx=b"graph")
    unpacked_network(archive).write_bytes(b"GRAPH")
    assert unpacked_network(archive).read_bytes() == b"graph"


def test_a_name_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with zipfile.ZipFile(home / "n.zip", "w") as archive:
        archive.writestr("../../net.onnx", b"graph")
    assert unpacked_network(home / "n.zip") == home / "net.onnx"
    assert not (tmp_path / "net.onnx").exists()


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"expected one \.onnx file in it, got 0"):
        unpacked_network(packed(tmp_path / "a.zip", x_data=b""))
    with pytest.raises(WeightsError, match=r"expected one \.onnx file in it, got 2"):
        unpacked_network(packed(tmp_path / "b.zip", x_onnx=b"", y_onnx=b""))
    (tmp_path / "c.zip").write_bytes(b"PK nonsense")
    with pytest.raises(WeightsError, match="not a readable archive"):
        unpacked_network(tmp_path / "c.zip")
    with pytest.raises(WeightsError, match="cannot be unpacked beside itself"):
        unpacked_network(tmp_path / "none.zip")
