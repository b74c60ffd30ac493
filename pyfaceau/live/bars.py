"""The bars of a live window: a line per action unit, of the whole face or of each half."""

from __future__ import annotations

from PySide6 import QtCore, QtGui

from pyfaceau.live.message import LiveFrame
from pyfaceau.types import AU_INTENSITIES, AU_PRESENCES, SIDES, AUPrediction

INK, FAINT, ACTIVE = "#e8e8e8", "#8a8f98", "#e0a030"
_TRACK, _BAR = "#2c313a", "#4f7cac"
_NAME, _NUMBER = 48.0, 36.0
_PRESENCE = {name[:-2]: number for number, name in enumerate(AU_PRESENCES)}
_CENTRE = QtCore.Qt.AlignmentFlag.AlignCenter
_MIDDLE = QtCore.Qt.AlignmentFlag.AlignVCenter


def paint_units(
    painter: QtGui.QPainter, area: QtCore.QRectF, frame: LiveFrame, mirrored: bool
) -> None:
    """Paint a bar per action unit, 0 to 5, brighter where it is present.

    Of split faces there is one for each half, from the middle outwards, on the side where the half
    is in the picture.

    Parameters
    ----------
    painter : QPainter
        Where to.
    area : QRectF
        Room for all bars.
    frame : LiveFrame
        The frame.
    mirrored : bool
        The patient's left is on the image's left.
    """
    step = min(26.0, area.height() / (len(AU_INTENSITIES) + 1))
    line = QtCore.QRectF(area.left(), area.top(), area.width(), step)
    order = 1 if mirrored else -1
    halves = None if frame.sides is None else frame.sides[::order]
    if halves is not None:
        painter.setPen(QtGui.QColor(FAINT))
        for side, place in zip(SIDES[::order], _halves(line), strict=True):
            painter.drawText(place, _CENTRE, side)
        line.translate(0, step)
    for number, unit in enumerate(name[:-2] for name in AU_INTENSITIES):
        on = any(_present(part, unit) for part in halves or (frame.units,))
        painter.setPen(QtGui.QColor(INK if on else FAINT))
        painter.drawText(line, _MIDDLE, unit)
        if halves is None:
            place = line.adjusted(_NAME, 0, 0, 0)
            _paint_bar(painter, place, frame.units, number, unit)
        else:
            for half, place, left in zip(halves, _halves(line), (True, False), strict=True):
                _paint_bar(painter, place, half, number, unit, leftwards=left)
        line.translate(0, step)


def _halves(line: QtCore.QRectF) -> tuple[QtCore.QRectF, QtCore.QRectF]:
    """Divide what is behind the unit's name."""
    room = line.adjusted(_NAME, 0, 0, 0)
    middle = room.center().x()
    return (
        QtCore.QRectF(room.left(), room.top(), middle - room.left() - 1, room.height()),
        QtCore.QRectF(middle + 1, room.top(), room.right() - middle - 1, room.height()),
    )


def _present(units: AUPrediction | None, unit: str) -> bool:
    return units is not None and bool(units.presences[_PRESENCE[unit]])


def _paint_bar(
    painter: QtGui.QPainter,
    place: QtCore.QRectF,
    units: AUPrediction | None,
    number: int,
    unit: str,
    leftwards: bool = False,
) -> None:
    """Paint a bar and its number, which stands at its far end."""
    margin, high = place.height() * 0.2, place.height() * 0.6
    long = place.width() - _NUMBER
    track = QtCore.QRectF(
        place.left() + (_NUMBER if leftwards else 0), place.top() + margin, long, high
    )
    painter.fillRect(track, QtGui.QColor(_TRACK))
    if units is None:
        return
    value = float(units.intensities[number])
    bar = QtCore.QRectF(track)
    if leftwards:
        bar.setLeft(track.right() - long * value / 5)
    else:
        bar.setWidth(long * value / 5)
    painter.fillRect(bar, QtGui.QColor(ACTIVE if _present(units, unit) else _BAR))
    end = place.left() if leftwards else track.right()
    painter.drawText(
        QtCore.QRectF(end, place.top(), _NUMBER, place.height()), _CENTRE, f"{value:.1f}"
    )
