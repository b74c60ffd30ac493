"""Starting the server, and clearing up behind it in whatever way it ends."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from pyfaceau.app.workspace import Workspace
from pyfaceau.errors import InputError, PyfaceauError

ROOT, STUDY = "PYFACEAU_APP_ROOT", "PYFACEAU_APP_STUDY"
"""Environment variables by which the server knows its folder and the study to show."""

UPLOAD_LIMIT = 4096
"""Largest upload, MB."""

_START = 60.0


def serve(port: int, study: Path | None = None, limit: int = UPLOAD_LIMIT) -> int:
    """Run the app until it ends or is interrupted.

    Parameters
    ----------
    port : int
        Port on the loopback address; 0 for any free one.
    study : Path, optional
        A study's folder, to be shown on a page of its own.
    limit : int
        Largest upload, MB.

    Returns
    -------
    int
        Exit code.

    Raises
    ------
    InputError
        If the port is taken, or the folder holds no study.
    PyfaceauError
        If Streamlit is not installed.
    """
    try:
        import streamlit  # noqa: F401 - only whether it is there
    except ImportError:
        raise PyfaceauError("the app needs Streamlit: pip install 'pyfaceau[app]'") from None
    if study is not None and not (study / "study.sqlite").is_file():
        raise InputError(f"--folder: expected a study's folder, no study.sqlite in {study}")
    chosen = _free_port(port)
    workspace = Workspace.create()
    environment = {**os.environ, ROOT: str(workspace.root), STUDY: str(study or "")}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    command = [sys.executable, "-m", "pyfaceau.app.server", str(chosen), str(limit)]
    # The server reads its standard input: the end of that is the end of this process.
    server = subprocess.Popen(  # noqa: S603 - this interpreter, this package
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment
    )
    try:
        _announce(server, chosen)
        return server.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(timeout=5)
        server.kill()
        server.wait()
        workspace.remove()


def _free_port(port: int) -> int:
    """Return a port that can be had."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            message = f"--port: expected a free port, {port} is taken or not allowed"
            raise InputError(message) from None
        number: int = probe.getsockname()[1]
        return number


def _announce(server: subprocess.Popen[bytes], port: int) -> None:
    """Say where the app is once it answers; end with this process on a polite signal."""
    import click

    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    address = f"http://127.0.0.1:{port}"
    until = time.monotonic() + _START
    while server.poll() is None and time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            break
        time.sleep(0.1)
    click.echo(
        f"pyfaceau: {address}  (on this machine alone; Ctrl-C ends it and removes its files)"
    )
    if sys.stdout.isatty():
        click.launch(address)
