"""Encode a face in the ways that people's videos are, and see what becomes of it.

    python -m validation.inputs

writes ``validation/results/inputs.md``: for each container, codec and pixel format whether all
frames come, how far pixels and landmarks are from the original's, and what was refused.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import cast

import av
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pyfaceau.errors import PyfaceauError
from pyfaceau.media.video import VideoReader
from pyfaceau.pipeline.video import FullPythonAUPipeline
from validation import report
from validation.provenance import RESULTS, provenance
from validation.reference import SHARED

WHAT_IS_WHAT = """Profile default. Levels: mean distance of 8-bit samples from the original.
Landmarks: mean distance per axis, % of the distance of the outer eye corners.
"""

Images = list[NDArray[np.uint8]]
FRAMES = 24
POINTS = [f"{axis}_{k}" for axis in "xy" for k in range(68)]
_FIELDS = {"flags": "+ilme+ildct"}
_QUIET = {"x265-params": "log-level=none"}


@dataclass(frozen=True)
class Case:
    """One way to write a video.

    Attributes
    ----------
    what : str
        What is special.
    suffix, codec, pixels : str
        Container, encoder, pixel format.
    rate : int
        Frames per second.
    options : dict of str
        The encoder's.
    streams : int
        Video streams; those after the first are upside down.
    crop : tuple of int
        Height and width; 0 for all.
    frames : int
        How many.
    turned : int
        Quarter turns that the file's rotation undoes.
    """

    what: str
    suffix: str
    codec: str
    pixels: str = "yuv420p"
    rate: int = 30
    options: dict[str, str] = field(default_factory=dict)
    streams: int = 1
    crop: tuple[int, int] = (0, 0)
    frames: int = FRAMES
    turned: int = 0


CASES = (
    *(Case("H.264", suffix, "libx264") for suffix in ("mp4", "mov", "mkv", "avi", "ts", "flv")),
    *(Case("HEVC", suffix, "libx265", options=_QUIET) for suffix in ("mp4", "mov", "mkv")),
    Case("HEVC, 10 bit", "mov", "libx265", "yuv420p10le", options=_QUIET),
    Case("H.264, 10 bit", "mp4", "libx264", "yuv420p10le"),
    Case("H.264, full range", "mp4", "libx264", "yuvj420p"),
    Case("H.264, 4:4:4", "mp4", "libx264", "yuv444p"),
    Case("MPEG-4", "avi", "mpeg4"),
    Case("MPEG-2", "mpg", "mpeg2video"),
    Case("Motion JPEG", "avi", "mjpeg", "yuvj420p"),
    Case("uncompressed", "avi", "rawvideo", "bgr24"),
    Case("WMV 7", "wmv", "wmv1"),
    Case("WMV 8", "wmv", "wmv2"),
    Case("VP8", "webm", "libvpx"),
    Case("VP9", "webm", "libvpx-vp9"),
    Case("AV1", "mp4", "libsvtav1"),
    Case("AV1, 10 bit", "mkv", "libsvtav1", "yuv420p10le"),
    Case("ProRes, 10 bit", "mov", "prores_ks", "yuv422p10le"),
    Case("ProRes, alpha", "mov", "prores_ks", "yuva444p10le"),
    Case("GIF", "gif", "gif", "rgb8"),
    Case("animated PNG", "apng", "apng", "rgb24"),
    Case("gray", "mp4", "libx264", "gray"),
    Case("gray, 16 bit", "mkv", "ffv1", "gray16le"),
    Case("alpha", "mkv", "ffv1", "bgra"),
    Case("interlaced", "mp4", "libx264", options=_FIELDS),
    Case("interlaced", "mpg", "mpeg2video", options=_FIELDS),
    Case("odd size", "mkv", "ffv1", "bgr0", crop=(359, 637)),
    Case("two video streams", "mkv", "libx264", streams=2),
    *(Case(f"rotated by {90 * k} degrees", "mp4", "libx264", turned=k) for k in (1, 2, 3)),
    Case("one frame", "mp4", "libx264", frames=1),
    Case("two frames", "mp4", "libx264", frames=2),
    Case("5 frames/s", "mp4", "libx264", rate=5),
    Case("240 frames/s", "mp4", "libx264", rate=240),
    Case("animated WebP", "webp", "libwebp_anim", "bgra"),
)


def encode(case: Case, images: Images, path: Path) -> None:
    """Write a video.

    Parameters
    ----------
    case : Case
        How.
    images : list of (H, W, 3) uint8
        BGR.
    path : Path
        Where to.
    """
    with av.open(str(path), "w") as container:
        streams = []
        for _ in range(case.streams):
            stream = cast(
                "av.VideoStream",
                container.add_stream(case.codec, rate=case.rate, options=case.options),
            )
            stream.height, stream.width = images[0].shape[:2]
            stream.pix_fmt = case.pixels
            streams.append(stream)
        for index, image in enumerate(images):
            for number, stream in enumerate(streams):
                picture = image if number == 0 else np.ascontiguousarray(image[::-1])
                frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
                frame.pts, frame.time_base = index, Fraction(1, case.rate)
                container.mux(stream.encode(frame))
        for stream in streams:
            container.mux(stream.encode(None))


def turn(path: Path, quarters: int) -> None:
    """Give an MP4 file the display matrix that turns it clockwise.

    Parameters
    ----------
    path : Path
        The file.
    quarters : int
        Quarter turns, 1 to 3.
    """
    cos, sin = ((0, 1), (-1, 0), (0, -1))[quarters - 1]
    values = [cos << 16, sin << 16, 0, -sin << 16, cos << 16, 0, 0, 0, 1 << 30]
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 44
    data[at : at + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in values)
    path.write_bytes(data)


def try_case(
    case: Case, source: Images, truth: pd.DataFrame, pipeline: FullPythonAUPipeline, folder: Path
) -> list[str]:
    """Encode, read, track; return the line of the report.

    Parameters
    ----------
    case : Case
        What is tried.
    source : list of (H, W, 3) uint8
        The original.
    truth : DataFrame
        Its table.
    pipeline : FullPythonAUPipeline
        What makes tables.
    folder : Path
        For the file.

    Returns
    -------
    list of str
        What, container, codec, frames, pixel distance, faces, landmark distance.
    """
    height, width = case.crop
    expected = [image[: height or None, : width or None] for image in source[: case.frames]]
    path = folder / f"video.{case.suffix}"
    stored = [np.ascontiguousarray(np.rot90(image, case.turned)) for image in expected]
    encode(case, stored, path)
    if case.turned:
        turn(path, case.turned)
    line = [case.what, case.suffix, f"{case.codec} {case.pixels}"]
    try:
        with VideoReader(path) as video:
            got = [frame.image for frame in video]
        table = pipeline.process_video(path)
    except PyfaceauError as error:
        return [*line, "refused: " + str(error).removeprefix(f"{path}: "), "", "", ""]
    apart = [np.abs(a.astype(int) - b).mean() for a, b in zip(got, expected, strict=True)]
    rows = truth.iloc[: len(table)]
    eyes = np.hypot(rows["x_36"] - rows["x_45"], rows["y_36"] - rows["y_45"]).mean()
    away = (table[POINTS] - rows[POINTS]).abs().to_numpy().mean() / eyes
    found = int(table["success"].sum())
    return [
        *line,
        f"{len(got)}/{len(expected)}",
        report.number(float(np.mean(apart)), 1),
        f"{found}/{len(table)}",
        report.number(100 * float(away), 2),
    ]


def main(arguments: list[str] | None = None) -> int:
    """Parse, run, write the report; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m validation.inputs", description=__doc__)
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of the samples")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the report goes")
    options = parser.parse_args(arguments)
    with VideoReader(options.shared / "samples/video/single_face.mp4") as video:
        source = [frame.image.copy() for frame in islice(video, FRAMES)]
    pipeline = FullPythonAUPipeline()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        encode(Case("", "mkv", "ffv1", "bgr0"), source, folder / "original.mkv")
        truth = pipeline.process_video(folder / "original.mkv")
        lines = [try_case(case, source, truth, pipeline, folder) for case in CASES]
    header = ["input", "file", "encoder", "frames", "levels off", "faces", "landmarks off, %"]
    parts = [
        report.heading("Inputs", provenance("python -m validation.inputs")),
        WHAT_IS_WHAT,
        report.table(header, lines),
    ]
    options.results.mkdir(parents=True, exist_ok=True)
    target = options.results / "inputs.md"
    target.write_text("\n".join(parts), encoding="utf-8")
    sys.stdout.write(f"{target}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
