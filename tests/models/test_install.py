"""Installing model files from folders and from a web server on this machine."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from pyfaceau.cli import weights as cli_weights
from pyfaceau.errors import InputError, OutputError, WeightsError
from pyfaceau.models import download, weights
from pyfaceau.models import install as weights_install
from pyfaceau.models.manifest import Licence, Manifest, WeightFile, WeightSet

CONTENT = bytes(range(256)) * 1024
YES: Callable[[object], bool] = lambda licences: True  # noqa: E731 (as short as what it says)


class Server(ThreadingHTTPServer):
    """A web server of one file, with faults on request.

    Paths: ``/good`` serves ranges; ``/whole`` ignores them; ``/cut`` closes early after a third of
    what is left; ``/wrong``, ``/long`` serve other bytes; ``/moved`` redirects to ``/good``,
    ``/lured`` to a place that is not https; ``/shifted`` answers a range with another one.
    """

    daemon_threads = True
    asked: list[tuple[str, str | None]]


class Handler(BaseHTTPRequestHandler):
    """Answers of `Server`."""

    server: Server

    def log_message(self, *_: object) -> None:
        """Stay silent."""

    def do_GET(self) -> None:
        """Answer by path."""
        kind, wanted = self.path.rsplit("/", 1)[-1], self.headers.get("Range")
        self.server.asked.append((kind, wanted))
        if kind in ("moved", "lured"):
            self.send_response(302)
            self.send_header("Location", "/good" if kind == "moved" else "http://example.org/x")
            self.end_headers()
            return
        body = {"wrong": CONTENT[::-1], "long": CONTENT + b"!"}.get(kind, CONTENT)
        start = int(re.findall(r"\d+", wanted)[0]) if wanted and kind != "whole" else 0
        if kind == "missing":
            self.send_error(404)
        elif start >= len(body):
            self.send_error(416)
        else:
            self.send_response(206 if start else 200)
            if start:
                begin = start + (7 if kind == "shifted" else 0)
                self.send_header("Content-Range", f"bytes {begin}-{len(body) - 1}/{len(body)}")
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            rest = body[start:]
            self.wfile.write(rest[: max(len(rest) // 3, 60_000)] if kind == "cut" else rest)


@pytest.fixture
def server() -> Iterator[Server]:
    """Run a server on this machine."""
    with Server(("127.0.0.1", 0), Handler) as running:
        running.asked = []
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def url(server: Server) -> str:
    """Return the server's address."""
    return f"http://127.0.0.1:{server.server_port}"


Setup = Callable[..., Path]


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Setup:
    """Return a function that makes a manifest of one file and an empty weights folder."""
    monkeypatch.delenv("PYFACEAU_WEIGHTS_MIRROR", raising=False)
    monkeypatch.delenv("PYFACEAU_ACCEPT_LICENSE", raising=False)
    monkeypatch.setattr(weights_install, "read_toml", lambda path: {"mirrors": []})

    def make(url: str | None = None, *, published: bool = True) -> Path:
        digest = hashlib.sha256(CONTENT).hexdigest() if published else None
        size = len(CONTENT) if published else None
        file = WeightFile("sub/good", "core", "strict", "none", size, digest, url)
        strict = Licence("strict", "Strict licence", "Research only.", "https://example.org")
        known = Manifest((file,), {"strict": strict}, {"core": WeightSet("core", "it", True)})
        for module in (weights, weights_install, cli_weights):
            monkeypatch.setattr(module, "manifest", lambda: known)
        monkeypatch.setenv("PYFACEAU_WEIGHTS_DIR", str(tmp_path / "weights"))
        return tmp_path / "weights"

    return make


def leftovers(folder: Path) -> list[str]:
    """Return the names of all files but the wanted one and the notes."""
    names = sorted(path.name for path in folder.rglob("*") if path.is_file())
    return [name for name in names if name not in ("good", "installed.json")]


@pytest.mark.parametrize("kind", ["good", "whole", "moved"])
def test_download(setup: Setup, url: str, kind: str) -> None:
    folder = setup(f"{url}/{kind}")
    done = weights_install.install(accept=YES)
    assert [file.path for file in done.fetched] == ["sub/good"]
    assert (folder / "sub/good").read_bytes() == CONTENT
    assert leftovers(folder) == []
    if os.name == "posix":  # the folder may serve other users
        assert all(path.stat().st_mode & 0o044 for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        ("good", [("good", "bytes=1000-")]),
        ("whole", [("whole", "bytes=1000-")]),
        ("shifted", [("shifted", "bytes=1000-"), ("shifted", None)]),
    ],
)
def test_resume(
    setup: Setup, server: Server, url: str, kind: str, asked: list[tuple[str, str | None]]
) -> None:
    folder = setup(f"{url}/{kind}")
    (folder / "sub").mkdir(parents=True)
    (folder / "sub/.good.part").write_bytes(CONTENT[:1000])
    weights_install.install(accept=YES)
    assert server.asked == asked
    assert (folder / "sub/good").read_bytes() == CONTENT


