"""Finding and refusing model files, on a small manifest of the test's own."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pyfaceau.errors import InputError, WeightsError
from pyfaceau.models import weights
from pyfaceau.models.manifest import Licence, Manifest, WeightFile, WeightSet, manifest

CONTENT = b"the one and only model"


def small_manifest(*files: WeightFile) -> Manifest:
    """Return a manifest of `files`, all in set ``core`` under licence ``free``."""
    return Manifest(
        files,
        {"free": Licence("free", "free", "do what you like", accept=False)},
        {"core": WeightSet("core", "all", default=True)},
    )


def entry(path: str = "sub/model.bin", content: bytes = CONTENT, **extra: object) -> WeightFile:
    """Return the manifest's entry of a file with this content."""
    digest = hashlib.sha256(content).hexdigest()
    fields = {"size": len(content), "sha256": digest, **extra}
    return WeightFile(path=path, set="core", licence="free", training="none", **fields)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a weights folder with one installed file, ``sub/model.bin``, alias ``old.bin``."""
    known = small_manifest(entry(aliases=("old.bin",)))
    monkeypatch.setattr(weights, "manifest", lambda: known)
    top = tmp_path / "weights"
    (top / "sub").mkdir(parents=True)
    (top / "sub/model.bin").write_bytes(CONTENT)
    monkeypatch.setenv("PYFACEAU_WEIGHTS_DIR", str(top))
    monkeypatch.chdir(tmp_path)
    return top


@pytest.mark.parametrize(
    "name",
    ["model.bin", "sub/model.bin", "weights/model.bin", "/nowhere/model.bin", "weights/old.bin"],
)
def test_locate_by_any_name(folder: Path, name: str) -> None:
    assert weights.locate(name) == folder / "sub/model.bin"


def test_locate_takes_a_path_that_exists(folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.bin"
    own.write_bytes(b"trained at home")
    assert weights.locate(own) == own
    assert weights.locate("sub") == folder / "sub"
    copy = tmp_path / "model.bin"
    copy.write_bytes(CONTENT)
    assert weights.locate(copy) == copy


def test_older_name_never_reads_the_older_file(folder: Path) -> None:
    (folder / "sub/old.bin").write_bytes(b"another network")
    assert weights.locate(folder / "sub/old.bin") == folder / "sub/model.bin"


@pytest.mark.parametrize(
    ("content", "trouble"),
    [
        (CONTENT[:-1], "truncated, expected 22 bytes, got 21"),
        (CONTENT + b"!", "altered, expected 22 bytes, got 23"),
        (CONTENT[:-1] + b"!", "altered, its SHA-256 is not the expected one"),
    ],
)
def test_locate_refuses(folder: Path, content: bytes, trouble: str) -> None:
    path = folder / "sub/model.bin"
    assert weights.locate("model.bin") == path  # verified once, then changed
    path.write_bytes(content)
    with pytest.raises(WeightsError) as caught:
        weights.locate("model.bin")
    assert str(caught.value) == f"{path}: {trouble}; mend it with: pyfaceau weights install core"


def test_a_missing_file_without_checksum_is_mended_by_trust(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = small_manifest(entry(sha256=None, size=None))
    monkeypatch.setattr(weights, "manifest", lambda: known)
    monkeypatch.setenv("PYFACEAU_WEIGHTS_DIR", str(tmp_path))
    with pytest.raises(WeightsError, match=r"missing; .*weights install core --unchecked$"):
        weights.locate("model.bin")


def test_locate_refuses_a_bad_copy_elsewhere(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / "model.bin"
    copy.write_bytes(CONTENT.upper())
    with pytest.raises(WeightsError, match="delete this copy and install the true one with"):
        weights.locate(copy)


def test_locate_verifies_a_folders_files(folder: Path) -> None:
    (folder / "sub/own.bin").write_bytes(b"not in the manifest")
    assert weights.locate("weights/sub") == Path("weights/sub")
    assert weights.locate("elsewhere/sub") == folder / "sub"
    (folder / "sub/model.bin").write_bytes(CONTENT.upper())
    with pytest.raises(WeightsError, match=r"model\.bin: altered"):
        weights.locate("sub")


def test_missing(folder: Path) -> None:
    (folder / "sub/model.bin").unlink()
    assert weights.find("model.bin") is None
    with pytest.raises(WeightsError, match=r"model\.bin: missing; .*weights install core"):
        weights.locate("model.bin")
    with pytest.raises(WeightsError, match=r"nothing\.onnx: no such model file"):
        weights.locate("somewhere/nothing.onnx")


def test_resolve_finds_parts_by_base_name(folder: Path) -> None:
    installed = folder / "sub/model.bin"
    assert weights.resolve(folder / "main.txt", "sub/model.bin") == installed
    assert weights.resolve(folder / "main.txt", "sub\\model.bin") == installed
    assert weights.resolve(folder / "main.txt", "upstream/folder/model.bin") == installed
    beside = folder / "part.dat"
    beside.write_bytes(b"x")
    assert weights.resolve(folder / "main.txt", "upstream/part.dat") == beside
    assert weights.resolve(folder / "sub/main.txt", "part.dat") == beside


@pytest.mark.parametrize("part", ["../secret", "/etc/passwd", "a/../../b", ""])
def test_resolve_stays_below(folder: Path, part: str) -> None:
    with pytest.raises(WeightsError, match="expected parts below its folder"):
        weights.resolve(folder / "main.txt", part)


def test_unchecked_file_needs_a_note(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = WeightFile(path="sub/model.bin", set="core", licence="free", training="none")
    known = small_manifest(unknown)
    monkeypatch.setattr(weights, "manifest", lambda: known)
    with pytest.raises(WeightsError, match="of unknown origin"):
        weights.locate("model.bin")
    digest = hashlib.sha256(CONTENT).hexdigest()
    note = f'{{"checksums": {{"sub/model.bin": "{digest}"}}}}'
    (folder / "installed.json").write_text(note)
    assert weights.locate("model.bin") == folder / "sub/model.bin"
    (folder / "installed.json").write_text("{")
    with pytest.raises(WeightsError, match=r"installed\.json: damaged"):
        weights.locate("model.bin")


def test_weights_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, root: Path) -> None:
    monkeypatch.setenv("PYFACEAU_WEIGHTS_DIR", str(tmp_path))
    assert weights.weights_dir() == tmp_path
    monkeypatch.delenv("PYFACEAU_WEIGHTS_DIR")
    assert weights.weights_dir() == root / "weights"
    monkeypatch.setattr(weights, "checkout", lambda: None)
    assert weights.weights_dir().parts[-2:] == ("pyfaceau", "weights")


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "C:\\x", "c:x", "a\\b", "", "."])
def test_manifest_refuses_paths_that_lead_out(path: str) -> None:
    with pytest.raises(InputError, match="expected one below the folder"):
        entry(path)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sha256", "beef"),
        ("size", -1),
        ("size", "10"),
        ("url", "http://example.org/model"),
        ("url", "file:///etc/passwd"),
        ("url", "https:///model"),
    ],
)
def test_manifest_refuses_bad_fields(field: str, value: object) -> None:
    with pytest.raises(InputError, match=field):
        entry(**{field: value})


def test_manifest_refuses_a_name_twice() -> None:
    with pytest.raises(InputError, match="there twice"):
        small_manifest(entry("a/model.bin"), entry("b/model.bin"))


@pytest.mark.parametrize("text", ["", "file = 3", "[[file]]\npath = 'x'", "not toml"])
def test_load_refuses_what_is_no_manifest(tmp_path: Path, text: str) -> None:
    path = tmp_path / "manifest.toml"
    path.write_text(text)
    with pytest.raises(InputError, match="not a"):
        Manifest.load(path)


def test_own_manifest_matches_the_mirror(shared: Path) -> None:
    mirror = shared / "weights"
    listed = {file.path: file for file in manifest().files}
    present = [p.relative_to(mirror).as_posix() for p in mirror.rglob("*") if p.is_file()]
    assert set(present) <= set(listed)
    for path in present:
        assert weights.problem(mirror / path, listed[path]) == "", path


def test_own_manifest_is_complete() -> None:
    known = manifest()
    assert len(known.files) == 118
    assert known.get("retinaface_mobilenet025_coreml.onnx") is known.get(
        "retinaface_mobilenet025.onnx"
    )
    without = {file.name for file in known.files if file.sha256 is None}
    assert without == {"facemap_3dmm-onnx-float.zip"}
    assert {file.set for file in known.select()} == {"core", "openface", "exact"}
    assert sum(file.size or 0 for file in known.select(("ceclm",))) == 429_784_304
    assert all(known.licences[f.licence].accept for f in known.files if "OpenFace" in (f.url or ""))
