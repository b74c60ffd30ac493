"""The command: arguments, messages of one line, exit codes, what is left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time

import pytest
from click.testing import CliRunner

from pyfaceau.cli.command import GROUP_HELP, main
from pyfaceau.cli.running import INTERRUPTED
from pyfaceau.output.openface_csv import GROUPS, read_table
from tests.pipeline.test_video import Drifting
from tests.video_files import cut, pictures, write_audio, write_video


@pytest.fixture
def run(weights_dir, tmp_path, monkeypatch):
    """Return a function that runs the command in an empty folder."""
    assert weights_dir.is_dir()
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(main, [str(word) for word in arguments])


@pytest.fixture
def face(monkeypatch):
    """Put a face into every frame."""
    monkeypatch.setattr("pyfaceau.pipeline.video.make_tracker", lambda *_: Drifting())


def one_line(result) -> str:
    assert result.exit_code == 1
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    return line


def test_options_of_openface_are_the_groups_of_the_table():
    assert set(GROUP_HELP) == set(GROUPS)


def test_one_video_into_one_table(run, face, tmp_path):
    write_video(tmp_path / "a.mp4", pictures(5))
    result = run("a.mp4", "-o", "out/a.csv")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == "out/a.csv: 5 frames, 5 with a face\n"
    assert len(read_table("out/a.csv")) == 5
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.csv"]


def test_groups_and_time_stamps(run, face, tmp_path):
    write_video(tmp_path / "a.mp4", pictures(3), ticks=[0, 100, 1000])
    assert run("-pose", "a.mp4", "-2Dfp", "--out-dir", "x").exit_code == 0
    table = read_table("x/a.csv")
    assert list(table.columns[5:]) == [n for group in ("pose", "2Dfp") for n, _ in GROUPS[group]]
    assert table["timestamp"].tolist() == [0, 0.1, 1]
    assert run("a.mp4", "-pose", "--fixed-fps", "-out_dir", "x").exit_code == 0
    assert read_table("x/a.csv")["timestamp"].diff()[1:].round(2).nunique() == 1


def test_a_video_without_face_is_no_failure(run, tmp_path):
    write_video(tmp_path / "a.mp4", pictures(5))
    result = run("a.mp4", "-o", "a.csv")
    assert result.exit_code == 0
    assert result.stdout == "a.csv: 5 frames, 0 with a face\n"
    assert read_table("a.csv")["success"].sum() == 0


def test_a_batch_goes_on_after_bad_files(run, face, tmp_path):
    write_video(tmp_path / "good.mp4", pictures(4))
    (tmp_path / "text.mp4").write_text("no video")
    write_audio(tmp_path / "sound.mp4")
    write_video(tmp_path / "fine.mp4", pictures(4))
    names = ["text.mp4", "good.mp4", "sound.mp4", "missing.mp4", "fine.mp4"]
    result = run(*names, "--out-dir", "tables")
    assert result.exit_code == 1
    assert sorted(path.name for path in (tmp_path / "tables").iterdir()) == ["fine.csv", "good.csv"]
    assert "Traceback" not in result.output
    listed = result.stderr.partition("3 of 5 inputs failed:\n")[2].splitlines()
    assert [line.split(":")[0].strip() for line in listed] == [
        "text.mp4",
        "sound.mp4",
        "missing.mp4",
    ]


def test_an_unexpected_error_is_one_line_and_the_batch_goes_on(run, monkeypatch, tmp_path):
    class Broken(Drifting):
        def update(self, frame):
            """Fail on one video's size."""
            if frame.image.shape[1] == 128:
                raise ZeroDivisionError("first\nsecond")
            return super().update(frame)

    monkeypatch.setattr("pyfaceau.pipeline.video.make_tracker", lambda *_: Broken())
    write_video(tmp_path / "a.mp4", pictures(2, 128, 96))
    write_video(tmp_path / "b.mp4", pictures(2))
    result = run("a.mp4", "b.mp4", "--out-dir", ".")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == "Error: a.mp4: ZeroDivisionError: first second"
    assert len(read_table("b.csv")) == 2
    assert isinstance(run("a.mp4", "--debug").exception, ZeroDivisionError)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.mp4", None, "Error: missing.mp4: no such file"),
        ("empty.mp4", b"", "Error: empty.mp4: expected a video file, got 0 bytes"),
        ("text.mp4", b"text " * 99, "Error: text.mp4: cannot be read as a video: Invalid data"),
        ("noise.avi", bytes(range(256)) * 9, "Error: noise.avi: cannot be read as a video: Inv"),
    ],
)
def test_what_is_no_video_is_one_line(run, tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert one_line(run(name, "-o", "out.csv")).startswith(message)
    assert not (tmp_path / "out.csv").exists()


def test_a_truncated_video_leaves_a_partial_table_and_fails(run, face, tmp_path):
    cut(write_video(tmp_path / "a.avi", pictures(40, 320, 240)), 0.6)
    line = one_line(run("a.avi", "-o", "out.csv"))
    rows = len(read_table("out.partial.csv"))
    assert rows > 5
    assert line.startswith("Error: a.avi: cut off, expected ")
    assert line.endswith(f"; the {rows} rows before are in out.partial.csv")
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("output", ["folder.csv", "file/out.csv", "out.txt"])
def test_an_output_that_cannot_be_written_is_one_line(run, tmp_path, output):
    write_video(tmp_path / "a.mp4", pictures(2))
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file").touch()
    assert one_line(run("a.mp4", "-o", output)).startswith(f"Error: {output}: ")


def test_a_corrupt_weight_file_is_one_line_that_names_file_and_command(
    run, weights_dir, tmp_path, monkeypatch
):
    shutil.copytree(weights_dir, tmp_path / "weights", ignore=shutil.ignore_patterns("cen_*"))
    bad = tmp_path / "weights/In-the-wild_aligned_PDM_68.txt"
    bad.chmod(0o644)
    bad.write_bytes(bad.read_bytes()[:1000])
    monkeypatch.setenv("PYFACEAU_WEIGHTS_DIR", str(tmp_path / "weights"))
    write_video(tmp_path / "a.mp4", pictures(2))
    line = one_line(run("a.mp4"))
    assert "In-the-wild_aligned_PDM_68.txt: truncated" in line
    assert "pyfaceau weights install" in line


def test_wrong_profile_is_one_line(run, tmp_path):
    line = one_line(run("a.mp4", "--config", "fats"))
    assert line.endswith("got 'fats'; did you mean 'fast'?")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a.mp4", "b.mp4", "-o", "out.csv"], "-o names one table, got 2 inputs: use --out-dir"),
        (["x/a.mp4", "y/a.avi"], "would both be written to processed/a.csv"),
        (["a.mp4", "-hog"], "No such option"),
    ],
)
def test_wrong_use(run, arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_gaze_that_the_profile_does_not_measure_is_refused(run, face, tmp_path):
    write_video(tmp_path / "a.mp4", pictures(2))
    result = run("a.mp4", "-gaze", "-o", "a.csv", "--config", "fast")
    assert result.exit_code == 2
    assert "-gaze: profile fast fits no eyes, its tables have no gaze" in result.stderr
    assert not (tmp_path / "a.csv").exists()


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("-o=a.csv", "-o a.csv"),
        ("-out.csv", "-o"),
        ("-outdir", "-out_dir"),
        ("-of", "-o"),
        ("-2dfp", "-2Dfp"),
    ],
)
def test_short_options_swallow_nothing(run, face, tmp_path, wrong, hint):
    write_video(tmp_path / "a.mp4", pictures(2))
    result = run("a.mp4", wrong, "d")
    assert result.exit_code == 2
    assert f"No such option: {wrong}; did you mean {hint}?" in result.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4"]


