"""What a run has to do: what is missing, what has changed, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyfaceau import __version__
from pyfaceau.config import Config
from pyfaceau.models.weights import weights_dir
from pyfaceau.study.files import FEATURES, QUALITY, TABLE, baseline_path, output_path
from pyfaceau.study.identity import config_table, digest, file_sha256, stamp

FINAL_KINDS = frozenset({"video", "time"})
"""Errors that are the video's own: they are not tried again until something changes."""

MEDIAN = "running median"


@dataclass(frozen=True)
class Wanted:
    """How a run's videos are to be processed.

    Attributes
    ----------
    config : Config
        The profile.
    keep_features : bool
        Keep feature files.
    neutral : str
        Interval with a neutral face, for videos that declare none of their own; empty for none.
    baselines : tuple of str
        Subjects whose videos share one baseline.
    """

    config: Config = field(default_factory=Config)
    keep_features: bool = False
    neutral: str = ""
    baselines: tuple[str, ...] = ()

    @property
    def config_sha256(self) -> str:
        """Checksum of the profile."""
        return digest(config_table(self.config))

    def shares(self, row: Mapping[str, Any]) -> bool:
        """Tell whether a video takes its subject's baseline.

        Parameters
        ----------
        row : mapping
            The video's row of the ledger.

        Returns
        -------
        bool
            Whether its subject is one of `baselines`.
        """
        return bool(row["subject"]) and row["subject"] in self.baselines

    def interval(self, row: Mapping[str, Any]) -> str:
        """Return the interval with a neutral face of a video.

        Parameters
        ----------
        row : mapping
            The video's row of the ledger.

        Returns
        -------
        str
            Its own, else the run's; empty for none.
        """
        return str(row["neutral"]) or self.neutral

    def calibration(self, row: Mapping[str, Any]) -> str:
        """Return the calibration of a video that shares no baseline, as the ledger has it.

        Parameters
        ----------
        row : mapping
            The video's row of the ledger.

        Returns
        -------
        str
            In words.
        """
        interval = self.interval(row)
        return f"neutral {interval}" if interval else MEDIAN


@dataclass(frozen=True)
class Step:
    """A task for one video.

    Attributes
    ----------
    name : str
        The video's name in the study.
    why : str
        Why it is to be done.
    task : dict
        What the worker is told.
    """

    name: str
    why: str
    task: dict[str, Any]

    @property
    def size(self) -> int:
        """Bytes of what is to be read, as a measure of the work."""
        try:
            return Path(self.task.get("source") or self.task["features"]).stat().st_size
        except OSError:
            return 0


