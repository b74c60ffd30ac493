"""The server: on the loopback address alone, and nothing left of it in whatever way it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from pyfaceau.cli.app import app

pytest.importorskip("streamlit", reason="needs the extra app")


COMMAND = (
    # Whoever starts the tests in the background may have interrupts ignored.
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from pyfaceau.cli.command import main; main()"
)


@contextmanager
def served(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the app with its files in a folder; yield it and its address."""
    command = [sys.executable, "-c", COMMAND, "app", "--port", "0", *options]
    environment = {**os.environ, "TMPDIR": str(folder)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        yield process, said.split()[1]
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def folders(parent: Path) -> list[Path]:
    return list(parent.glob("pyfaceau-app-*"))


def wait_until_empty(parent: Path) -> None:
    for _ in range(100):
        if not folders(parent):
            return
        time.sleep(0.1)
    raise AssertionError(f"left: {folders(parent)}")


def is_refused(host: str, port: int) -> bool:
    """Return whether nothing answers at an address any more, within ten seconds."""
    for _ in range(100):
        try:
            socket.create_connection((host, port), 5).close()
        except OSError:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_it(tmp_path: Path, end: signal.Signals) -> None:
    with served(tmp_path) as (process, address):
        [folder] = folders(tmp_path)
        (folder / "session").mkdir()
        (folder / "session/upload-1").write_bytes(b"patient")
        process.send_signal(end)
        process.wait(timeout=20)
        wait_until_empty(tmp_path)
        host, port = address.removeprefix("http://").split(":")
        assert host == "127.0.0.1"
        assert is_refused(host, int(port))


def test_it_listens_on_loopback_alone(tmp_path: Path) -> None:
    with served(tmp_path) as (_, address):
        port = int(address.rsplit(":", 1)[1])
        socket.create_connection(("127.0.0.1", port), 5).close()
        hexadecimal = f":{port:04X}"
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        rows += [line.split() for line in Path("/proc/net/tcp6").read_text().splitlines()[1:]]
        listening = [row[1] for row in rows if row[3] == "0A" and row[1].endswith(hexadecimal)]
        assert listening == [f"0100007F{hexadecimal}"]


def test_bad_ports_and_folders_are_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        done = CliRunner().invoke(app, ["--port", str(number)])
    assert done.exit_code == 1
    assert f"--port: expected a free port, {number} is taken" in done.output
    done = CliRunner().invoke(app, ["--folder", str(tmp_path)])
    assert done.exit_code == 1
    assert "expected a study's folder, no study.sqlite" in done.output
