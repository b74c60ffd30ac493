"""The work on one video, as a worker process does it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyfaceau.config import Config
from pyfaceau.errors import InputError, OutputError, PyfaceauError, VideoError, WeightsError
from pyfaceau.media.selected import selected
from pyfaceau.media.video import VideoReader
from pyfaceau.models import weights
from pyfaceau.output.openface_csv import OpenFaceCSV
from pyfaceau.output.quality import Quality, QualityWriter, Watch
from pyfaceau.study.feature_writer import FeatureWriter
from pyfaceau.study.files import clear_parts
from pyfaceau.study.identity import file_sha256, stamp
from pyfaceau.study.worker import Tell
from pyfaceau.types import Float64, FrameResult

if TYPE_CHECKING:
    from pyfaceau.features.running_median import Calibration
    from pyfaceau.pipeline.video import FullPythonAUPipeline
    from pyfaceau.study.repredict import Repredictor

_KINDS: tuple[tuple[type[PyfaceauError], str], ...] = (
    (VideoError, "video"),
    (OutputError, "output"),
    (InputError, "input"),
    (WeightsError, "weights"),
)

_pipelines: dict[str, tuple[FullPythonAUPipeline, frozenset[Path]]] = {}
_repredictors: dict[str, Repredictor] = {}


def perform(task: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """Do a task.

    Parameters
    ----------
    task : mapping
        ``job`` is ``'video'`` (track a video: `source`, `config`, `neutral`, and the paths of
        `table`, `features` and `quality`, of which the first two may be None), ``'baseline'``
        (of `features`, a list of files, with `config` and `neutral`, a list of intervals: one
        neutral face, written to `baseline`) or ``'repredict'`` (`features` to `table` by
        `config`, `neutral` and `baseline`).
    tell : callable
        To be told the number of frames done.

    Returns
    -------
    dict
        Columns of the ledger.
    """
    began = time.perf_counter()
    outcome: dict[str, Any] = {
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "host": socket.gethostname(),
    }
    jobs = {"video": _video, "baseline": _baseline, "repredict": _repredict}
    try:
        jobs[task["job"]](task, tell, outcome)
    except PyfaceauError as error:
        kind = next((kind for family, kind in _KINDS if isinstance(error, family)), "error")
        outcome.update(state="failed", kind=kind, error=_line(str(error)))
        if kind == "video" and task.get("table"):
            Path(task["table"]).unlink(missing_ok=True)  # was of the file as it was before
    except MemoryError:
        outcome.update(state="failed", kind="memory", error="out of memory")
    except OSError as error:
        outcome.update(state="failed", kind="output", error=_line(str(error)))
    except Exception as error:  # noqa: BLE001 - one video's trouble, whatever it is, is reported
        problem = _line(f"{type(error).__name__}: {error}")
        outcome.update(state="failed", kind="error", error=problem)
    outcome["seconds"] = round(time.perf_counter() - began, 3)
    return outcome


def _video(task: Mapping[str, Any], tell: Tell, outcome: dict[str, Any]) -> None:
    """Track a video."""
    source = Path(task["source"])
    outcome["input_stamp"] = stamp(source) if source.is_file() else None
    table, features = _path(task["table"]), _path(task["features"])
    quality = Path(task["quality"])
    for path in (table, features, quality):
        if path is not None:
            clear_parts(path)
    with ExitStack() as stack:
        video = stack.enter_context(
            VideoReader(source, **Config.from_table(task["config"]).opening)
        )
        outcome["input_sha256"] = file_sha256(source)
        facts = {
            "codec": video.codec,
            "rotation": video.rotation,
            "fps": video.fps,
            "width": video.width,
            "height": video.height,
            "aspect": str(video.aspect),
        }
        outcome.update({name: value for name, value in facts.items() if name != "aspect"})
        pipeline, used = _pipeline(task["config"])
        outcome["weights"] = {_model_name(path): file_sha256(path) for path in sorted(used)}
        pipeline.calibrate(_calibration(task["neutral"]))
        frames = selected(video, Config.from_table(task["config"]).selection)
        watch = Watch(frames)
        audit = stack.enter_context(QualityWriter(quality, frames.fps, float(video.aspect)))
        cache = None
        if features:
            sides = bool(task["config"].get("split_face"))
            cache = stack.enter_context(FeatureWriter(features, sides))
        facts["sha256"] = outcome["input_sha256"]
        results = _tapped(pipeline, watch, audit, cache, facts, tell)
        try:
            if table is None:
                for _ in results:
                    pass
            else:
                header = task["config"].get("header", "openface")
                file = OpenFaceCSV(table, layout=pipeline.layout, header=header)
                _write(results, stack.enter_context(file), pipeline)
        finally:
            outcome.update(_said(audit.quality))
            said = [outcome["warnings"], *video.remarks]
            outcome["warnings"] = "; ".join(filter(None, said))
    if stamp(source) != outcome["input_stamp"]:
        raise VideoError(f"{source}: was changed while it was read")
    outcome.update(state="tracked", features=int(cache is not None))
    if table is not None:
        _finished(table, outcome)


def _write(
    results: Iterator[FrameResult], table: OpenFaceCSV, pipeline: FullPythonAUPipeline
) -> None:
    """Write a table; of a video that breaks off, what there is of it."""

    def units() -> tuple[Float64, ...]:
        return pipeline.action_units(table.rows) if pipeline.layout.at_end else ()

    try:
        for result in results:
            table.write(result)
    except VideoError as error:
        path = table.finish(*units(), partial=True)
        message = f"{error}; the {table.rows} rows before are in {path.name}"
        raise VideoError(message) from error
    table.finish(*units())


def _tapped(
    pipeline: FullPythonAUPipeline,
    video: Watch,
    audit: QualityWriter,
    cache: FeatureWriter | None,
    facts: Mapping[str, Any],
    tell: Tell,
) -> Iterator[FrameResult]:
    """Yield the pipeline's results; complete quality and features before the last is through."""
    cuts: list[int] = []
    for result in pipeline.results(video):
        if "cut" in result.marks:
            cuts.append(result.index)
        audit.write(result, result.index in video.repeated)
        if cache is not None:
            cache.write(result)
        tell(result.index + 1)
        yield result
    if cache is not None:
        cache.finish({**facts, "cuts": cuts})
    audit.finish()


