"""Pictures for a report: the face at some moments, cut out and marked."""

from __future__ import annotations

import base64
from collections.abc import Collection

import cv2

from pyfaceau.output.drawing import draw_landmarks
from pyfaceau.report.drawing import draw_midline, eyes_blurred, face_cut
from pyfaceau.report.frames import open_video, pictures
from pyfaceau.report.session import Session
from pyfaceau.types import Float64, UInt8

HEIGHT = 300
"""Pixels of a picture."""


def face_pictures(session: Session, rows: Collection[int], blur_eyes: bool) -> dict[int, str]:
    """Return the face at some rows of a table, with landmarks and midline.

    Parameters
    ----------
    session : Session
        A recording with its video.
    rows : collection of int
        Which rows, from 0; of those without a trusted face there is no picture.
    blur_eyes : bool
        Make eyes and brows unrecognisable.

    Returns
    -------
    dict
        Row to JPEG, base64.

    Raises
    ------
    InputError
        If the video is not that of the table.
    VideoError
        If it cannot be read.
    """
    out: dict[int, str] = {}
    if session.video is None or not rows:
        return out
    with open_video(session.video, session.path, session.provenance) as source:
        for row, image in pictures(source, session.faces, rows):
            face = session.faces.face(row)
            if face is not None and face.trusted:
                out[row] = _marked(image, face.landmarks, session.mirrored, blur_eyes)
    return out


def _marked(image: UInt8, landmarks: Float64, mirrored: bool, blur_eyes: bool) -> str:
    # Twice as large while it is marked, so that the marks are fine.
    shown = eyes_blurred(image, landmarks) if blur_eyes else image
    cut, points = face_cut(shown, landmarks, 2 * HEIGHT)
    draw_landmarks(cut, points)
    draw_midline(cut, points, mirrored)
    small = cv2.resize(cut, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 85])
    return base64.b64encode(data.tobytes()).decode("ascii")
