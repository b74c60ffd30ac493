"""The side bar: how to measure, as options of the command line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyfaceau.config import Config, profiles

if TYPE_CHECKING:
    from pyfaceau.app.session import Session

ABOUT = {
    "default": ("OpenFace's units, fast: the usual choice.", True),
    "openface": (
        "OpenFace's own tracking, to its last digit; for comparison with its tables.",
        True,
    ),
    "fast": ("A landmark network alone: quick looks, coarser numbers.", True),
    "static": ("As default, but nothing is learnt of the person: clips of a few seconds.", True),
    "clm": ("OpenFace's oldest landmark model.", True),
    "ceclm": ("OpenFace's largest landmark model; its files are installed on request.", True),
    "free": ("An independent, smaller measurement: blendshapes, not OpenFace's units.", False),
}
"""What each profile is for, and whether its models are for non-commercial research only."""

OPENFACE_UNITS = ("pfld", "clnf")
"""Ways to landmarks after which OpenFace's units are measured."""

NON_COMMERCIAL = "Its models are for academic or non-profit, non-commercial research only."
ANY_USE = "Its models are for any use (Apache-2.0)."


@dataclass(frozen=True)
class Choice:
    """How to measure.

    Attributes
    ----------
    arguments : tuple of str
        Options of ``pyfaceau``.
    """

    arguments: tuple[str, ...]


def profile_note(name: str) -> str:
    """Return what a profile is for, with its licence.

    Parameters
    ----------
    name : str
        Name of a profile.

    Returns
    -------
    str
        One or two sentences.
    """
    text, restricted = ABOUT.get(name, ("A profile of your own.", True))
    return f"{text} {NON_COMMERCIAL if restricted else ANY_USE}"


def side_bar(session: Session) -> Choice:
    """Draw the choices that fit the profile, and return what was chosen.

    Parameters
    ----------
    session : Session
        Of this browser; an uploaded network is kept in its folder.

    Returns
    -------
    Choice
        As options of the command line.
    """
    import streamlit as st

    with st.sidebar:
        st.header("How to measure")
        names = [name for name in ABOUT if name in profiles()]
        profile = str(st.selectbox("Profile", names, key="profile"))
        st.caption(profile_note(profile))
        arguments = ["--config", profile]
        config = Config.load(profile)
        if config.landmarks == "pfld":
            arguments += _network(session)
        if config.landmarks in OPENFACE_UNITS:
            arguments += _measures(config.static_aus)
        elif st.checkbox("Mirrored recording (selfie)", key="mirrored"):
            arguments.append("--mirrored-input")
        st.caption("Files stay on this machine and are removed when this page is closed.")
    return Choice(tuple(arguments))


def _measures(static: bool) -> list[str]:
    """Draw the options of profiles that measure OpenFace's units."""
    import streamlit as st

    chosen = []
    split = st.checkbox(
        "Left and right apart", key="split", help="Each half of the face, made whole by reflection."
    )
    if split:
        chosen.append("--split-face")
        if st.checkbox("Mirrored recording (selfie)", key="mirrored"):
            chosen.append("--mirrored-input")
    if not static and st.checkbox(
        "Learn nothing of the person", key="static", help="For clips of a few seconds."
    ):
        chosen.append("-au_static")
    return chosen


def _network(session: Session) -> list[str]:
    """Draw the choice of a landmark network: the profile's own or a trained one."""
    import streamlit as st

    from pyfaceau.app.workspace import keep

    upload = st.file_uploader(
        "Landmark network of your own (.onnx)",
        type=["onnx"],
        key="network",
        help="From `pyfaceau train landmarks`. Without one, the profile's own.",
    )
    if upload is None:
        return []
    path = session.folder / "network.onnx"
    if st.session_state.get("network kept") != upload.file_id:
        keep(upload, session.folder, path.name)
        st.session_state["network kept"] = upload.file_id
    return ["--landmarks", str(path)]