def _baseline(task: Mapping[str, Any], tell: Tell, outcome: dict[str, Any]) -> None:
    """Find the neutral face of a person."""
    from pyfaceau.study.repredict import share_baseline

    predictor = _repredictor(task["config"])
    files = [Path(path) for path in task["features"]]
    share_baseline(predictor, files, task["neutral"], tell).save(Path(task["baseline"]))
    outcome["state"] = "done"


def _repredict(task: Mapping[str, Any], tell: Tell, outcome: dict[str, Any]) -> None:
    """Predict action units again."""
    predictor = _repredictor(task["config"])
    table = Path(task["table"])
    clear_parts(table)
    predictor.write(Path(task["features"]), table, task["neutral"], _path(task["baseline"]), tell)
    _finished(table, outcome)


def _finished(table: Path, outcome: dict[str, Any]) -> None:
    outcome.update(state="done", kind="", error="")
    outcome.update(table_sha256=weights.sha256(table), table_size=table.stat().st_size)


def _said(quality: Quality) -> dict[str, Any]:
    """Return columns of the ledger."""
    return {
        "frames": quality.frames,
        "tracked": quality.tracked,
        "failed": quality.frames - quality.tracked,
        "reasons": quality.reasons,
        "usable": round(quality.usable_share, 4),
        "quality": {**quality.counts, "dropped": quality.dropped},
        "warnings": "; ".join(quality.warnings()),
    }


def _pipeline(config: Mapping[str, Any]) -> tuple[FullPythonAUPipeline, frozenset[Path]]:
    """Return the pipeline of some settings and the model files that it opened."""
    key = repr(config)
    if key not in _pipelines:
        from pyfaceau.pipeline.video import FullPythonAUPipeline

        weights.forget_opened()
        # One thread: as many videos as there are cores keep them all busy.
        pipeline = FullPythonAUPipeline(config=Config.from_table(config), threads=1)
        _pipelines[key] = pipeline, weights.opened()
    return _pipelines[key]


def _calibration(neutral: str) -> Calibration | None:
    if not neutral:
        return None
    from pyfaceau.features.neutral import IntervalMedian

    return IntervalMedian.parse(neutral)


def _repredictor(config: Mapping[str, Any]) -> Repredictor:
    key = repr(config)
    if key not in _repredictors:
        from pyfaceau.study.repredict import Repredictor

        _repredictors[key] = Repredictor(Config.from_table(config))
    return _repredictors[key]


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _model_name(path: Path) -> str:
    """Return a model file's path within the weights folder, or its whole path."""
    folder = weights.weights_dir()
    return path.relative_to(folder).as_posix() if folder in path.parents else str(path)


def _line(text: str) -> str:
    return " ".join(text.split())