class Planner:
    """Compares the ledger and the files with what is wanted.

    Parameters
    ----------
    out : Path
        The study's output folder.
    wanted : Wanted
        How videos are to be processed.
    weights : mapping
        Sets of model files in the ledger: checksum to checksums by name.
    force : bool
        Process failed videos again, whatever they failed of.
    """

    def __init__(
        self,
        out: Path,
        wanted: Wanted,
        weights: Mapping[str, Mapping[str, str]],
        force: bool = False,
    ) -> None:
        self.out, self.wanted, self._force = out, wanted, force
        self._weights = weights
        self._changed: dict[str, str] = {}
        self._config_sha256 = wanted.config_sha256
        self._config = config_table(wanted.config)

    def step(self, row: Mapping[str, Any]) -> Step | None:
        """Return what is to be done for a video by itself, if anything.

        Parameters
        ----------
        row : mapping
            The video's row of the ledger.

        Returns
        -------
        Step or None
            None where all is as wanted, or waits for the subject's baseline.
        """
        name = row["name"]
        why = self._stale(row)
        if why:
            return Step(name, why, self.video_task(row))
        if row["state"] == "failed" or self.wanted.shares(row):
            return None
        why = self.table_stale(row, self.wanted.calibration(row))
        if why is None:
            return None
        if row["features"]:
            return Step(name, why, self.repredict_task(row))
        return Step(name, why, self.video_task(row))

    def video_task(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the task of tracking a video.

        Parameters
        ----------
        row : mapping
            The video's row of the ledger.

        Returns
        -------
        dict
            See `pyfaceau.study.job.perform`.
        """
        name, shares = row["name"], self.wanted.shares(row)
        keep = shares or self.wanted.keep_features
        return {
            "job": "video",
            "source": str(row["source"]),
            "config": self._config,
            "neutral": "" if shares else self.wanted.interval(row),
            "table": None if shares else str(output_path(self.out, name, TABLE)),
            "features": str(output_path(self.out, name, FEATURES)) if keep else None,
            "quality": str(output_path(self.out, name, QUALITY)),
        }

    def repredict_task(
        self, row: Mapping[str, Any], baseline: Path | None = None
    ) -> dict[str, Any]:
        """Return the task of predicting a video's action units again.

        Parameters
        ----------
        row : mapping
            The video's row of the ledger.
        baseline : Path, optional
            Of its subject.

        Returns
        -------
        dict
            See `pyfaceau.study.job.perform`.
        """
        name = row["name"]
        return {
            "job": "repredict",
            "config": self._config,
            "features": str(output_path(self.out, name, FEATURES)),
            "table": str(output_path(self.out, name, TABLE)),
            "neutral": "" if baseline else self.wanted.interval(row),
            "baseline": str(baseline) if baseline else None,
        }

    def baseline_task(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return the task of finding a subject's baseline.

        Parameters
        ----------
        rows : sequence of mapping
            Rows of the subject's videos, whose features are kept.

        Returns
        -------
        dict
            See `pyfaceau.study.job.perform`.
        """
        return {
            "job": "baseline",
            "config": self._config,
            "features": [str(output_path(self.out, row["name"], FEATURES)) for row in rows],
            "neutral": [self.wanted.interval(row) for row in rows],
            "baseline": str(baseline_path(self.out, rows[0]["subject"])),
        }

    def baseline_name(self, rows: Sequence[Mapping[str, Any]]) -> str:
        """Return a subject's baseline as the ledger has it.

        Parameters
        ----------
        rows : sequence of mapping
            Rows of the subject's videos, whose features are kept.

        Returns
        -------
        str
            Subject and a checksum of all that the baseline is made of.
        """
        made_of = sorted([row["input_sha256"], self.wanted.interval(row)] for row in rows)
        return f"baseline {rows[0]['subject']} {digest({'videos': made_of})[:16]}"

    def usable(self, row: Mapping[str, Any]) -> bool:
        """Tell whether a video's features are there and as wanted.

        Parameters
        ----------
        row : mapping
            The video's row of the ledger.

        Returns
        -------
        bool
            Whether they can go into a baseline.
        """
        return (
            row["state"] in ("tracked", "done")
            and bool(row["features"])
            and row["config_sha256"] == self._config_sha256
            and row["version"] == __version__
            and output_path(self.out, row["name"], FEATURES).is_file()
        )

    def table_stale(self, row: Mapping[str, Any], calibration: str) -> str | None:
        """Say what is wrong with a video's table.

        Parameters
        ----------
        row : mapping
            The video's row of the ledger.
        calibration : str
            As wanted.

        Returns
        -------
        str or None
            A clause; None where nothing is.
        """
        table = output_path(self.out, row["name"], TABLE)
        if row["state"] == "tracked":
            return "action units missing"
        if row["calibration"] != calibration:
            return f"calibration changed from {row['calibration']} to {calibration}"
        if not table.is_file():
            return "table missing"
        if table.stat().st_size != row["table_size"]:
            return "table changed"
        return None

    def _stale(self, row: Mapping[str, Any]) -> str | None:
        """Say why a video must be tracked (again), if it must."""
        if row["state"] == "pending":
            return str(row["why"])
        if row["state"] == "running":
            return "interrupted"
        changed = self._input_changed(row) or self._settings_changed(row)
        if changed:
            return changed
        if row["state"] == "failed":
            again = self._force or row["kind"] not in FINAL_KINDS
            return f"failed before: {row['error']}" if again else None
        return self._features_stale(row)

    def _features_stale(self, row: Mapping[str, Any]) -> str | None:
        """Say that a video's features are missing, if they are and matter."""
        keep = self.wanted.keep_features or self.wanted.shares(row)
        has = row["features"] and output_path(self.out, row["name"], FEATURES).is_file()
        lost = row["features"] and not has
        if (keep and not has) or (lost and self.table_stale(row, row["calibration"])):
            return "features missing"
        return None

    def _input_changed(self, row: Mapping[str, Any]) -> str | None:
        source: Path = row["source"]
        if not source.is_file() or row["input_stamp"] == stamp(source):
            return None
        return None if row["input_sha256"] == file_sha256(source) else "input changed"

    def _settings_changed(self, row: Mapping[str, Any]) -> str | None:
        if row["config_sha256"] != self._config_sha256:
            return "config changed"
        if row["version"] != __version__:
            return f"version changed from {row['version']} to {__version__}"
        return self._weights_changed(row["weights_sha256"])

    def _weights_changed(self, digest: str | None) -> str | None:
        """Say which model file of a set is another one now."""
        if digest is None:
            return None
        if digest not in self._changed:
            self._changed[digest] = ""
            for name, expected in self._weights.get(digest, {}).items():
                file = weights_dir() / name
                if not file.is_file() or file_sha256(file) != expected:
                    self._changed[digest] = f"model file changed: {file.name}"
                    break
        return self._changed[digest] or None
