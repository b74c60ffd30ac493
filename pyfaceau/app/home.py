"""The app's first script, run by Streamlit for every look at a page."""

from __future__ import annotations

import streamlit as st

from pyfaceau.app.session import Session, Sessions, server_sessions
from pyfaceau.app.settings import side_bar
from pyfaceau.app.views import compare, one_video, study


@st.cache_resource(show_spinner=False)
def _sessions() -> Sessions:
    return server_sessions()


def _session() -> Session:
    """Return the folder, worker and results of this browser."""
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    context = get_script_run_ctx()
    return _sessions().get(context.session_id if context else "none")


def main() -> None:
    """Draw the page that is looked at."""
    st.set_page_config(page_title="pyfaceau", layout="wide")
    session = _session()
    session.worker()  # loads while the page is read
    pages = [
        st.Page(
            lambda: one_video.draw(session, side_bar(session)), title="Video", url_path="video"
        ),
        st.Page(
            lambda: compare.draw(session, side_bar(session)), title="Compare", url_path="compare"
        ),
        st.Page(study.draw, title="Study", url_path="study"),
    ]
    st.navigation(pages, position="top").run()


main()
