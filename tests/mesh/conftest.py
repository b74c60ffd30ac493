"""Profile free with the installed file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pyfaceau.config import Config


@pytest.fixture(scope="session")
def free(landmarker: Path) -> Config:
    """Return profile free with that file."""
    config = Config.load("free")
    return replace(config, models=replace(config.models, mesh=str(landmarker)))
