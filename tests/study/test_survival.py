"""Kills at random moments and damaged videos; ``python -m validation.survival`` does many more."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from validation.survival import survive_kills, survive_mutations


@pytest.mark.skipif(sys.platform != "linux", reason="finds workers in /proc")
def test_kills_lose_nothing(tmp_path: Path):
    assert survive_kills(5, tmp_path)["kills"] == 5


def test_damaged_and_unusual_videos_get_a_table_or_a_reason(tmp_path: Path):
    survived = survive_mutations(30, tmp_path)
    assert survived["videos"] == 37
    assert survived["done"] + survived["refused"] == 37
    assert min(survived["done"], survived["refused"]) >= 7
