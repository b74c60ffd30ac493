"""From an upload to a measured video: drop it, watch it, cancel it."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, cast

import streamlit as st

from pyfaceau.app.measuring import Job, Measured
from pyfaceau.app.workspace import keep

if TYPE_CHECKING:
    from pathlib import Path

    from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
    from streamlit.runtime.uploaded_file_manager import UploadedFile

    from pyfaceau.app.session import Session
    from pyfaceau.app.settings import Choice


def measured_upload(
    session: Session, choice: Choice, place: str, camera: bool = False
) -> Measured | None:
    """Draw what leads to a measured video, and return it once there is one.

    Parameters
    ----------
    session : Session
        Of this browser.
    choice : Choice
        How to measure.
    place : str
        Name of the place on the pages: each has an upload of its own.
    camera : bool
        Offer a picture by the camera too.

    Returns
    -------
    Measured or None
        None as long as there is nothing to be seen.
    """
    job = session.jobs.get(place)
    if job is not None:
        _progress(session, place)
        return None
    result = session.results.get(place)
    taken = _take(place, camera, collapsed=result is not None)
    if taken is not None:
        name, stream = taken
        video = keep(stream, session.folder, session.next_name())
        _let_go(stream)
        _begin(session, choice, place, name, video)
        return None
    if result is not None and result.arguments != choice.arguments:
        st.info("The side bar has changed since this was measured.")
        if st.button("Measure again", key=f"{place} again"):
            _begin(session, choice, place, result.name, result.video)
            return None
    problem = st.session_state.pop(f"{place} problem", None)
    if problem:
        st.error(problem)
    return result


def _take(place: str, camera: bool, collapsed: bool) -> tuple[str, UploadedFile] | None:
    """Draw the places to drop a file; return a new one."""
    turn = st.session_state.setdefault(f"{place} turn", 0)
    title = "Another video or picture" if collapsed else "A video or picture of a face"
    with st.expander(title, expanded=not collapsed):
        upload = st.file_uploader(
            "Drop a file, or choose one",
            key=f"{place} file {turn}",
            help="It goes no further than this machine.",
        )
        shot = None
        if camera and st.checkbox("Take a picture with the camera", key=f"{place} camera"):
            shot = st.camera_input("Look into the camera", key=f"{place} shot {turn}")
    chosen = upload or shot
    if chosen is None:
        return None
    st.session_state[f"{place} turn"] = turn + 1  # a new widget, which holds no file
    return (PurePath(upload.name).name if upload else "camera picture"), chosen


def _let_go(upload: UploadedFile) -> None:
    """Free the memory that the server holds an upload in: a long recording's is most of it."""
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    context = get_script_run_ctx()
    if context is not None:
        manager = cast("MemoryUploadedFileManager", context.uploaded_file_mgr)
        manager.remove_file(context.session_id, upload.file_id)
    upload.close()


def _begin(session: Session, choice: Choice, place: str, name: str, video: Path) -> None:
    session.results.pop(place, None)
    session.jobs[place] = Job(session.worker(), name, video, choice.arguments)
    # Drawing the page anew from here would forget a file that was just given to another place.
    _progress(session, place)


@st.fragment(run_every=0.25)
def _progress(session: Session, place: str) -> None:
    """Draw how far the work is; the page is drawn anew when it is done."""
    job = session.jobs.get(place)
    if job is None:
        st.rerun()
    if not job.running:
        del session.jobs[place]
        if job.result is not None:
            session.results[place] = job.result
        else:
            st.session_state[f"{place} problem"] = job.error
        st.rerun()
    st.progress(*_words(job))
    if st.button("Cancel", key=f"{place} cancel"):
        job.cancel()


def _words(job: Job) -> tuple[float, str]:
    """Return the share done and what is said of it."""
    if not job.frames:
        return 0.0, f"{job.name}: getting ready"
    said = f"{job.name}: frame {job.frames}"
    if not job.total or job.total < job.frames:
        return 0.5, f"{said}, {job.rate:.0f} frames/s"
    left = (job.total - job.frames) / max(job.rate, 1e-9)
    share = job.frames / job.total
    return share, f"{said} of {job.total}, {job.rate:.0f} frames/s, {left:.0f} s to go"
