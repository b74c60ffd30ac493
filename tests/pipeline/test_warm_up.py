"""Compiling beforehand: the drawing is a face, and a video calls nothing else afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pyfaceau.cli.command import main
from pyfaceau.cli.warm_up import after_install
from pyfaceau.detection.mtcnn import MTCNN
from pyfaceau.detection.retinaface import RetinaFace
from pyfaceau.pipeline.compiling import drawn_face
from pyfaceau.pipeline.warm_up import MOST, STEPS, deep, workers

CALLED = """
import sys
from numba.core.dispatcher import Dispatcher
import gc
from pyfaceau import FullPythonAUPipeline
from pyfaceau.config import Config
from pyfaceau.pipeline.compiling import Stages
from pyfaceau.pipeline.warm_up import STEPS

def compiled():
    found = [one for one in gc.get_objects() if isinstance(one, Dispatcher)]
    return {(one.__module__, one.__name__, s) for one in found for s in one.overloads}

stages = Stages(Config.load(sys.argv[1]))
for step in STEPS.values():
    getattr(stages, step)()
before = compiled()
FullPythonAUPipeline(config=sys.argv[1]).process_video(sys.argv[2], max_frames=20)
for name in sorted(f"{m}.{n}" for m, n, _ in compiled() - before):
    print(name)
"""


@pytest.mark.parametrize("config", ["openface", "default", "fast"])
def test_a_video_calls_nothing_that_was_not_compiled(
    shared: Path, weights_dir: Path, config: str
) -> None:
    video = shared / "samples/video/single_face.mp4"
    command = [sys.executable, "-c", CALLED, config, str(video)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_compiling_process_is_prepared_before_numba_is_loaded() -> None:
    code = (
        "import sys; from pyfaceau.pipeline.warm_up import prepare; prepare()\n"
        "assert 'numba' not in sys.modules\n"
        "import numba; print(int(numba.config.OPT))"
    )
    environment = {key: value for key, value in os.environ.items() if key != "NUMBA_OPT"}
    command = [sys.executable, "-c", code]
    for level, given in (("1", environment), ("2", {**environment, "NUMBA_OPT": "2"})):
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=given)
        assert done.stdout.split() == [level]


def test_deep_calls_have_room_and_errors_pass() -> None:
    assert 2**19 < 8 * deep.__code__.co_stacksize < 2**20  # the next power of two has room
    depths = []

    def descend(left: int) -> None:
        depths.append(left)
        if left:
            descend(left - 1)

    deep(descend, 300)
    assert depths == list(range(300, -1, -1))
    with pytest.raises(ZeroDivisionError):
        deep(divmod, 1, 0)


def test_no_more_processes_than_have_something_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    assert workers(1) == 1
    assert workers(100) == len(STEPS)
    monkeypatch.setattr("pyfaceau.pipeline.warm_up.check_threads", lambda asked: asked or 64)
    assert workers(None) == MOST


def test_both_detectors_find_the_drawing(weights_dir: Path) -> None:
    for detector in (MTCNN().faces, RetinaFace().detect):
        (box,) = detector(drawn_face())
        assert box.score > 0.9
        assert (box.x + box.width / 2, box.y + box.height / 2) == pytest.approx((161, 130), abs=12)


def test_the_command_says_what_is_ready(weights_dir: Path) -> None:
    done = CliRunner().invoke(main, ["warm-up", "--config", "fast", "--processes", "1"])
    assert done.exit_code == 0, done.output
    assert "the first video starts at once" in done.output
    done = CliRunner().invoke(main, ["warm-up", "--processes", "0"])
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert "processes: expected 1 or more, got 0" in done.output
    done = CliRunner().invoke(main, ["warm-up", "--config", "nosuch"])
    assert done.exit_code == 1
    assert "nosuch" in done.output


def test_missing_models_are_said_in_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYFACEAU_WEIGHTS_DIR", str(tmp_path))
    done = CliRunner().invoke(main, ["warm-up", "--config", "fast", "--processes", "1"])
    assert done.exit_code == 1
    assert done.output.count("\n") == 1
    assert "pyfaceau weights install" in done.output


def test_installing_goes_on_where_nothing_can_be_compiled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYFACEAU_WEIGHTS_DIR", str(tmp_path))
    after_install(["openface"])
    said = capsys.readouterr()
    assert said.err.startswith("not compiled yet: ")
    assert said.err.count("\n") == 1
    after_install(["facemap"])  # no profile needs it
    assert capsys.readouterr() == ("", "")
