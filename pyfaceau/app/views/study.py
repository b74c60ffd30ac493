"""A study's ledger while it runs and after: states, failures, warnings, reports."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from pyfaceau.app.launch import STUDY

if TYPE_CHECKING:
    from collections.abc import Sequence

REFRESH = 3.0
"""Seconds between looks at the ledger."""


def draw() -> None:
    """Draw the page."""
    st.title("Study")
    named = os.environ.get(STUDY)
    if not named:
        st.info(
            "Start the app with `pyfaceau app --folder TABLES`, the output folder of `study run`."
        )
        return
    st.caption(named)
    _ledger(Path(named))
    _reports(Path(named))
    _changes(Path(named))


@st.fragment(run_every=REFRESH)
def _ledger(folder: Path) -> None:
    """Draw what the ledger says now."""
    from pyfaceau.errors import PyfaceauError
    from pyfaceau.study.ledger import Ledger

    try:
        with Ledger(folder) as ledger:
            rows, counts, last = ledger.rows(), ledger.counts(), ledger.last_run()
    except PyfaceauError as error:
        st.error(str(error))
        return
    for column, (state, count) in zip(st.columns(len(counts)), counts.items(), strict=True):
        column.metric(state, count)
    done = counts.get("done", 0) + counts.get("failed", 0)
    st.progress(done / max(1, len(rows)), f"{done} of {len(rows)} videos finished")
    if last is not None:
        ended = f"{last['outcome']} {last['finished']}" if last["outcome"] else "at work, or killed"
        st.write(f"Last run: began {last['started']} on {last['host']}, {ended}")
    st.dataframe(_shown(rows), hide_index=True, width="stretch")


@st.fragment
def _reports(folder: Path) -> None:
    """Draw the reports that are there."""
    from pyfaceau.errors import PyfaceauError
    from pyfaceau.study.files import REPORT, output_path
    from pyfaceau.study.ledger import Ledger

    try:
        with Ledger(folder) as ledger:
            names = [str(row["name"]) for row in ledger.rows()]
    except PyfaceauError:
        return  # said above
    there = {name: path for name in names if (path := output_path(folder, name, REPORT)).is_file()}
    st.subheader("Reports")
    if not there:
        st.caption(f"None yet: `pyfaceau study report {folder.name}` writes them.")
        return
    name = str(st.selectbox("Video", list(there)))
    page = there[name].read_bytes()  # at once: the refreshed ledger takes deferred files away
    st.download_button(f"Report: {name}", page, there[name].name, "text/html")
    st.button("Look for new reports")


def _shown(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return the columns of the ledger that a person looks at."""
    columns = {
        "video": "name", "subject": "subject", "session": "session", "state": "state",
        "frames": "frames", "usable": "usable", "failure": "error", "warnings": "warnings",
    }  # fmt: skip
    return {title: [row.get(name) for row in rows] for title, name in columns.items()}


def _changes(folder: Path) -> None:
    """Draw what changes something, for those who ask for it."""
    if not st.toggle("Allow changes", help="Off: this page only looks."):
        return
    if st.button("Try failed videos again"):
        import subprocess
        import sys

        command = [sys.executable, "-m", "pyfaceau.cli", "study", "retry", str(folder)]
        with st.spinner("at work; the table above goes on"):
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        (st.success if done.returncode == 0 else st.error)(done.stdout or done.stderr)
