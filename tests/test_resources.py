"""Where the package's own data are, and reading them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyfaceau import resources
from pyfaceau.errors import InputError


def test_checkout_and_wheel(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert resources.checkout() == root
    assert resources.resource("configs/mirrors.toml") == root / "configs/mirrors.toml"
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "site-packages/pyfaceau")
    assert resources.checkout() is None
    expected = tmp_path / "site-packages/pyfaceau/_data/configs/mirrors.toml"
    assert resources.resource("configs/mirrors.toml") == expected


def test_mirrors_are_listed(root: Path) -> None:
    assert resources.read_toml(root / "configs/mirrors.toml") == {"mirrors": ["../shared/weights"]}


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"a = [1", "not a TOML file"), (b"a = '\xff'", "not a TOML file"), (None, "cannot be read")],
)
def test_read_toml_refuses(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "x.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=reason):
        resources.read_toml(path)
