"""The text file that says what a table was made from, and what else was made with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pyfaceau.output.sink import Sink
from pyfaceau.output.target import Target
from pyfaceau.types import Camera, Frame, FrameResult

if TYPE_CHECKING:
    from pyfaceau.output.openface_csv import OpenFaceCSV

_GROUPS = (
    ("Gaze", "gaze"),
    ("AUs", "aus"),
    ("Landmarks 2D", "2Dfp"),
    ("Landmarks 3D", "3Dfp"),
    ("Pose", "pose"),
    ("Shape parameters", "pdmparams"),
)


class DetailsFile(Sink):
    """Writes OpenFace's ``NAME_of_details.txt``: input, camera, other files, groups of columns.

    Parameters
    ----------
    path : str or Path
        The file.
    source : Path
        The input.
    camera : Camera
        The camera reckoned with.
    others : sequence of (str, Path)
        Other files: what each is (``HOG``, ``video``, ``image``, ``aligned directory``), and where.
    table : OpenFaceCSV
        The table; named where it has a row.
    notes : sequence of str
        What is known of the input's pixels and clock; a line each behind OpenFace's.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """

    def __init__(
        self,
        path: str | Path,
        source: Path,
        camera: Camera,
        others: Sequence[tuple[str, Path]],
        table: OpenFaceCSV,
        notes: Sequence[str] = (),
    ) -> None:
        super().__init__(Target(path, (".txt",)))
        self._source = source
        self._camera = camera
        self._others = others
        self._table = table
        self._notes = notes
        self._turns: Counter[int] = Counter()

    def write(self, frame: Frame, faces: Sequence[FrameResult]) -> None:  # noqa: ARG002
        """Note by how much the frame was turned.

        Parameters
        ----------
        frame : Frame
            The frame.
        faces : sequence of FrameResult
            Not used.
        """
        self._turns[90 * frame.turn] += 1

    def _close(self) -> None:
        """Write it all."""
        camera, table = self._camera, self._table
        numbers = ",".join(f"{value:g}" for value in (camera.fx, camera.fy, camera.cx, camera.cy))
        lines = [
            f"Input:{self._source}",
            f"Input full path:{self._source.absolute()}",
            f"Camera parameters:{numbers}",
        ]
        lines += [f"Output {kind}:{self._named(path)}" for kind, path in self._others]
        if table.rows:
            lines.append(f"Output csv:{self._named(table.path)}")
            lines += [f"{name}: {int(group in table.groups)}" for name, group in _GROUPS]
        lines += [f"Note: {note}" for note in self._notes]
        lines += [
            f"Note: {count} frames were measured turned by {turn} degrees"
            for turn, count in sorted(self._turns.items())
            if turn
        ]
        self.target.part.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")

    def _named(self, path: Path) -> Path:
        """Return a file's name as seen from the folder of this one, if it is in there."""
        folder, path = self.target.path.parent.absolute(), path.absolute()
        return path.relative_to(folder) if folder in path.parents else path
