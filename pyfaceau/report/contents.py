"""What a report says of a recording, before any action is named."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pyfaceau.asymmetry.blinks import blink_table
from pyfaceau.asymmetry.files import AU_NOISE
from pyfaceau.asymmetry.gate import MULTIPLE, asymmetry, healthy_share
from pyfaceau.report.page import Part, Table
from pyfaceau.report.plots import Band, blink_raster, both_sides, one_curve, words
from pyfaceau.report.session import no_units

if TYPE_CHECKING:
    from typing import Any

    from pyfaceau.report.session import Session

ZONES = {
    "Upper face": (("AU01_r", "AU02_r", "AU04_r"), ("brow_height",)),
    "Eyes": (("AU05_r", "AU06_r", "AU07_r", "AU45_r"), ("palpebral_height",)),
    "Mid face": (("AU09_r", "AU10_r"), ("upper_lip_height",)),
    "Lower face": (
        ("AU12_r", "AU14_r", "AU15_r", "AU17_r", "AU20_r", "AU23_r", "AU25_r", "AU26_r"),
        ("commissure_excursion", "smile_angle", "dental_show"),
    ),
}
"""Action units and measures of each zone that are drawn."""

_UNITS = {"smile_angle": "degrees"}
_LENGTH = "inter-ocular distances"
_INTENSITY = "intensity, 0 to 5"
_SHARE = "strength"


def curves(session: Session, number: int, bands: Sequence[Band]) -> list[Part]:
    """Return the chapters with curves of both sides.

    Parameters
    ----------
    session : Session
        The recording.
    number : int
        Its place in the report, from 1: figures' keys begin with it.
    bands : sequence of (str, float, float)
        Actions.

    Returns
    -------
    list of Part
        A chapter for each zone.
    """
    parts = []
    for title, (units, lengths) in ZONES.items():
        figures = {}
        for name, values, unit in _measures(session, units, lengths):
            key = f"s{number}-{name}"
            figures[key] = both_sides(session.table, values, name, unit, bands)
        of_mesh = any(key.endswith("_bs") for key in figures)
        parts.append(Part(title, _notes(session, of_mesh), figures))
    return parts


def asymmetry_over_time(
    session: Session, number: int, bands: Sequence[Band], rest: Any, affected: str | None
) -> Part:
    """Return the chapter with the asymmetry of every frame that moves.

    Parameters
    ----------
    session : Session
        The recording.
    number : int
        Its place in the report, from 1.
    bands : sequence of (str, float, float)
        Actions.
    rest : (N,) bool array_like or None
        Frames at rest; None where nobody has named them.
    affected : {'left', 'right'} or None
        The paretic side.

    Returns
    -------
    Part
        (L - R) / (L + R) of one unit or measure of each zone.
    """
    title = "Asymmetry over time"
    if rest is None:
        why = "No frames at rest are named, so there is no gate and no asymmetry is told: name an "
        return Part(title, (why + "action rest, or give --rest START-END.",))
    chosen = [("AU01_r", "brow_height"), ("AU45_r", "palpebral_height"), ("AU12_r", "smile_angle")]
    figures = {}
    shown = []
    for unit, length in chosen:
        name = unit if session.split else _length(session, length)
        source = session.table if session.split else session.geometry
        if f"{name}_left" not in source:
            continue
        left, right = (source[f"{name}_{side}"].to_numpy(np.float64) for side in ("left", "right"))
        if not np.isfinite(left[np.asarray(rest)]).any():
            continue
        floor = AU_NOISE if session.split else 0.0
        compared = asymmetry(left, right, rest, affected=affected, floor=floor)
        shown.append(name)
        key = f"s{number}-index-{name}"
        label = f"{words(name)}: (L - R) / (L + R)"
        figures[key] = one_curve(session.table, compared["index"], label, "index", bands)
        figures[key].update_yaxes(range=[-1.05, 1.05])
    note = (
        f"Positive where the patient's left side moves more. Gaps are frames in which neither side "
        f"moves by more than {MULTIPLE:g} times its own resting noise: no movement, which is "
        f"neither 0 nor 100 %. Healthy sides differ too: by up to "
        + ", ".join(f"{healthy_share(name):.0%} ({words(name)})" for name in shown)
        + " of the larger movement."
    )
    return Part(title, (note,), figures)


def blinks(session: Session, number: int, bands: Sequence[Band]) -> Part:
    """Return the chapter about blinks.

    Parameters
    ----------
    session : Session
        The recording.
    number : int
        Its place in the report, from 1.
    bands : sequence of (str, float, float)
        Actions.

    Returns
    -------
    Part
        A raster, a table, what they say in words.
    """
    title = "Closures of the eyes"
    if "AU45_r_left" not in session.table:
        said = no_units(session.table)
        return Part(title, (f"{said[0].upper()}{said[1:]}.",))
    found = blink_table(session.table)
    if not len(found):
        return Part(title, ("No eye closes.",))
    figure = {f"s{number}-blinks": blink_raster(found, bands)}
    return Part(
        title,
        tuple(_blinks_said(found)),
        figure,
        Table.of(found.astype({"blink": int})),
        f"blinks-{number}",
    )


def _blinks_said(found: pd.DataFrame) -> Iterator[str]:
    """Yield closures in words."""
    blink = found[found["blink"] == 1]
    both = blink[blink["lag"].notna()]
    alone = {
        side: int(blink[f"height_{side}"].notna().sum()) - len(both) for side in ("left", "right")
    }
    yield (
        f"Blinks: {len(blink)}, of them {len(both)} with both eyes, {alone['left']} with the left "
        f"alone, {alone['right']} with the right alone. Longer closures: {len(found) - len(blink)}."
    )
    if len(both):
        yield (
            f"Median duration {both['duration_left'].median():.3f} s left, "
            f"{both['duration_right'].median():.3f} s right; the left eye's peak comes "
            f"{both['lag'].median():+.3f} s after the right's (median)."
        )
    yield (
        "From AU45 of each half. The lids' geometry hardly sees an eye that closes alone, and AU45 "
        "of a half is an estimate of a model that learnt from whole faces: look at the video."
    )


def _measures(
    session: Session, units: Sequence[str], lengths: Sequence[str]
) -> Iterator[tuple[str, pd.DataFrame, str]]:
    """Yield what is drawn of a zone: name, where its values are, unit."""
    for name in units:
        of_mesh = name.removesuffix("_r") + "_bs"
        if f"{name}_left" in session.table:
            yield name, session.table, _INTENSITY
        elif f"{of_mesh}_left" in session.table:
            yield of_mesh, session.table, _SHARE
    for name in lengths:
        yield _length(session, name), session.geometry, _UNITS.get(name, _LENGTH)


def _length(session: Session, name: str) -> str:
    """Return the measure with head pose taken out, or that in the picture where this has none."""
    return name if session.geometry[f"{name}_left"].notna().any() else f"{name}_2d"


def _notes(session: Session, of_mesh: bool) -> tuple[str, ...]:
    """Return what is to be known of curves that are not of split action units."""
    if session.split:
        return ()
    if session.free:
        units = "Units of profile free, which are not OpenFace's. " if of_mesh else ""
        return (f"{units}Lengths as the picture shows them: head pose is not taken out.",)
    return ("No action units of each side: lengths only.",)
