"""Folders that die with whom they belong to."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
from pathlib import Path
from string import ascii_letters, digits

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfaceau.app.workspace import Workspace, keep
from pyfaceau.errors import InputError


def test_folders_are_of_this_user_alone(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path)
    folder = workspace.session("a-1")
    assert folder.parent == workspace.root
    for path in (workspace.root, folder):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    (folder / "video").write_bytes(b"x")
    other = workspace.session("b-2")
    workspace.forget("a-1")
    assert not folder.exists()
    assert other.is_dir()
    workspace.remove()
    assert list(tmp_path.iterdir()) == []


@given(st.text(max_size=70))
def test_no_session_lies_elsewhere(identity: str) -> None:
    workspace = Workspace(Path("/nowhere"))
    plain = 0 < len(identity) <= 64 and set(identity) <= {*ascii_letters, *digits, "-"}
    with pytest.raises((InputError, FileNotFoundError)) as caught:
        workspace.session(identity)
    assert (caught.type is FileNotFoundError) == plain


def test_what_a_dead_server_left_is_removed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        text=True,
        check=True,
    )
    left = tmp_path / f"pyfaceau-app-{int(done.stdout)}-abc"
    mine = tmp_path / f"pyfaceau-app-{os.getpid()}-abc"
    others = tmp_path / "pyfaceau-apple"
    for folder in (left, mine, others):
        folder.mkdir()
        (folder / "video").write_bytes(b"x")
    Workspace.create(tmp_path)
    assert not left.exists()
    assert (mine / "video").exists()
    assert (others / "video").exists()


def test_upload_gets_a_name_of_its_own(tmp_path: Path) -> None:
    stream = io.BytesIO(b"0123456789" * 300_000)
    stream.name = "../../x"  # type: ignore[attr-defined]
    stream.read()
    path = keep(stream, tmp_path, "upload-1")
    assert path == tmp_path / "upload-1"
    assert path.read_bytes() == b"0123456789" * 300_000
