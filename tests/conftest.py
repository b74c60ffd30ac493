"""Fixtures that every test may use.

Two folders may lie beside a checkout and are never part of it: ``../shared`` (reference output,
stage goldens, sample videos) and the model files. Tests that need either skip, with the reason,
where it is absent.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from pyfaceau.mesh.bundle import FILE
from pyfaceau.models.weights import find
from pyfaceau.numerics import _jit
from tests.chromium import CHROMIUM, Chromium

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_jit._open_cache()  # a new one is announced here, not in an output that a test reads

settings.register_profile("no clock", deadline=None)
settings.load_profile("no clock")

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
INSTALLED = ROOT / "weights"
BROWSER = ("tests/app/", "tests/report/test_report.py")
CHECK_FILE = "In-the-wild_aligned_PDM_68.txt"
"""A file of every weights folder: where it is, the folder is taken as installed."""


def _usable_weights() -> Path | None:
    """Return the folder of model files to test with: configured, the lab's mirror, or installed.

    The mirror has more sets than `pyfaceau weights install` takes by itself, so it goes first.
    """
    configured = os.environ.get("PYFACEAU_WEIGHTS_DIR")
    candidates = [Path(configured)] if configured else [SHARED / "weights", INSTALLED]
    return next((folder for folder in candidates if (folder / CHECK_FILE).is_file()), None)


WEIGHTS = _usable_weights()
if WEIGHTS is not None:
    os.environ["PYFACEAU_WEIGHTS_DIR"] = str(WEIGHTS)


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the checkout's top folder."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of reference data beside the checkout, or skip."""
    if not (SHARED / "reference").is_dir():
        pytest.skip("no reference data: folder ../shared is not beside the checkout")
    return SHARED


@pytest.fixture(scope="session")
def weights_dir() -> Path:
    """Return a folder that holds the model files, or skip."""
    if WEIGHTS is None:
        pytest.skip("no model files: run `pyfaceau weights install`")
    return WEIGHTS


@pytest.fixture(scope="session")
def facemap_weights(weights_dir: Path) -> Path:
    """Return the folder of FaceMap's assets, or skip."""
    folder = weights_dir / "facemap_3dmm"
    if not (folder / "meanFace.npy").is_file():
        pytest.skip("no FaceMap assets: run `pyfaceau weights install facemap`")
    return folder


@pytest.fixture(scope="session")
def landmarker(root: Path) -> Path:
    """Return the Face Landmarker's file, or skip."""
    found = find(root / "weights" / FILE)
    if found is None:
        pytest.skip("no Face Landmarker: run `pyfaceau weights install free`")
    if importlib.util.find_spec("ai_edge_litert") is None:
        pytest.skip("no LiteRT: extra free")
    return found


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    """Start Playwright, or skip."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright")
    if CHROMIUM is None:
        pytest.skip("needs Chromium")
    with playwright.sync_playwright() as driver, closing(Chromium(driver)) as started:
        yield started


@pytest.fixture
def browser(chromium: Chromium) -> Iterator[Browser]:
    """Return a browser; its pages are closed behind the test."""
    with chromium.lent() as lent:
        yield lent


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give a file's tests to one process, and all that open a browser: two at once are too much."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = str(super()._split_scope(nodeid))
            return "browser" if file.startswith(BROWSER) else file

    return Scheduling(config, log)
