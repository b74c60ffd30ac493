"""Checksums that tell whether two runs would give the same."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import pytest

from pyfaceau.config import Config, profiles
from pyfaceau.study.identity import config_table, digest, environment, file_sha256, stamp


def test_a_stamp_changes_with_its_file(tmp_path: Path):
    path = tmp_path / "a"
    path.write_bytes(b"one")
    first = stamp(path)
    assert stamp(path) == first
    path.write_bytes(b"two")
    os.utime(path, ns=(0, 0))
    assert stamp(path) != first


def test_a_checksum_is_of_the_content_now(tmp_path: Path):
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_sha256(path) == known
    path.write_bytes(b"abcd")
    assert file_sha256(path) != known


def test_order_does_not_count():
    assert digest({"a": 1, "b": [2, 3]}) == digest({"b": [2, 3], "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})


@pytest.mark.parametrize("profile", profiles())
def test_settings_survive_the_way_to_a_worker(profile: str):
    config = Config.load(profile)
    table = json.loads(json.dumps(config_table(config)))
    assert Config.from_table(table) == config
    changed = dataclasses.replace(config, fixed_fps=not config.fixed_fps)
    assert digest(config_table(changed)) != digest(config_table(config))


def test_the_environment_names_what_computes():
    found = environment()
    assert {"python", "platform", "numpy", "numba", "onnxruntime", "av"} <= found.keys()
    assert "unknown" not in found.values()