@pytest.mark.parametrize("part", [b"?" * 1000, b"?" * len(CONTENT), b"?" * (len(CONTENT) + 5)])
def test_resume_from_a_bad_start_begins_again(setup: Setup, url: str, part: bytes) -> None:
    folder = setup(f"{url}/good")
    (folder / "sub").mkdir(parents=True)
    (folder / "sub/.good.part").write_bytes(part)
    weights_install.install(accept=YES)
    assert (folder / "sub/good").read_bytes() == CONTENT


def test_cut_connection_goes_on(setup: Setup, server: Server, url: str) -> None:
    folder = setup(f"{url}/cut")
    weights_install.install(accept=YES)
    assert (folder / "sub/good").read_bytes() == CONTENT
    assert len(server.asked) > 2
    assert all(wanted for _, wanted in server.asked[1:])


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("wrong", "altered, its SHA-256 is not the expected one"),
        ("long", "longer than the 262,144 bytes expected"),
        ("missing", "HTTP 404"),
        ("lured", "redirects to http://example.org/x, which is not https"),
    ],
)
def test_bad_download_is_refused(setup: Setup, url: str, kind: str, reason: str) -> None:
    folder = setup(f"{url}/{kind}")
    with pytest.raises(WeightsError, match=f"1 of 1 model files cannot be had.*{reason}"):
        weights_install.install(accept=YES)
    assert not (folder / "sub/good").exists()
    assert leftovers(folder) == []


def test_unreachable_host_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYFACEAU_WEIGHTS_DIR", str(tmp_path))
    calls = []

    def unreachable(url: str, part: Path, **_: object) -> None:
        calls.append(url)
        raise download.UnreachableError(f"{url}: no route")

    monkeypatch.setattr(weights_install, "download", unreachable)
    fetch = weights_install._Fetcher(["https://a.example/m"], lambda n: None)
    digest = hashlib.sha256(CONTENT).hexdigest()
    for name in ("one", "two"):
        file = WeightFile(name, "s", "l", "t", 9, digest, f"https://b.example/{name}")
        assert fetch(file) == "https://a.example/m/one: no route; https://b.example/one: no route"
    assert calls == ["https://a.example/m/one", "https://b.example/one"]


def test_closed_port_gives_up(tmp_path: Path, server: Server, url: str) -> None:
    server.server_close()
    with pytest.raises(download.UnreachableError, match=r"127\.0\.0\.1"):
        download.download(f"{url}/good", tmp_path / "part", gained=lambda n: None)


def test_order_of_sources(setup: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setup("https://official.example/good")
    places = [tmp_path / name for name in ("from", "variable", "listed")]
    for place in places:
        place.mkdir()
    monkeypatch.setenv("PYFACEAU_WEIGHTS_MIRROR", str(places[1]))
    listed = {"mirrors": [str(places[2]), str(tmp_path / "absent"), "https://a.example/"]}
    monkeypatch.setattr(weights_install, "read_toml", lambda path: listed)
    assert weights_install.sources(places[0]) == [*places, "https://a.example"]


@pytest.mark.parametrize("layout", ["sub/good", "good", "lib/deep/patch_experts/good"])
def test_folder_of_any_layout(setup: Setup, tmp_path: Path, layout: str) -> None:
    folder, mirror = setup(), tmp_path / "mirror"
    (mirror / layout).parent.mkdir(parents=True)
    (mirror / layout).write_bytes(CONTENT)
    weights_install.install(accept=YES, source=mirror)
    assert (folder / "sub/good").read_bytes() == CONTENT
    assert weights_install.install(accept=YES, source=mirror).fetched == ()


def test_bad_mirror_falls_through_to_the_next(setup: Setup, url: str, tmp_path: Path) -> None:
    folder, mirror = setup(f"{url}/good"), tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "good").write_bytes(CONTENT[:-1])
    weights_install.install(accept=YES, source=mirror)
    assert (folder / "sub/good").read_bytes() == CONTENT
    assert leftovers(folder) == []


