"""What a browser session has: its folder, its worker, its results; all gone when it is."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pyfaceau.app.launch import ROOT
from pyfaceau.app.measuring import Job, Measured, Worker
from pyfaceau.app.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

GRACE = 10.0
"""Seconds without its browser after which a session's files are removed."""

_BEAT = 1.0


@dataclass(eq=False)
class Session:
    """A browser session.

    Attributes
    ----------
    folder : Path
        Where its files are.
    jobs : dict of str to Job
        Work by the place on the pages that asked for it.
    results : dict of str to Measured
        What came of it.
    """

    folder: Path
    jobs: dict[str, Job] = field(default_factory=dict)
    results: dict[str, Measured] = field(default_factory=dict)
    _uploads: int = 0
    _worker: Worker | None = None

    def next_name(self) -> str:
        """Return a name for an upload that no other has."""
        self._uploads += 1
        return f"upload-{self._uploads}"

    def worker(self) -> Worker:
        """Return a process that can be given work; a new one loads what most uploads need."""
        if self._worker is None or self._worker.closed:
            self._worker = Worker()
        return self._worker

    def close(self) -> None:
        """End its work."""
        if self._worker is not None:
            self._worker.close()


class Sessions:
    """All sessions of a server, and a thread that forgets those whose browser has gone.

    Parameters
    ----------
    workspace : Workspace
        The server's folder.
    alive : callable
        Tells of a session's number whether its browser is still there.
    grace : float
        Seconds that a session is kept without one.
    """

    def __init__(
        self, workspace: Workspace, alive: Callable[[str], bool], grace: float = GRACE
    ) -> None:
        self._workspace, self._alive, self._grace = workspace, alive, grace
        self._sessions: dict[str, Session] = {}
        self._seen: dict[str, float] = {}
        self._guard = threading.Lock()
        threading.Thread(target=self._watch, daemon=True).start()

    def get(self, identity: str) -> Session:
        """Return a session, made where it is new.

        Parameters
        ----------
        identity : str
            Its number.

        Returns
        -------
        Session
            Of that browser alone.
        """
        with self._guard:
            if identity not in self._sessions:
                self._sessions[identity] = Session(self._workspace.session(identity))
            self._seen[identity] = time.monotonic()
            return self._sessions[identity]

    def sweep(self) -> None:
        """Forget sessions whose browser has been gone for longer than the grace."""
        now = time.monotonic()
        with self._guard:
            for identity in tuple(self._sessions):
                if self._alive(identity):
                    self._seen[identity] = now
                elif now - self._seen[identity] > self._grace:
                    self._sessions.pop(identity).close()
                    self._workspace.forget(identity)

    def _watch(self) -> None:
        while True:
            time.sleep(_BEAT)
            self.sweep()


def server_sessions() -> Sessions:
    """Return the sessions of this Streamlit server.

    Returns
    -------
    Sessions
        In the folder that the environment names; a folder of its own where it names none.
    """
    from streamlit import runtime

    root = os.environ.get(ROOT)
    workspace = Workspace(Path(root)) if root else Workspace.create()
    return Sessions(workspace, lambda identity: runtime.get_instance().is_active_session(identity))
