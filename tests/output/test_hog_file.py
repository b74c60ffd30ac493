"""The .hog file: OpenFace's bytes, record by record, and reading them back."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.errors import InputError, OutputError
from pyfaceau.output.hog_file import HogFile, read_hog
from tests.output.results import face, frame

RECORD = 17872


def write(path, results):
    with HogFile(path) as file:
        for result in results:
            file.write(frame(result.index), [result])
        return file.finish()


def test_hand_made_records(tmp_path):
    found = face(0)
    data = write(tmp_path / "a.hog", [found, face(1, success=False, seen=False)]).read_bytes()
    assert data[:16] == bytes.fromhex("0c0000000c0000001f0000000000803f")
    assert data[16:RECORD] == found.features.hog.astype("<f4").tobytes()
    assert data[RECORD:] == struct.pack("<3if", 12, 12, 31, -1) + bytes(4 * 4464)


def test_a_rejected_face_keeps_its_descriptor(tmp_path):
    result = face(3, success=False)
    table = read_hog(write(tmp_path / "a.hog", [result]))
    assert table.good.tolist() == [False]
    np.testing.assert_array_equal(table.values[0].ravel(), result.features.hog)


@pytest.mark.parametrize("name", ["single_face/single_face", "face_noface"])
def test_openfaces_own_files_are_read(shared, tmp_path, name):
    data = gzip.decompress((shared / f"reference/stages/{name}.hog.gz").read_bytes())
    (tmp_path / "a.hog").write_bytes(data)
    table = read_hog(tmp_path / "a.hog")
    assert table.values.shape == (len(data) // RECORD, 12, 12, 31)
    assert (table.values.any(axis=(1, 2, 3)) == table.good).all()


@settings(max_examples=10, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=5))
def test_what_is_read_is_what_was_written(tmp_path_factory, kinds):
    results = [face(k, success=good, seen=seen) for k, (good, seen) in enumerate(kinds)]
    table = read_hog(write(tmp_path_factory.mktemp("hog") / "a.hog", results))
    assert table.good.tolist() == [good for good, _ in kinds]
    for values, result in zip(table.values, results, strict=True):
        expected = np.zeros(4464) if result.features is None else result.features.hog
        np.testing.assert_array_equal(values.ravel(), expected)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (bytes(100), r"expected records of 17,872 bytes, got 100 bytes"),
        (bytes(RECORD), r"expected descriptors of 12 x 12 x 31 values, got other bytes"),
        (struct.pack("<3if", 12, 12, 31, 0) + bytes(RECORD - 16), "expected descriptors of"),
        (None, "cannot be read: No such file"),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path, data, message):
    if data is not None:
        (tmp_path / "a.hog").write_bytes(data)
    with pytest.raises(InputError, match=rf"a\.hog: {message}"):
        read_hog(tmp_path / "a.hog")


def test_what_is_not_finished_leaves_nothing(tmp_path):
    with HogFile(tmp_path / "a.hog") as file:
        file.write(frame(), [face()])
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_an_output_error_and_leaves_nothing(tmp_path, full_disk):
    with full_disk(50_000), pytest.raises(OutputError, match=r"a\.hog: cannot be written: "):
        write(tmp_path / "a.hog", [face(index) for index in range(10)])
    assert list(tmp_path.iterdir()) == []