def test_web_mirror_serves_the_manifests_paths(setup: Setup, server: Server, url: str) -> None:
    setup()
    weights_install.install(accept=YES, source=f"{url}/mirror/")
    assert server.asked == [("good", None)]


@pytest.mark.parametrize("damage", [b"", CONTENT[:-1], CONTENT[::-1]])
def test_install_mends(setup: Setup, url: str, damage: bytes) -> None:
    folder = setup(f"{url}/good")
    weights_install.install(accept=YES)
    (folder / "sub/good").write_bytes(damage)
    weights_install.install(accept=YES)
    assert weights.locate("good").read_bytes() == CONTENT


def test_optional_file_may_be_absent(setup: Setup) -> None:
    setup(None)
    done = weights_install.install(accept=YES)
    assert (done.fetched, [file.path for file in done.absent]) == ((), ["sub/good"])


def test_file_without_checksum_only_on_trust(setup: Setup, url: str) -> None:
    folder = setup(f"{url}/good", published=False)
    with pytest.raises(WeightsError, match="no checksum is published"):
        weights_install.install(accept=YES)
    assert not folder.exists()
    weights_install.install(accept=YES, unchecked=True)
    assert weights.locate("good").read_bytes() == CONTENT
    (folder / "sub/good").write_bytes(CONTENT[::-1])
    with pytest.raises(WeightsError, match="altered"):
        weights.locate("good")


def test_unknown_set_and_source(setup: Setup, tmp_path: Path) -> None:
    setup()
    with pytest.raises(InputError, match="expected one of core, got cores"):
        weights_install.install(("cores",), accept=YES)
    for place in (tmp_path / "absent", "http://example.org/mirror", "ftp://example.org"):
        with pytest.raises(InputError, match="expected a folder"):
            weights_install.install(accept=YES, source=place)


def test_unwritable_folder(setup: Setup, tmp_path: Path) -> None:
    setup().write_text("a file where the folder belongs")
    with pytest.raises(OutputError, match="weights"):
        weights_install.install(accept=YES)


def test_licence_is_refused(setup: Setup, url: str, server: Server) -> None:
    folder = setup(f"{url}/good")
    with pytest.raises(WeightsError, match="not accepted: nothing was installed"):
        weights_install.install(accept=lambda licences: False)
    assert server.asked == []
    assert not folder.exists()


def test_licence_is_asked_once(setup: Setup, url: str) -> None:
    folder = setup(f"{url}/good")
    shown: list[str] = []
    for _ in range(2):
        weights_install.install(accept=lambda ls: not shown.extend(x.key for x in ls))
        (folder / "sub/good").unlink()
    assert shown == ["strict"]


@pytest.mark.parametrize(
    ("arguments", "variable"), [(["--accept-license"], ""), ([], "1"), ([], "")]
)
def test_command_install(setup: Setup, url: str, arguments: list[str], variable: str) -> None:
    folder = setup(f"{url}/good")
    environment = {"PYFACEAU_ACCEPT_LICENSE": variable}
    result = CliRunner().invoke(cli_weights.weights, ["install", *arguments], env=environment)
    assert "Strict licence\nResearch only.\nhttps://example.org" in result.output
    accepted = bool(arguments or variable)
    assert result.exit_code == (0 if accepted else 1)
    assert (folder / "sub/good").exists() == accepted
    assert (
        "1 files installed" if accepted else "accept them with --accept-license"
    ) in result.output


def test_command_install_fails_in_one_line(setup: Setup, url: str) -> None:
    setup(f"{url}/missing")
    result = CliRunner().invoke(cli_weights.weights, ["install", "--accept-license"])
    last = result.output.strip().splitlines()[-1]
    assert result.exit_code == 1
    assert re.match(r"Error: 1 of 1 .* HTTP 404 .*weights install --from FOLDER$", last)


def test_command_verify_and_list(setup: Setup, url: str) -> None:
    folder = setup(f"{url}/good")
    run = CliRunner().invoke
    result = run(cli_weights.weights, ["verify"])
    assert result.exit_code == 1
    assert "missing" in result.output
    assert "mend with: pyfaceau weights install core" in result.output
    run(cli_weights.weights, ["install", "--accept-license"])
    assert "1 files verified" in run(cli_weights.weights, ["verify"]).output
    assert re.search(
        r"ok +262,144 core strict +sub/good", run(cli_weights.weights, ["list"]).output
    )
    (folder / "sub/good").write_bytes(CONTENT[::-1])
    result = run(cli_weights.weights, ["verify", "core"])
    assert result.exit_code == 1
    assert "sub/good: altered" in result.output
