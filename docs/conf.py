"""How the documentation is built: `make docs`."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pyfaceau
from pyfaceau import __version__

ROOT = Path(__file__).resolve().parents[1]

project = "pyfaceau"
author = "pyfaceau authors"
copyright = "2026, pyfaceau authors"  # noqa: A001 - Sphinx's name for it
version = release = __version__

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_design",
]
exclude_patterns = ["_build", "generated/*.pickle"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
suppress_warnings = ["myst.xref_missing"]  # links to files beside docs/, which are no pages

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False

html_theme = "furo"
html_title = f"pyfaceau {__version__}"
html_static_path: list[str] = []


def _has_models() -> bool:
    """Return whether the tutorial can run: it measures a video with profile default."""
    from pyfaceau.config import Models
    from pyfaceau.errors import WeightsError
    from pyfaceau.models.weights import locate

    try:
        locate(Models().pdm)
    except WeightsError:
        return False
    return SAMPLE.is_file()


SAMPLE = ROOT / "demo/feat/tests/data/single_face.mp4"
os.environ["PYFACEAU_SAMPLE"] = str(SAMPLE)
nb_execution_mode = "force" if _has_models() else "off"
nb_execution_timeout = 300
nb_execution_raise_on_error = True
nb_execution_in_temp = True


def _write_reference(*_: object) -> None:
    """Write the page of public names, with the headings of the package's own list of them."""
    page = ["Every public name", "=================", "", ".. currentmodule:: pyfaceau", ""]
    page += ["Names are loaded when first asked for: ``import pyfaceau`` loads nothing.", ""]
    for line in (pyfaceau.__doc__ or "").splitlines()[1:]:
        name = re.match(r"    (\w+) +\S", line)
        if name:
            page.append(f"   {name[1]}")
        elif re.fullmatch(r"[A-Z][^.:]*", line):
            page += ["", line, "-" * len(line), "", ".. autosummary::", "   :toctree: .", ""]
    folder = Path(__file__).parent / "generated"
    folder.mkdir(exist_ok=True)
    (folder / "reference.rst").write_text("\n".join(page) + "\n", encoding="utf-8")


_write_reference()
