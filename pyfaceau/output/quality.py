"""Quality of a video, frame by frame: what a study should not trust, and why."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from pyfaceau.errors import OutputError
from pyfaceau.media.selected import PassedFrames
from pyfaceau.numerics.rotation import turned_euler
from pyfaceau.types import AlignedFace, Frame, FrameResult

if TYPE_CHECKING:
    from typing_extensions import Self

    from pyfaceau.media.picture import FrameSource

LOW_CONFIDENCE = 0.75
"""Below this the detection validator doubts the landmarks."""

MAX_YAW, MAX_PITCH, MAX_ROLL = 30.0, 25.0, 30.0
"""Degrees to either side. The action-unit models learnt from nearly frontal faces; beyond this the
aligned face loses a cheek or a brow."""

SMALL_FACE = 30.0
"""Pixels between the outer corners of the eyes: in the aligned face they are twice as far apart,
so that every pixel below is invented by more than doubling the picture."""

BLURRED = 20.0
"""Variance of the Laplacian of the aligned gray face, gray levels squared."""

DARK, BRIGHT = 40.0, 215.0
"""Mean gray level of the face."""

JUMP = 0.35
"""Shift of the landmarks' centre from one frame to the next, in eye distances."""

FLAGS = (
    "no_face",
    "low_confidence",
    "pose",
    "small_face",
    "blurred",
    "dark",
    "bright",
    "jump",
    "damaged",
    "duplicated",
    "resized",
    "clock",
    "cut",
    "turned",
    "several",
    "mouth_covered",
    "eye_covered",
)
"""What a frame can be flagged for. All up to ``damaged`` make it unusable."""

COVERED = {
    "mouth_covered": "show a mouth that looks covered (a mask, a hand?): what is measured of it is "
    "guessed",
    "eye_covered": "show one eye that looks covered (a patch, a dark glass?): what is measured of "
    "it is guessed",
}
"""What is said of a video in more than half of whose faces it is so: of single frames it is
uncertain, see `pyfaceau.alignment.covered`."""

HARMLESS = frozenset({"duplicated", "resized", "clock", "cut", "turned", "several", *COVERED})

MARKED = {
    "damaged": "are damaged, says the decoder",
    "cut": "begin a new scene, maybe with another person",
    "clock": "had their clock corrected",
    "resized": "are stored in another size",
    "several": "show more than one face: one is followed, see --face",
    "turned": "were measured turned",
}
"""What is said of a video for each mark of its frames."""

COLUMNS = (
    "frame,timestamp,usable,confidence,yaw,pitch,roll,eye_distance,sharpness,brightness,shift,"
    "dropped_before,pixel_aspect,turn," + ",".join(FLAGS)
)
"""Of the quality file: degrees, pixels, gray levels squared, gray levels, eye distances; empty
without a face. ``dropped_before``: frames missing between the last one and this by the clock;
``pixel_aspect``: width over height of the stored pixels; ``turn``: degrees, counter-clockwise, by
which the picture was turned to be measured; yaw, pitch and roll are those in the turned picture."""

TRUSTED_SHARE = 0.8
"""Share of usable frames below which a video gets a warning."""

TOLERATED = 0.05
"""Share of dropped or duplicated frames above which a video gets a warning."""


