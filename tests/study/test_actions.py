"""Actions of a study: from the manifest to measures and changes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from pyfaceau.cli.command import main
from pyfaceau.errors import InputError
from pyfaceau.study.actions import export_actions
from pyfaceau.study.inputs import StudyVideo, find_videos
from pyfaceau.study.ledger import Ledger
from tests.actions.tables import bump, table_of

MARKED = "rest 0-0.9; smile lips closed 1-2.9; smile lips closed 3-4.9"


def smiles(folder: Path, name: str, left: float, right: float) -> None:
    """Write a table of two smiles, the second one larger by 0.2."""
    sides = {
        f"AU12_r_{side}": bump(130, 30, 5, 20, height) + bump(130, 80, 5, 20, height + 0.2)
        for side, height in (("left", left), ("right", right))
    }
    table = table_of(**sides).assign(confidence=0.9).reset_index()
    table.to_csv(folder / f"{name}.csv", index=False)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    extra = {"actions": MARKED, "affected": "left"}
    with Ledger(tmp_path, create=True) as ledger:
        ledger.enter(
            [
                StudyVideo(Path("/v/a"), "a", "P1", "1", extra=extra),
                StudyVideo(Path("/v/b"), "b", "P1", "2", extra=extra),
                StudyVideo(Path("/v/c"), "c", "P2", "1"),
            ]
        )
        ledger.update({name: {"state": "done"} for name in "abc"})
    smiles(tmp_path, "a", 1.0, 4.0)
    smiles(tmp_path, "b", 3.0, 4.0)
    smiles(tmp_path, "c", 3.0, 4.0)
    return tmp_path


def test_from_sessions_to_change(study: Path) -> None:
    target = study / "export" / "all.csv"
    done = CliRunner().invoke(main, ["study", "export", str(study), str(target), "--actions"])
    assert done.exit_code == 0, done.output
    assert "1 videos name no actions" in done.output
    rows = pd.read_csv(target.with_name("all_actions.csv"), dtype={"session": str})
    assert list(rows.columns[:4]) == ["subject", "session", "video", "action"]
    left = rows[(rows["side"] == "left") & (rows["session"] == "2")]
    assert left["excursion"].tolist() == [3.0, 3.2]
    assert left["number"].tolist() == [1, 2]
    assert left["share"].tolist() == pytest.approx([0.75, 0.7619], abs=1e-4)
    change = pd.read_csv(target.with_name("all_change.csv")).set_index("side")
    assert change.loc["left", "change"] == pytest.approx(2.0)
    assert change.loc["left", "sem"] == pytest.approx(0.1414, abs=1e-4)  # of 1.0, 1.2 and 3.0, 3.2
    assert change.loc["left", "mdc95"] == pytest.approx(1.96 * 0.1414, abs=1e-4)
    assert change["exceeds"].to_dict() == {"left": 1, "right": 0}
    assert list(pd.read_csv(target.with_name("all_synkinesis.csv")).columns[:3]) == [
        "subject", "session", "video",
    ]  # fmt: skip


def test_reliability_of_an_export(study: Path, tmp_path: Path) -> None:
    pytest.importorskip("pingouin", reason="needs the extra reliability")
    files, _ = export_actions(study, study / "all.csv")
    target = tmp_path / "r.csv"
    done = CliRunner().invoke(
        main, ["actions", "reliability", str(files[0]), "-o", str(target), "--over", "repetition"]
    )
    assert done.exit_code == 0, done.output
    assert pd.read_csv(target)["reason"].tolist() == ["too few: 2 measured 2 times"] * 2
    assert pd.read_csv(tmp_path / "r_bland_altman.csv").empty
    done = CliRunner().invoke(main, ["actions", "reliability", str(target), "-o", "x.csv"])
    assert done.exit_code == 1
    assert "expected a column 'subject'" in done.output


def test_a_study_without_actions_says_so(study: Path) -> None:
    with Ledger(study) as ledger:
        ledger.update({name: {"state": "failed"} for name in "ab"})
    with pytest.raises(InputError, match="expected a manifest with a column 'actions'"):
        export_actions(study, study / "all.csv")


def test_actions_outside_the_video_name_it(study: Path) -> None:
    with Ledger(study) as ledger:
        late = {"actions": "blink 90-91"}
        ledger.enter([StudyVideo(Path("/v/b"), "b", "P1", "2", extra=late)])
        ledger.update({"b": {"state": "done"}})
    with pytest.raises(InputError, match=r"^b: blink \(90 s to 91 s\): expected an end within"):
        export_actions(study, study / "all.csv")


def test_the_manifest_is_checked_before_the_work(tmp_path: Path) -> None:
    manifest = tmp_path / "m.csv"
    (tmp_path / "a.srt").write_text("1\n00:00:00,000 --> 00:00:02,000\nrest\n")
    manifest.write_text("video,actions,affected\na.mov,a.srt,Left\nb.mov,rest 0-2,\n")
    first, second = find_videos([str(manifest)], tmp_path / "out")
    assert first.extra["actions"] == str(tmp_path / "a.srt")
    assert second.extra["actions"] == "rest 0-2"
    for cells, said in (
        ("rest 2-0,left", r"m\.csv, line 2: actions: rest: expected 0 <= start < end"),
        ("b.eaf,left", r"m\.csv, line 2: .*b\.eaf: cannot be read"),
        ("rest 0-1,both", r"m\.csv, line 2: affected: expected left, right, none or empty"),
    ):
        manifest.write_text(f"video,actions,affected\na.mov,{cells}\n")
        with pytest.raises(InputError, match=said):
            find_videos([str(manifest)], tmp_path / "out")