def test_ctrl_c_leaves_a_partial_table_and_says_so(weights_dir, tmp_path):
    write_video(tmp_path / "a.mp4", pictures(12))
    script = textwrap.dedent(
        """
        import os, signal
        import pyfaceau.pipeline.video
        from pyfaceau.cli.command import main
        from pyfaceau.output.openface_csv import OpenFaceCSV
        from tests.pipeline.test_video import Drifting

        write = OpenFaceCSV.write

        def interrupted(table, result):
            if result.index == 7:
                os.kill(os.getpid(), signal.SIGINT)
            write(table, result)

        # Whoever starts the tests in the background may have it ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        OpenFaceCSV.write = interrupted
        pyfaceau.pipeline.video.make_tracker = lambda *_: Drifting()
        main(["a.mp4", "-o", "out.csv"])
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == INTERRUPTED == 128 + signal.SIGINT
    rows = len(read_table(tmp_path / "out.partial.csv"))
    assert rows == 7
    assert done.stderr == ("interrupted; the first 7 rows are in out.partial.csv\nInterrupted.\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "out.partial.csv"]


def test_help_is_fast_and_tells_the_exit_codes():
    command = [sys.executable, "-c", "from pyfaceau.cli.command import main; main(['--help'])"]
    spent, done = [], None
    for _ in range(3):
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        spent.append(time.perf_counter() - start)
    for word in ("Exit codes: 0", "-2Dfp", "--config", "weights", "partial.csv"):
        assert word in done.stdout
    assert min(spent) < 1.0  # 0.4 s on an idle machine
