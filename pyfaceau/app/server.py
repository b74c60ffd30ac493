"""The server process: ``python -m pyfaceau.app.server PORT LIMIT``."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import threading
from pathlib import Path

from pyfaceau.app.launch import ROOT

OPTIONS = {
    "server.address": "127.0.0.1",
    "server.headless": True,
    "server.fileWatcherType": "none",
    "server.runOnSave": False,
    "browser.gatherUsageStats": False,
    "browser.serverAddress": "127.0.0.1",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",
    "global.developmentMode": False,
    "logger.level": "error",
}
"""Streamlit's settings: on the loopback address, nothing sent anywhere, no traceback on a page."""


def main() -> None:
    """Serve until told to end, or until whoever started this is no more."""
    threading.Thread(target=_end_with_starter, daemon=True).start()
    threading.Thread(target=_load_libraries, daemon=True).start()
    from streamlit.web import bootstrap

    flags = {**OPTIONS, "server.port": int(sys.argv[1]), "server.maxUploadSize": int(sys.argv[2])}
    bootstrap.load_config_options(flag_options=_spelled(flags))
    home = Path(__file__).with_name("home.py")
    bootstrap.run(str(home), False, [], _spelled(flags))


def _load_libraries() -> None:
    """Import what the first result needs, while its file is still being looked for."""
    for name in ("plotly.graph_objects", "pyfaceau.output.preview", "pyfaceau.report.drawing"):
        importlib.import_module(name)


def _spelled(flags: dict[str, object]) -> dict[str, object]:
    """Return settings as Streamlit's own command line hands them on."""
    return {name.replace(".", "_"): value for name, value in flags.items()}


def _end_with_starter() -> None:
    """Remove all files and end, at once, when standard input ends."""
    while os.read(0, 1024):
        pass
    shutil.rmtree(os.environ[ROOT], ignore_errors=True)
    os._exit(1)


if __name__ == "__main__":
    main()
