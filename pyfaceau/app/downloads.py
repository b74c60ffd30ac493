"""What can be taken home: the table, the report, the marked video."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from pyfaceau.app.actions import as_csv, marked

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyfaceau.app.measuring import Measured
    from pyfaceau.app.session import Session


def downloads(session: Session, measured: Measured) -> None:
    """Draw the downloads.

    Parameters
    ----------
    session : Session
        Of this browser.
    measured : Measured
        What was measured.
    """
    st.subheader("Take home")
    stem = Path(measured.name).stem or "video"
    columns = st.columns(3)
    with columns[0]:
        st.download_button(
            "Table (CSV)",
            measured.table.read_bytes,
            f"{stem}.csv",
            "text/csv",
            key="csv",
            on_click="ignore",
        )
    if "success" not in measured.data:
        return
    with columns[1]:
        _made(session, measured, "Report (HTML)", f"{stem}.html", "text/html", _report_arguments)
    with columns[2]:
        _made(
            session, measured, "Marked video", f"{stem}-marked.mp4", "video/mp4", _overlay_arguments
        )


def _report_arguments(measured: Measured, target: Path) -> list[str]:
    """Return the command line that makes a report."""
    arguments = ["report", str(measured.table), "--video", str(measured.video), "-o", str(target)]
    arguments += ["--name", Path(measured.name).stem or "video"]
    if marked():
        path = measured.table.with_suffix(".actions.csv")
        path.write_text(as_csv(marked()), encoding="utf-8")
        arguments += ["--actions", str(path)]
    return arguments


def _overlay_arguments(measured: Measured, target: Path) -> list[str]:
    """Return the command line that marks a video."""
    return ["overlay", str(measured.video), str(measured.table), "-o", str(target)]


def _made(
    session: Session,
    measured: Measured,
    title: str,
    name: str,
    kind: str,
    arguments: Callable[[Measured, Path], list[str]],
) -> None:
    """Draw a file that is made on request, then its download."""
    target = measured.table.with_name(f"{measured.video.name}{Path(name).suffix}")
    if st.button(f"Make: {title}", key=f"make {title}"):
        with st.spinner("at work"):
            outcome = session.worker().run({"arguments": arguments(measured, target)})
        if outcome["state"] != "done":
            st.error(str(outcome["error"]).replace(str(measured.video), measured.name))
    if target.is_file():
        st.download_button(
            f"Download: {title}",
            target.read_bytes,
            name,
            kind,
            key=f"get {title}",
            on_click="ignore",
        )