@dataclass
class Quality:
    """What is said of a whole video.

    Attributes
    ----------
    frames, usable : int
        All frames; those without a flag but a harmless one.
    dropped : int
        Frames missing by the clock.
    counts : dict
        Frames with each of `FLAGS`.
    reasons : dict
        Why frames have no face, by the tracker: reason to count.
    tracked : int
        Frames with a face.
    turns : set of int
        Degrees by which pictures were turned.
    """

    frames: int = 0
    usable: int = 0
    dropped: int = 0
    tracked: int = 0
    turns: set[int] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FLAGS, 0))
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def usable_share(self) -> float:
        """Share of usable frames, 0 to 1."""
        return self.usable / self.frames if self.frames else 0.0

    def warnings(self) -> list[str]:
        """Return why the video should not be trusted.

        Returns
        -------
        list of str
            Clauses; empty where nothing speaks against it.
        """
        said = []
        if self.usable_share < TRUSTED_SHARE:
            flags = sorted(set(FLAGS) - HARMLESS, key=lambda flag: -self.counts[flag])
            causes = [f"{flag} in {self.counts[flag]}" for flag in flags if self.counts[flag]]
            said.append(
                f"only {self.usable} of {self.frames} frames are usable: {', '.join(causes[:3])}"
            )
        if self.dropped > TOLERATED * self.frames:
            said.append(f"{self.dropped} frames are missing by the clock")
        if self.counts["duplicated"] > TOLERATED * self.frames:
            said.append(f"{self.counts['duplicated']} frames repeat the one before")
        said += [
            f"{self.counts[flag]} frames {text}"
            for flag, text in MARKED.items()
            if self.counts[flag]
        ]
        if self.turns:
            said[-1] += f" by {', '.join(map(str, sorted(self.turns)))} degrees"
        said += [
            f"{self.counts[flag]} frames {text}"
            for flag, text in COVERED.items()
            if self.counts[flag] > self.tracked / 2
        ]
        return said


class Watch(PassedFrames):
    """Frames of a video, watched on their way for repeated pictures.

    Parameters
    ----------
    source : FrameSource
        An open video or sequence.

    Attributes
    ----------
    repeated : set of int
        Indices of frames so far that are the same picture as the one before, by every eighth
        pixel of every eighth row.
    """

    def __init__(self, source: FrameSource) -> None:
        super().__init__(source)
        self.repeated: set[int] = set()

    def __iter__(self) -> Iterator[Frame]:
        """Yield all frames.

        Yields
        ------
        Frame
            As the source gives them.
        """
        last = None
        for frame in self.source:
            seen = zlib.crc32(frame.image[::8, ::8].tobytes())
            if seen == last:
                self.repeated.add(frame.index)
            last = seen
            yield frame


