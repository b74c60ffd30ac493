"""Compare still pictures and several faces with the reference program's tables, string for string.

    python -m validation.faces

writes ``validation/results/faces.md``. The exit status says whether every string is the
reference's (gaze within 3e-4). For ``--identities`` the report says how many rows have the number
of the person they show; who is who in ``multi_face.avi`` was seen by eye.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from pyfaceau.config import Config
from pyfaceau.output.openface_csv import GROUPS
from pyfaceau.pipeline.multi import MultiFacePipeline
from pyfaceau.pipeline.stills import PicturePipeline
from validation import report
from validation.provenance import RESULTS, provenance
from validation.reference import SHARED

GAZE_BAR = 3e-4
KINDS = ("meta", *GROUPS)
_KIND = {name: kind for kind, columns in GROUPS.items() for name, _ in columns}

PEOPLE: dict[int, tuple[tuple[int, str], ...]] = {
    0: ((1, "A"),),
    1: ((1, "B"), (409, "C"), (521, "B")),
    2: ((1, "C"), (393, "B"), (521, "C")),
    3: ((1, "C"), (441, "B"), (449, "C"), (473, "B"), (489, "C"), (545, "B"), (633, "C")),
}
"""The three people of ``multi_face.avi`` by slot: from which frame on a slot follows whom."""


@dataclass
class Strings:
    """Unequal strings of a table, and all, by group of columns; largest distance of unequal ones.

    Attributes
    ----------
    rows : int
        Rows of the reference.
    whole : bool
        Header and number of rows are the reference's.
    unequal, total : Counter
        Strings by group.
    away : float
        Largest distance among unequal gaze vectors and angles.
    """

    rows: int
    whole: bool
    unequal: Counter[str] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)
    away: float = 0.0

    def good(self) -> bool:
        """Tell whether the bar holds."""
        others = sum(n for kind, n in self.unequal.items() if kind != "gaze")
        return self.whole and others == 0 and self.away <= GAZE_BAR

    def cells(self) -> list[str]:
        """Return the line of the report."""
        return [f"{self.unequal[kind]}/{self.total[kind]}" for kind in KINDS]


def compare(reference: Path, output: Path) -> Strings:
    """Compare two tables by the strings written.

    Parameters
    ----------
    reference, output : Path
        The tables, the first compressed.

    Returns
    -------
    Strings
        The counts.
    """
    with gzip.open(reference, "rt", encoding="ascii") as file:
        expected = [line.rstrip("\n").split(", ") for line in file]
    got = [line.split(", ") for line in output.read_text(encoding="ascii").splitlines()]
    header = expected[0]
    result = Strings(len(expected) - 1, got[0] == header and len(got) == len(expected))
    for row, other in zip(expected[1:], got[1:], strict=False):
        for name, one, two in zip(header, row, other, strict=False):
            kind = _KIND.get(name, "meta")
            result.total[kind] += 1
            if one != two:
                result.unequal[kind] += 1
                if kind == "gaze":
                    result.away = max(result.away, abs(float(one) - float(two)))
    return result


def person(slot: int, frame: int) -> str:
    """Return who a slot of the reference follows in a frame."""
    return [who for start, who in PEOPLE[slot] if start <= frame][-1]


def trust(slots: Path, named: Path) -> tuple[int, int, int]:
    """Count the accepted rows that have their person's number.

    Parameters
    ----------
    slots, named : Path
        The table by slots, the same video's table by people.

    Returns
    -------
    right, rows, numbers : int
        A person's number is the one that most of their rows have.
    """

    def read(path: Path) -> list[dict[str, str]]:
        with path.open(encoding="ascii") as file:
            return list(csv.DictReader(file, skipinitialspace=True))

    who = {
        (row["frame"], row["x_30"], row["y_30"]): person(int(row["face_id"]), int(row["frame"]))
        for row in read(slots)
    }
    rows = [row for row in read(named) if row["success"] == "1"]
    pairs = Counter((who[row["frame"], row["x_30"], row["y_30"]], row["face_id"]) for row in rows)
    right = sum(max(n for (p, _), n in pairs.items() if p == one) for one in "ABC")
    return right, len(rows), len({number for _, number in pairs})


def measure(shared: Path, folder: Path) -> tuple[dict[str, Strings], list[list[str]]]:
    """Run all pictures and the video.

    Parameters
    ----------
    shared : Path
        Samples and reference.
    folder : Path
        Where tables go.

    Returns
    -------
    dict of Strings
        By name.
    list of list of str
        How well people keep their number.
    """
    found = {}
    pictures = PicturePipeline("openface")
    for reference in sorted((shared / "reference/image").glob("*.csv.gz")):
        name = reference.name.removesuffix(".csv.gz")
        done = pictures.write_csv(shared / f"samples/image/{name}.jpg", folder / f"{name}.csv")
        found[name] = compare(reference, done.path)
    video = shared / "samples/video/multi_face.avi"
    settings = Config.load("openface")
    slots = MultiFacePipeline(settings).write_csv(video, folder / "slots.csv").path
    found["multi_face"] = compare(shared / "reference/multi/multi_face.csv.gz", slots)
    people = MultiFacePipeline(replace(settings, identities=True))
    named = people.write_csv(video, folder / "people.csv", ["2Dfp"]).path
    numbers = []
    for title, table in (("slots", slots), ("--identities", named)):
        right, rows, count = trust(slots, table)
        numbers.append([title, f"{right}/{rows}", f"{100 * right / rows:.1f} %", str(count)])
    return found, numbers


def main(arguments: list[str] | None = None) -> int:
    """Parse, run, write the report; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m validation.faces", description=__doc__)
    parser.add_argument("--shared", type=Path, default=SHARED, help="folder of the reference")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the report goes")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        found, numbers = measure(options.shared, Path(folder))
    rows = [[name, str(s.rows), *s.cells(), f"{s.away:.1e}"] for name, s in found.items()]
    parts = [
        report.heading("Pictures and several faces", provenance("python -m validation.faces")),
        "Unequal strings of all strings, by group of columns.\n",
        report.table(["table", "rows", *KINDS, "gaze, largest"], rows),
        "## Whose rows\n\nAccepted rows of multi_face with the number of the person they show.\n",
        report.table(["face_id", "right", "", "numbers for three people"], numbers),
    ]
    options.results.mkdir(parents=True, exist_ok=True)
    target = options.results / "faces.md"
    target.write_text("\n".join(parts), encoding="utf-8")
    sys.stdout.write(f"{target}\n")
    return 0 if all(strings.good() for strings in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
