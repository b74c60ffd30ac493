"""Expressions: scores by hand, faces that move, bad rules."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from pyfaceau.cli.command import main
from pyfaceau.errors import InputError
from pyfaceau.expressions.analysis import measures
from pyfaceau.expressions.rules import UNITS, Rules
from pyfaceau.resources import resource


def run(*args: object):
    return CliRunner().invoke(main, ["expressions", *map(str, args)])


def test_units_by_hand(tmp_path: Path) -> None:
    table = pd.DataFrame(0.0, index=range(4), columns=[f"{u}_r" for u in UNITS])
    table.insert(0, "frame", range(1, 5))
    table.insert(1, "success", [1, 1, 1, 0])
    table.loc[0, ["AU06_r", "AU12_r"]] = 2.0, 5.0  # (2 / 2.5 + 1) / 2
    table.loc[1, ["AU06_r", "AU12_r"]] = 0.4, 5.0  # AU06 is below 0.5
    table.loc[2, ["AU06_r", "AU12_r"]] = 0.5  # 20 of happiness, below 40: 80 of neutral
    table["AU14_r"] = 5.0  # which side has more is not known: no contempt
    table.to_csv(tmp_path / "t.csv", index=False)
    assert run("--landmarks", tmp_path / "t.csv", "--out", tmp_path).exit_code == 0
    done = pd.read_csv(tmp_path / "expressions.csv")
    assert done.label.tolist() == ["happiness", "neutral", "neutral", "no_face"]
    assert done.score[:3].tolist() == [90, 100, 80]
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["distribution"] == {"happiness": 1, "neutral": 2, "no_face": 1}
    assert report["not_told"] == ["contempt"]
    assert "score_contempt" not in done
    assert (tmp_path / "score.txt").read_text() == "90.00\n"


def test_contempt_is_one_sided(tmp_path: Path) -> None:
    sides = ["AU14_r_left", "AU14_r_right"]
    table = pd.DataFrame(0.0, index=range(5), columns=[*(f"{u}_r" for u in UNITS), *sides])
    table.insert(0, "frame", range(1, 6))
    table["AU14_r"] = 5.0
    table.loc[0, sides] = 3.0, 1.0  # (3 - 1) / 2.5
    table.loc[1, sides] = 1.0, 3.0
    table.loc[2, sides] = 4.0, 4.0
    table.loc[3, sides] = np.nan  # turned away: the other rules tell
    table.loc[4, sides] = 1.4, 1.0  # less than the least
    table.to_csv(tmp_path / "t.csv", index=False)
    assert run("--landmarks", tmp_path / "t.csv", "--out", tmp_path).exit_code == 0
    done = pd.read_csv(tmp_path / "expressions.csv")
    assert done.label.tolist() == ["contempt", "contempt", "neutral", "neutral", "neutral"]
    np.testing.assert_array_equal(done.score_contempt, [80, 80, 0, np.nan, 0])
    assert json.loads((tmp_path / "report.json").read_text())["not_told"] == []


def test_where_no_rule_can_tell(tmp_path: Path) -> None:
    text = resource("configs/expressions.toml").read_text(encoding="utf-8")
    start, end = text.index("happiness"), text.index("# How far one side")
    (tmp_path / "r.toml").write_text(text[:start] + text[end:])
    table = pd.DataFrame({"frame": [1, 2], "AU14_r_left": [np.nan, 3.0], "AU14_r_right": [1, 0.5]})
    table.to_csv(tmp_path / "t.csv", index=False)
    args = ("--landmarks", tmp_path / "t.csv", "--out", tmp_path, "--rules", tmp_path / "r.toml")
    assert run(*args).exit_code == 0
    assert pd.read_csv(tmp_path / "expressions.csv").label.tolist() == ["not_told", "contempt"]
    assert json.loads((tmp_path / "report.json").read_text())["faces"] == 2
    table.drop(columns="AU14_r_left").to_csv(tmp_path / "t.csv", index=False)
    assert "expected columns AU01_r ..." in run(*args).stderr


def faces() -> np.ndarray:
    points = np.random.default_rng(0).normal(0, 1, (68, 2)) + 100
    points[[36, 45, 48, 54]] = (0, 0), (100, 0), (30, 100), (70, 100)
    return np.repeat(points[None], 5, axis=0)


def test_points_by_hand(tmp_path: Path) -> None:
    points = faces()
    points[4, 48] -= 4, 5  # mouth corners outwards and up by 5 % of the distance
    points[4, 54] += 4, -5
    moved = measures(points)[4] - measures(points)[0]
    np.testing.assert_allclose(moved, [0, 0.08, 0.05, 0], atol=2e-3)
    names = [f"{axis}_{i}" for axis in "xy" for i in range(68)]
    table = pd.DataFrame(points.transpose(0, 2, 1).reshape(5, 136), columns=names)
    table.insert(0, "frame", range(1, 6))
    table.loc[1, "x_3"] = np.nan
    table.to_csv(tmp_path / "l.csv", index=False)
    meta = pd.DataFrame({"frame": range(1, 6), "status": ["ok", "ok", "no_face", "jump", "ok"]})
    meta.to_csv(tmp_path / "m.csv", index=False)
    args = ("--landmarks", tmp_path / "l.csv", "--meta", tmp_path / "m.csv", "--out", tmp_path)
    done = run(*args)
    assert done.exit_code == 0, done.output
    labels = pd.read_csv(tmp_path / "expressions.csv").label.tolist()
    assert labels == ["neutral", "no_face", "no_face", "neutral", "happiness"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"AU06"', '"AU99"', "units.rules: happiness: expected a list of some of AU01"),
        ("full = 2.5", "full = -1", "units.full: expected a number above 0, got -1"),
        ("threshold = 40.0", "limit = 1", "expected the keys threshold, units, geometry"),
    ],
)
def test_bad_rules_are_one_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = resource("configs/expressions.toml").read_text(encoding="utf-8")
    (tmp_path / "r.toml").write_text(text.replace(old, new))
    with pytest.raises(InputError, match=message):
        Rules.load(tmp_path / "r.toml")


def test_tables_without_a_face_are_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("frame,a\n1,2\n")
    done = run("--landmarks", tmp_path / "t.csv", "--out", tmp_path)
    assert done.exit_code == 1
    assert "expected columns AU01_r ... or x_0 ... y_67" in done.stderr
