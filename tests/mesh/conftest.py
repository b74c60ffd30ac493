"""The Face Landmarker's file, where it is installed."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from pyfaceau.config import Config
from pyfaceau.mesh.bundle import FILE
from pyfaceau.models.weights import find


@pytest.fixture(scope="session")
def landmarker(root: Path) -> Path:
    """Return the file, or skip."""
    found = find(root / "weights" / FILE)
    if found is None:
        pytest.skip("no Face Landmarker: run `pyfaceau weights install free`")
    if importlib.util.find_spec("ai_edge_litert") is None:
        pytest.skip("no LiteRT: extra free")
    return found


@pytest.fixture(scope="session")
def free(landmarker: Path) -> Config:
    """Return profile free with that file."""
    config = Config.load("free")
    return replace(config, models=replace(config.models, mesh=str(landmarker)))
