"""Pictures and videos through FaceMap 3DMM, or another network of its kind: tables and overlays."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pyfaceau.alignment.mask import read_triangles
from pyfaceau.errors import InputError
from pyfaceau.landmarks.crop import Crop, crop_from_box, whole
from pyfaceau.landmarks.facemap_3dmm import SIDE, VALUES, FaceMap3DMM, FaceMapDecoder
from pyfaceau.media.picture import is_picture, open_frames, read_picture
from pyfaceau.models.weights import locate
from pyfaceau.output.overlay import OverlayVideo
from pyfaceau.output.point_drawing import draw_crop, draw_points
from pyfaceau.output.written import WrittenFiles
from pyfaceau.pipeline.facemap_tables import Answer, Tables
from pyfaceau.pipeline.landmarks import write_jpeg
from pyfaceau.types import Camera, FaceBox, Float32, Float64, Frame, UInt8


@dataclass(frozen=True)
class FaceMapOptions:
    """How the network's answers are read, checked and written.

    Attributes
    ----------
    decode : bool
        Insist on 265 values and their decoding; otherwise they are decoded where there are 265.
    assume_points : int or None
        The answer is this many pairs x, y.
    assume_norm : bool
        Those pairs are shares of the crop's sides, not pixels of the network's input.
    face_detect : bool
        Look for the face; otherwise the whole picture is the crop.
    margin : float
        How much wider than the face's box the crop is.
    skip_if_no_face : bool
        A frame without face has no values; otherwise the whole picture is taken.
    jump_threshold : float
        Points that move by more than this from one frame to the next, in the mean, are marked,
        pixels.
    raw, landmarks, npy : bool
        Write ``NAME_raw.csv``, ``NAME_landmarks.csv``, ``NAME_raw.npy``.
    video : bool
        Write ``NAME_overlay.mp4``.
    point_size, line_width : int
        Pixels.
    mesh, contours : bool
        What is drawn of 68 points.

    Raises
    ------
    InputError
        If a number is out of range or options contradict each other.
    """

    decode: bool = False
    assume_points: int | None = None
    assume_norm: bool = False
    face_detect: bool = False
    margin: float = 0.25
    skip_if_no_face: bool = False
    jump_threshold: float = 25.0
    raw: bool = False
    landmarks: bool = False
    npy: bool = False
    video: bool = False
    point_size: int = 2
    line_width: int = 1
    mesh: bool = False
    contours: bool = True

    def __post_init__(self) -> None:
        if self.decode and self.assume_points is not None:
            raise InputError("--decode-3dmm and --assume-points: expected one of them")
        if self.assume_norm and self.assume_points is None:
            raise InputError("--assume-norm goes with --assume-points")
        if self.skip_if_no_face and not self.face_detect:
            raise InputError("--skip-if-no-face goes with --face-detect")
        if not (math.isfinite(self.jump_threshold) and self.jump_threshold > 0):
            raise InputError(f"--jump-threshold: expected above 0, got {self.jump_threshold}")


class FaceMapRunner:
    """Takes pictures and videos through the network.

    Parameters
    ----------
    network : FaceMap3DMM
        The network.
    options : FaceMapOptions
        How its answers are read and written.

    Raises
    ------
    InputError
        If the options do not fit the network's answer.
    WeightsError
        If a model file is missing or altered.
    """

    def __init__(self, network: FaceMap3DMM, options: FaceMapOptions) -> None:
        self._network, self._options = network, options
        count = network.values
        if options.decode and count not in (None, VALUES):
            raise InputError(
                f"--decode-3dmm: expected a network of {VALUES} values, {network.path} answers "
                f"{count}; see --inspect"
            )
        wanted = 2 * (options.assume_points or 0)
        if count is not None and wanted > count:
            raise InputError(
                f"--assume-points: expected {wanted} values or more, {network.path} answers {count}"
            )
        decodes = options.assume_points is None and count in (None, VALUES)
        if options.landmarks and not decodes and options.assume_points is None:
            raise InputError(
                f"--dump-landmarks-csv: {network.path} answers {count} values, which no rule turns "
                "into points; --assume-points N says how many they are"
            )
        self._decoder = FaceMapDecoder.load() if decodes else None
        self._mesh = read_triangles(locate("tris_68_full.txt")) if options.mesh else None
        self._detector: Any = None
        if options.face_detect:
            from pyfaceau.detection.retinaface import RetinaFace

            self._detector = RetinaFace()

    def run(self, path: str | Path, folder: str | Path) -> list[Path]:
        """Process one picture or video.

        Parameters
        ----------
        path : str or Path
            The picture, video, or folder of pictures that is a video.
        folder : str or Path
            Where the files go.

        Returns
        -------
        list of Path
            What was written.

        Raises
        ------
        VideoError
            If it cannot be read.
        OutputError
            If a file cannot be written.
        WeightsError
            If the network does not run.
        """
        path, folder = Path(path), Path(folder)
        still = is_picture(path) and not path.is_dir()
        name = path.resolve().name if path.is_dir() else path.stem
        with ExitStack() as stack:
            kinds = ["raw"] * self._options.raw + ["landmarks"] * self._options.landmarks
            count = self._options.assume_points or 68
            tables = stack.enter_context(
                Tables(folder / "logs", name, kinds, count, self._options.npy)
            )
            if still:
                frame = Frame(read_picture(path), 0, 0.0)
                [answer] = self._answers([frame])
                tables.write(answer)
                overlay = folder / f"{name}_overlay.jpg"
                write_jpeg(overlay, self._drawn(frame.image, answer))
                pictures = [overlay]
            else:
                pictures = self._video(path, folder / f"{name}_overlay.mp4", tables)
            written = [*pictures, *tables.finish()]
        WrittenFiles(folder).note(written)
        return written

    def _video(self, path: Path, overlay: Path, tables: Tables) -> list[Path]:
        """Process a video's frames; write its overlay if asked for."""
        with ExitStack() as stack:
            source = stack.enter_context(open_frames(path))
            size = source.width, source.height
            marked = None
            if self._options.video:
                video = OverlayVideo(overlay, size, source.fps, Camera.for_size(*size))
                marked = stack.enter_context(video)
            for frame, answer in self._seen(source):
                tables.write(answer)
                if marked is not None:
                    marked.append(self._drawn(frame.image, answer))
            return [] if marked is None else [marked.finish()]

    def _answers(self, frames: Iterable[Frame]) -> Iterator[Answer]:
        return (answer for _, answer in self._seen(frames))

    def _seen(self, frames: Iterable[Frame]) -> Iterator[tuple[Frame, Answer]]:
        """Yield each frame with what the network says of it."""
        before: Float64 | None = None
        face: FaceBox | None = None
        for frame in frames:
            face, crop, reason = self._look(frame.image, face)
            if reason and self._options.skip_if_no_face:
                before = None
                yield frame, Answer(frame.index, "no_face", reason, crop)
                continue
            answer = self._answer(frame, crop, reason)
            before, answer = self._compared(before, answer)
            yield frame, answer

    def _look(self, image: UInt8, before: FaceBox | None) -> tuple[FaceBox | None, Crop, str]:
        """Return the face to follow, the crop, and why that is the whole picture."""
        if self._detector is None:
            return None, whole(image), ""
        boxes: Sequence[FaceBox] = self._detector.detect(image)
        if not boxes:
            return before, whole(image), "no face detected"
        if before is None:
            face = max(boxes, key=lambda box: box.width * box.height)
        else:
            last = before
            face = min(boxes, key=lambda box: _distance(box, last))
        return face, crop_from_box(face, self._options.margin), ""

    def _answer(self, frame: Frame, crop: Crop, reason: str) -> Answer:
        values = self._network(frame.image, crop)
        if not np.isfinite(values).all():
            bad = "the network answers NaN or infinity"
            return Answer(frame.index, "failed", bad, crop, values)
        status = "whole_picture" if reason else "ok"
        points, pose = self._points(values, crop)
        return Answer(frame.index, status, reason, crop, values, points, pose)

    def _points(self, values: Float32, crop: Crop) -> tuple[Float64 | None, Float64 | None]:
        """Return points in the picture and pose, where a rule gives them."""
        count = self._options.assume_points
        if count is not None:
            pairs = values[: 2 * count].reshape(count, 2).astype(np.float64)
            x0, y0, x1, y1 = crop
            size = np.array([x1 - x0 + 1, y1 - y0 + 1])
            return pairs * (size if self._options.assume_norm else size / SIDE) + (x0, y0), None
        if self._decoder is None or len(values) != VALUES:
            return None, None
        face = self._decoder(values, crop)
        return face.points, np.degrees(face.pose)

    def _compared(self, before: Float64 | None, now: Answer) -> tuple[Float64 | None, Answer]:
        """Mark a frame whose points have jumped; return what the next one is compared with."""
        if now.points is None:
            return None, now
        if before is not None:
            moved = float(np.hypot(*(now.points - before).T).mean())
            if moved > self._options.jump_threshold:
                reason = f"points moved by {moved:.1f} pixels since the last frame"
                now = Answer(now.index, "jump", reason, now.crop, now.values, now.points, now.pose)
        return now.points, now

    def _drawn(self, image: UInt8, answer: Answer) -> UInt8:
        options = self._options
        picture: UInt8 = image.copy()
        if options.face_detect and answer.status in ("ok", "jump"):
            draw_crop(picture, answer.crop, options.line_width)
        if answer.points is not None:
            draw_points(
                picture,
                answer.points,
                point_size=options.point_size,
                line_width=options.line_width,
                contours=options.contours,
                mesh=self._mesh,
            )
        return picture


def _distance(one: FaceBox, other: FaceBox) -> float:
    """Return how far apart the centres of two boxes are."""
    return math.hypot(
        one.x + one.width / 2 - other.x - other.width / 2,
        one.y + one.height / 2 - other.y - other.height / 2,
    )
