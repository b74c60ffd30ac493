"""The files that can be written beside a table, and how each is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pyfaceau.config import Lens
from pyfaceau.errors import OutputError
from pyfaceau.media.picture import FrameSource
from pyfaceau.output.aligned import Align, AlignedFaces, Crop
from pyfaceau.output.details import DetailsFile
from pyfaceau.output.hog_file import HogFile
from pyfaceau.output.sink import Sink
from pyfaceau.types import Camera

if TYPE_CHECKING:
    from pyfaceau.output.openface_csv import OpenFaceCSV


@dataclass(frozen=True)
class Origin:
    """What a table is made from.

    Attributes
    ----------
    path : Path
        The input.
    size : (int, int)
        Width and height, pixels.
    camera : Camera
        The camera reckoned with.
    fps : float
        Frames per second.
    still : bool
        A still picture.
    aspect : float
        Width over height of its stored pixels.
    notes : tuple of str
        What is known of its pixels and its clock, a clause each.
    """

    path: Path
    size: tuple[int, int]
    camera: Camera
    fps: float = 30.0
    still: bool = False
    aspect: float = 1.0
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, source: FrameSource, lens: Lens) -> Origin:
        """Return what is known of an open video or sequence.

        Parameters
        ----------
        source : FrameSource
            The source, or a part of it.
        lens : Lens
            Settings of the camera.

        Returns
        -------
        Origin
            Its size, rate, pixels and clock.
        """
        size = source.width, source.height
        return cls(
            source.path,
            size,
            lens.camera(*size),
            source.fps,
            aspect=float(source.aspect),
            notes=source.remarks,
        )


@dataclass(frozen=True)
class Outputs:
    """Files beside the table; None for those that are not wanted.

    Attributes
    ----------
    hog : Path or None
        Descriptors of the faces, see `HogFile`.
    aligned : Path or None
        Folder of aligned faces, see `AlignedFaces`.
    crop : Crop
        Size and style of the aligned faces.
    tracked : Path or None
        Video or picture in which faces are marked, see `OverlayVideo` and `OverlayPicture`.
    details : Path or None
        What the table was made from, see `DetailsFile`.
    quality : Path or None
        What speaks against each frame of a video, see `QualityFile`.
    also : tuple of callable
        Sinks of one's own: each is called with the `Origin` of an input and returns one.
    """

    hog: Path | None = None
    aligned: Path | None = None
    crop: Crop = field(default_factory=Crop)
    tracked: Path | None = None
    details: Path | None = None
    quality: Path | None = None
    also: tuple[Callable[[Origin], Sink], ...] = ()

    @property
    def features(self) -> bool:
        """Whether faces are to be aligned and described even where no action unit is asked for."""
        return self.hog is not None or self.aligned is not None

    @contextmanager
    def opened(
        self, origin: Origin, table: OpenFaceCSV, align: Align
    ) -> Iterator[tuple[Sink, ...]]:
        """Open the files for one input, in a ``with`` statement.

        Parameters
        ----------
        origin : Origin
            The input.
        table : OpenFaceCSV
            The table.
        align : callable
            Aligns a face, see `AlignedFaces`.

        Yields
        ------
        tuple of Sink
            To be written and finished; nothing is left of those that are not finished.

        Raises
        ------
        OutputError
            If one of them cannot be written or is the input itself.
        """
        named = {
            "HOG": self.hog,
            "image" if origin.still else "video": self.tracked,
            "aligned directory": self.aligned,
        }
        others = [(kind, path) for kind, path in named.items() if path is not None]
        for _, path in others:
            if path.exists() and path.samefile(origin.path):
                raise OutputError(f"{path}: is the input itself")
        with ExitStack() as stack:
            sinks: list[Sink] = []
            if self.hog is not None:
                sinks.append(stack.enter_context(HogFile(self.hog)))
            if self.aligned is not None:
                faces = AlignedFaces(self.aligned, self.crop, align, origin.still)
                sinks.append(stack.enter_context(faces))
            if self.tracked is not None:
                sinks.append(stack.enter_context(_overlay(self.tracked, origin)))
            if self.details is not None:
                about = DetailsFile(
                    self.details, origin.path, origin.camera, others, table, origin.notes
                )
                sinks.append(stack.enter_context(about))
            if self.quality is not None and not origin.still:
                from pyfaceau.output.quality_sink import QualityFile

                sinks.append(
                    stack.enter_context(QualityFile(self.quality, origin.fps, origin.aspect))
                )
            sinks += [stack.enter_context(make(origin)) for make in self.also]
            yield tuple(sinks)


def _overlay(path: Path, origin: Origin) -> Sink:
    from pyfaceau.output.overlay import OverlayPicture, OverlayVideo

    if origin.still:
        return OverlayPicture(path, origin.camera)
    return OverlayVideo(path, origin.size, origin.fps, origin.camera)
