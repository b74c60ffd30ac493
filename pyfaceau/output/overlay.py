"""Videos and pictures with what was measured drawn into them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
from av.error import FFmpegError

from pyfaceau.errors import OutputError
from pyfaceau.output.drawing import draw_face
from pyfaceau.output.sink import Sink
from pyfaceau.output.target import Target, writing
from pyfaceau.types import Camera, Frame, FrameResult, UInt8

_CONTAINERS = {".avi": "avi", ".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}
_PICTURES = (".jpg", ".jpeg", ".png", ".bmp")
_SURE = 0.4
_QUALITY = 3  # the quantiser; 1 is best, 31 smallest
_LAMBDA = 118  # FFmpeg's unit of it
_FINEST_CLOCK = 65_535


class OverlayVideo(Sink):
    """Writes a video in which faces are marked: landmarks, head box, eyes, gaze.

    MPEG-4 (in AVI with the tag DIVX), every frame of the input at its average rate. Faces with a
    confidence of 0.4 or less are not marked.

    Parameters
    ----------
    path : str or Path
        The file; .avi, .mp4, .mov or .mkv.
    size : (int, int)
        Width and height, pixels.
    fps : float
        Frames per second.
    camera : Camera
        Which the faces were measured with.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """

    def __init__(self, path: str | Path, size: tuple[int, int], fps: float, camera: Camera) -> None:
        super().__init__(Target(path, tuple(_CONTAINERS)))
        self._camera = camera
        self._frames = 0
        self._open = True
        container = _CONTAINERS[self.target.suffix]
        self._period = (1 / Fraction(fps)).limit_denominator(_FINEST_CLOCK)
        with writing(self.target.path):
            self.target.part.touch()
            self._file = av.open(f"file:{self.target.part}", "w", format=container)
        quality = {"flags": "+qscale", "global_quality": str(_QUALITY * _LAMBDA)}
        stream = self._file.add_stream("mpeg4", rate=1 / self._period, options=quality)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.thread_count = 1
        if container == "avi":
            stream.codec_context.codec_tag = "DIVX"
        self._stream = stream

    def write(self, frame: Frame, faces: Sequence[FrameResult]) -> None:
        """Append a frame.

        Parameters
        ----------
        frame : Frame
            The picture.
        faces : sequence of FrameResult
            Faces to mark.

        Raises
        ------
        OutputError
            If the disk is full.
        """
        image = frame.image.copy()
        for result in faces:
            if result.face.confidence > _SURE:
                draw_face(image, result, self._camera)
        self.append(image)

    def append(self, image: UInt8) -> None:
        """Append a picture as it is.

        Parameters
        ----------
        image : (H, W, 3) uint8
            BGR, of the video's size.

        Raises
        ------
        OutputError
            If the disk is full.
        """
        picture = av.VideoFrame.from_ndarray(image, format="bgr24")
        picture.pts = self._frames
        picture.time_base = self._period
        self._frames += 1
        self._mux(picture)

    def _mux(self, picture: av.VideoFrame | None) -> None:
        """Encode a frame, or what the encoder still holds."""
        try:
            self._file.mux(self._stream.encode(picture))
        except FFmpegError as error:
            raise _refused(self.target, error) from None

    def _close(self) -> None:
        """Write what is left and the file's index."""
        if not self._open:
            return
        self._open = False
        try:
            self._mux(None)
            self._file.close()
        except FFmpegError as error:
            raise _refused(self.target, error) from None


class OverlayPicture(Sink):
    """Writes a still picture in which faces are marked, whatever their confidence.

    Parameters
    ----------
    path : str or Path
        The file; .jpg, .jpeg, .png or .bmp.
    camera : Camera
        Which the faces were measured with.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """

    def __init__(self, path: str | Path, camera: Camera) -> None:
        super().__init__(Target(path, _PICTURES))
        self._camera = camera

    def write(self, frame: Frame, faces: Sequence[FrameResult]) -> None:
        """Write the picture; gaze is drawn for faces with a confidence above 0.4.

        Parameters
        ----------
        frame : Frame
            The picture.
        faces : sequence of FrameResult
            Faces to mark.

        Raises
        ------
        OutputError
            If the disk is full.
        """
        image = frame.image.copy()
        for result in faces:
            draw_face(image, result, self._camera, gaze=result.face.confidence > _SURE)
        with writing(self.target.path):
            _, data = cv2.imencode(self.target.suffix, image)
            self.target.part.write_bytes(data.tobytes())

    def _close(self) -> None:
        """Nothing is open."""


def _refused(target: Target, error: FFmpegError) -> OutputError:
    return OutputError(f"{target.path}: cannot be written: {error.strerror or error}")