class QualityWriter:
    """Writes the quality file of a video; used in a ``with`` statement, left by `finish`.

    The file, gzipped CSV with `COLUMNS`, gets its name when it is whole.

    Parameters
    ----------
    path : str or Path
        The file; its folder is made.
    fps : float
        The video's frame rate.
    aspect : float
        Width over height of its stored pixels.

    Attributes
    ----------
    quality : Quality
        Of the frames so far.

    Raises
    ------
    OutputError
        If the folder cannot be written.
    """

    def __init__(self, path: str | Path, fps: float, aspect: float = 1.0) -> None:
        self.path = Path(path)
        self._aspect = aspect
        self.quality = Quality()
        self._fps = fps
        self._time: float | None = None
        self._centre: Any = None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._raw = self._part.open("wb")
        except OSError as error:
            raise self._unwritable(error) from None
        # No name and no time in the file: the same video gives the same bytes.
        packed = gzip.GzipFile("", "wb", 6, self._raw, mtime=0)
        self._text = io.TextIOWrapper(packed, encoding="ascii", newline="\n")
        self._text.write(COLUMNS + "\n")

    @property
    def _part(self) -> Path:
        return self.path.with_name(f".{self.path.name}.{os.getpid()}.part")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError, ValueError):  # a full disk has already been reported
            self._text.close()
        with suppress(OSError):
            self._raw.close()
        with suppress(OSError):
            self._part.unlink(missing_ok=True)

    def write(self, result: FrameResult, repeated: bool = False) -> None:
        """Append a frame.

        Parameters
        ----------
        result : FrameResult
            The frame.
        repeated : bool
            Whether it is the same picture as the one before.

        Raises
        ------
        OutputError
            If the disk is full.
        """
        flags, measures = self._judge(result)
        flags |= result.marks & set(FLAGS)
        if repeated:
            flags.add("duplicated")
        usable = flags <= HARMLESS
        dropped = self._dropped(result.timestamp)
        quality = self.quality
        quality.frames += 1
        quality.usable += usable
        quality.tracked += result.face.success
        quality.dropped += dropped
        for flag in flags:
            quality.counts[flag] += 1
        if not result.face.success:
            reason = result.face.reason or "no face"
            quality.reasons[reason] = quality.reasons.get(reason, 0) + 1
        turn = 90 * result.turn
        if turn:
            quality.turns.add(turn)
        marks = ",".join("1" if flag in flags else "0" for flag in FLAGS)
        head = f"{result.index + 1},{result.timestamp:.3f},{usable:d},{result.face.confidence:.2f}"
        try:
            self._text.write(f"{head},{measures},{dropped},{self._aspect:.4f},{turn},{marks}\n")
        except OSError as error:
            raise self._unwritable(error) from None

    def finish(self) -> Quality:
        """Complete the file and give it its name.

        Returns
        -------
        Quality
            Of the whole video.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        try:
            self._text.close()
            self._raw.close()
            self._part.replace(self.path)
        except OSError as error:
            raise self._unwritable(error) from None
        return self.quality

    def _judge(self, result: FrameResult) -> tuple[set[str], str]:
        """Return a frame's flags, and its measures as text."""
        face = result.face
        if not face.success:
            self._centre = None
            return {"no_face"}, ",,,,,,"
        flags = set()
        # Of the head as it was measured: a patient who lies has not turned the head away.
        rotation = result.pose.rotation
        if result.turn:
            rotation = turned_euler(rotation, result.turn)
        pitch, yaw, roll = (float(angle) for angle in np.degrees(rotation))
        eyes = float(np.linalg.norm(face.landmarks[45] - face.landmarks[36]))
        centre = face.landmarks.mean(axis=0)
        shift = 0.0 if self._centre is None else float(np.linalg.norm(centre - self._centre))
        shift /= max(eyes, 1.0)
        self._centre = centre
        sharp, light = _appearance(result.aligned)
        tests = {
            "low_confidence": face.confidence < LOW_CONFIDENCE,
            "pose": abs(yaw) > MAX_YAW or abs(pitch) > MAX_PITCH or abs(roll) > MAX_ROLL,
            "small_face": eyes < SMALL_FACE,
            "blurred": sharp is not None and sharp < BLURRED,
            "dark": light is not None and light < DARK,
            "bright": light is not None and light > BRIGHT,
            "jump": shift > JUMP,
        }
        flags = {flag for flag, raised in tests.items() if raised}
        texts = ["" if value is None else f"{value:.1f}" for value in (sharp, light)]
        measures = [f"{yaw:.1f}", f"{pitch:.1f}", f"{roll:.1f}", f"{eyes:.1f}", *texts]
        return flags, ",".join([*measures, f"{shift:.3f}"])

    def _dropped(self, time: float) -> int:
        """Return the frames that are missing before this one, by the clock."""
        last, self._time = self._time, time
        return 0 if last is None else max(0, round((time - last) * self._fps) - 1)

    def _unwritable(self, error: OSError) -> OutputError:
        return OutputError(f"{self.path}: cannot be written: {error.strerror or error}")


def _appearance(aligned: AlignedFace | None) -> tuple[float | None, float | None]:
    """Return sharpness and brightness of the aligned face within its mask."""
    if aligned is None:
        return None, None
    import cv2

    gray = cv2.cvtColor(aligned.image, cv2.COLOR_BGR2GRAY)
    inside = cv2.erode((gray > 0).astype("u1"), np.ones((5, 5), "u1")) > 0
    if not inside.any():
        return 0.0, 0.0
    laplacian = cv2.Laplacian(gray, cv2.CV_32F)[inside]
    return float(laplacian.var(dtype="f8")), float(gray[inside].mean(dtype="f8"))
