"""Dictionaries of weights: what they hold is read, what they could do is not done."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from pyfaceau.errors import WeightsError
from pyfaceau.models.weightdict import read_weight_dict

LAYERS = {
    "conv1": {"weights": np.arange(24, dtype=np.float32).reshape(2, 3, 4), "biases": np.ones(4)},
    "prelu1": {"alpha": np.asfortranarray(np.eye(3, dtype=">f4"))},
}


def header() -> bytes:
    text = b"{'descr': '|O', 'fortran_order': False, 'shape': (), }"
    return b"\x93NUMPY\x01\x00" + (len(text) + 1).to_bytes(2, "little") + text + b"\n"


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_arrays_come_back(tmp_path: Path, protocol: int) -> None:
    path = tmp_path / "w.npy"
    path.write_bytes(header() + pickle.dumps(np.array(LAYERS, dtype=object), protocol))
    found = read_weight_dict(path)
    assert found.keys() == LAYERS.keys()
    for name, layer in LAYERS.items():
        for key, array in layer.items():
            np.testing.assert_array_equal(found[name][key], array)
            assert found[name][key].dtype.name == array.dtype.name


def test_python_2_files_are_read(tmp_path: Path) -> None:
    """In those the bytes of an array are text: short binary strings of protocol 2."""
    payload = (
        b"\x80\x02cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
        b"(K\x01)cnumpy\ndtype\n(U\x02O8K\x00K\x01tR(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xff"
        b"K?tb\x89]}U\x05conv1}U\x06biases"
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
        b"(K\x01(K\x01tcnumpy\ndtype\n(U\x02f4K\x00K\x01tR(K\x03U\x01<NNN"
        b"J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x04\x00\x00\xc0\xbftbssatb."
    )
    path = tmp_path / "det3.npy"
    path.write_bytes(header() + payload)
    assert read_weight_dict(path)["conv1"]["biases"].tolist() == [-1.5]


class Evil:
    """Makes a folder where it is loaded."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (self.path,)


def test_a_class_is_named_and_not_called(tmp_path: Path) -> None:
    done = tmp_path / "done"
    np.save(tmp_path / "evil.npy", np.array({"conv1": {"w": Evil(str(done))}}, dtype=object))
    with pytest.raises(WeightsError, match=r"evil\.npy: holds posix\.mkdir, which is not read"):
        read_weight_dict(tmp_path / "evil.npy")
    assert not done.exists()


def test_what_is_no_dictionary_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "plain.npy", np.ones(3))
    np.save(tmp_path / "list.npy", np.array([{"a": 1}], dtype=object))
    np.save(tmp_path / "flat.npy", np.array({"a": np.ones(2)}, dtype=object))
    np.save(tmp_path / "text.npy", np.array({"a": {"b": "c"}}, dtype=object))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "flat.npy").read_bytes()[:-9])
    (tmp_path / "other.npy").write_bytes(b"PK\x03\x04")
    for name in ("plain", "list", "cut", "other"):
        with pytest.raises(WeightsError, match=rf"{name}\.npy: not a readable \.npy dictionary"):
            read_weight_dict(tmp_path / f"{name}.npy")
    for name in ("flat", "text"):
        with pytest.raises(WeightsError, match="expected a dictionary of layers"):
            read_weight_dict(tmp_path / f"{name}.npy")
    with pytest.raises(WeightsError, match="model file is missing"):
        read_weight_dict(tmp_path / "none.npy")
