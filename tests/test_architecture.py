"""The rules of ARCHITECTURE.md that a machine can check."""

from __future__ import annotations

import ast
import graphlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pyfaceau

PACKAGE = Path(__file__).resolve().parents[1] / "pyfaceau"
SOURCES = sorted(PACKAGE.rglob("*.py"))
HEAVY = ("numba", "onnxruntime", "cv2", "pandas", "sklearn", "av", "scipy")


def stated_order() -> dict[str, int]:
    """Return each room's line in ARCHITECTURE.md, counted from the top."""
    text = (PACKAGE.parent / "ARCHITECTURE.md").read_text(encoding="utf-8")
    block = re.search(r"```order\n(.*?)```", text, re.DOTALL)
    assert block is not None
    return {
        room: line for line, rooms in enumerate(block[1].splitlines()) for room in rooms.split()
    }


def room_of(source: Path) -> str:
    """Return the room that a source file is in: its folder or its own name."""
    return source.relative_to(PACKAGE).with_suffix("").parts[0]


def imported_rooms(tree: ast.AST) -> Iterator[str]:
    """Yield the rooms of the package that a module imports from, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            assert node.level == 0, "imports are absolute"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name.split(".")[1] for name in names if name.startswith("pyfaceau."))


def upward_imports(source: Path, text: str, order: dict[str, int]) -> list[str]:
    """Return the rooms that a source imports though they are not below its own."""
    own = room_of(source)
    others = {room for room in imported_rooms(ast.parse(text)) if room not in (own, "__version__")}
    return sorted(room for room in others if order[room] <= order[own])


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down(source: Path) -> None:
    if source != PACKAGE / "__init__.py":
        text = source.read_text(encoding="utf-8")
        assert upward_imports(source, text, stated_order()) == []


def test_an_upward_import_is_seen() -> None:
    order = {"pipeline": 0, "features": 1, "detection": 1, "types": 2}
    text = "def f():\n    from pyfaceau import pipeline\nimport pyfaceau.types\n"
    assert upward_imports(PACKAGE / "features/fhog.py", text, order) == ["pipeline"]
    text = "from pyfaceau.detection.mtcnn import MTCNN\nfrom pyfaceau.features import fhog\n"
    assert upward_imports(PACKAGE / "features/fhog.py", text, order) == ["detection"]


def module_of(source: Path) -> str:
    """Return the dotted name of a source file."""
    parts = source.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_between(texts: dict[str, str]) -> dict[str, set[str]]:
    """Return the modules of the package that each module imports, wherever the import stands."""
    found: dict[str, set[str]] = {}
    for name, text in texts.items():
        found[name] = set()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                found[name] |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module is not None:
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                found[name] |= (inner & texts.keys()) or {node.module}
        found[name] &= texts.keys() - {name}
    return found


def a_circle(imports: dict[str, set[str]]) -> list[str]:
    """Return modules that import each other in a circle, if there are any."""
    try:
        graphlib.TopologicalSorter(imports).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def test_no_file_imports_itself_by_way_of_others() -> None:
    """A package's page names its public parts, which is no import of what they do."""
    texts = {
        module_of(source): source.read_text(encoding="utf-8")
        for source in SOURCES
        if source.name != "__init__.py"
    }
    assert a_circle(imports_between(texts)) == []


def test_a_circle_is_seen() -> None:
    texts = {"a": "from b import c\n", "b": "def f():\n    import d\n", "d": "import a\n"}
    assert sorted(set(a_circle(imports_between(texts)))) == ["a", "b", "d"]


def test_order_names_what_exists() -> None:
    rooms = {room_of(source) for source in SOURCES} - {"__init__"}
    assert set(stated_order()) == rooms


@pytest.mark.parametrize("source", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_files_are_short_and_silent(source: Path) -> None:
    text = source.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 400
    calls = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)]
    assert "print" not in [call.func.id for call in calls if isinstance(call.func, ast.Name)]


@pytest.mark.parametrize(
    "action",
    [
        "import pyfaceau, pyfaceau.types, pyfaceau.errors, pyfaceau.models.weights; dir(pyfaceau)",
        "from pyfaceau.cli.command import main; main(['--help'], standalone_mode=False)",
    ],
    ids=["import", "help"],
)
def test_import_is_light(action: str) -> None:
    code = f"import sys; {action}; assert not sys.modules.keys() & set({HEAVY})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_public_names_are_what_they_say() -> None:
    assert pyfaceau.__doc__ is not None
    for name in pyfaceau.__all__:
        assert getattr(pyfaceau, name).__name__ == name
        assert re.search(rf"^    {name} +\S", pyfaceau.__doc__, re.MULTILINE), name
        assert name in dir(pyfaceau)
    with pytest.raises(AttributeError, match="module 'pyfaceau' has no attribute 'Openface'"):
        pyfaceau.Openface  # noqa: B018 (reading it is the test)


def test_repository_holds_no_model_file() -> None:
    done = subprocess.run(
        ["git", "ls-files", "-z", "weights"],  # noqa: S607 (git of whoever runs the tests)
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    names = {name for name in done.stdout.split("\0") if name}
    assert names <= {f"weights/{name}" for name in ("manifest.toml", "README.md", "Apache-2.0.txt")}


@pytest.mark.parametrize("page", ["docs/tour.md", "ARCHITECTURE.md"])
def test_files_that_the_maps_name_are_there(page: str) -> None:
    root = PACKAGE.parent
    text = (root / page).read_text(encoding="utf-8")
    named = re.findall(r"`((?:tests|docs|validation|configs|\w+)/[\w/.-]+\.\w+)`", text)
    assert named
    missing = [name for name in named if not any((at / name).exists() for at in (root, PACKAGE))]
    assert missing == []
