"""Reports: numbers equal the table's, warnings, pictures, refusals; opened without a network."""

from __future__ import annotations

import base64
import json
import re
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from tests.report.tables import recording, write_recording, write_table

pytest.importorskip("plotly", reason="needs the extra report")
pytest.importorskip("jinja2", reason="needs the extra report")

import pyfaceau
from pyfaceau.asymmetry.blinks import blink_table
from pyfaceau.asymmetry.geometry import measure
from pyfaceau.cli import main
from pyfaceau.errors import InputError
from pyfaceau.report.report import Wishes, write_report

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def figures(page: Path) -> dict[str, dict[str, object]]:
    text = page.read_text(encoding="utf-8")
    found = re.search(
        r'<script type="application/json" id="figures">(.*?)</script>', text, re.DOTALL
    )
    assert found
    return json.loads(found[1])


def tables(page: Path) -> dict[str, pd.DataFrame]:
    text = page.read_text(encoding="utf-8")
    found = re.findall(r'<table data-table="([^"]+)">(.*?)</table>', text, re.DOTALL)
    return {key: parsed(body) for key, body in found}


def parsed(body: str) -> pd.DataFrame:
    lines = [re.findall(r"<t[hd](?: [^>]*)?>(.*?)</t[hd]>", row) for row in body.split("</tr>")]
    text = "\n".join("\t".join(cells) for cells in lines if cells)
    return pd.read_csv(StringIO(text), sep="\t")


def test_curves_are_the_tables(tmp_path: Path) -> None:
    _, table = write_recording(tmp_path)
    page = tmp_path / "r.html"
    write_report([table], page, wishes=Wishes(rest="0-0.9"))
    data = pyfaceau.read(table)
    left, right = figures(page)["s1-AU12_r"]["data"]
    assert left["x"] == data["timestamp"].tolist()
    assert left["y"] == data["AU12_r_left"].tolist()
    assert right["y"] == data["AU12_r_right"].tolist()
    assert (left["line"]["dash"], right["line"]["dash"]) == ("solid", "dash")
    [index] = figures(page)["s1-index-AU12_r"]["data"]
    values = np.array(index["y"], float)
    assert np.isnan(values[:26]).all()  # no movement
    assert (values[30:] == 1).all()  # the left side alone


def test_blinks_are_those_of_the_table(tmp_path: Path) -> None:
    _, table = write_recording(tmp_path)
    page = tmp_path / "r.html"
    write_report([table], page)
    pd.testing.assert_frame_equal(
        tables(page)["blinks-1"], blink_table(pyfaceau.read(table)).round(3), check_dtype=False
    )


def test_pictures_of_rest_and_peak(tmp_path: Path) -> None:
    video, table = write_recording(tmp_path)
    page = tmp_path / "r.html"
    write_report([table], page, videos=[video], wishes=Wishes(rest="0-0.9"))
    found = re.findall(r'alt="([^"]+)" src="data:image/jpeg;base64,([^"]+)"', page.read_text())
    assert [caption for caption, _ in found] == [
        "rest, 0.440 s, frame 12",
        "largest AU12, 1.400 s, frame 36",
    ]
    assert all(base64.b64decode(data)[:2] == b"\xff\xd8" for _, data in found)
    write_report([table], page, videos=[video], wishes=Wishes(pictures=False))
    assert "data:image" not in page.read_text().split("<script>")[0].split("</style>")[1]


def test_what_speaks_against_the_numbers(tmp_path: Path) -> None:
    data = recording()
    data.loc[3:5, "success"] = 0
    data.loc[7:8, "confidence"] = 0.6
    data.loc[20:, ["AU12_r_left", "AU12_r_right"]] = np.nan
    table = write_table(tmp_path / "t.csv", data)
    said = write_report([table], tmp_path / "r.html")
    assert "t: 3 of 50 frames have no face" in said
    assert "t: 2 frames: landmarks of low confidence" in said
    assert "t: 31 frames: a side is hidden, it has no action units there" in said
    assert any("not on record" in line for line in said)
    page = (tmp_path / "r.html").read_text()
    assert "3 of 50 frames have no face" in page
    assert "not a\nmedical device" in page


def test_a_table_without_units_of_each_side_says_why(tmp_path: Path) -> None:
    halves = [f"{unit}_r_{side}" for unit in ("AU12", "AU45") for side in ("left", "right")]
    table = write_table(tmp_path / "t.csv", recording().drop(columns=halves))
    assert "t: no action units of each side: measure with --split-face" in write_report(
        [table], tmp_path / "r.html"
    )
    of_free = {name: name.replace("_r", "_bs", 1) for name in ("AU12_r", "AU45_r", *halves)}
    table = write_table(tmp_path / "f.csv", recording().rename(columns=of_free))
    said = write_report([table], tmp_path / "f.html")
    assert not any("--split-face" in line for line in said)
    assert any("profile free has none" in line for line in said)
    page = (tmp_path / "f.html").read_text()
    assert "No action units of OpenFace" in page
    assert "--split-face" not in page
    drawn = {
        curve["name"]: curve["y"] for curve in figures(tmp_path / "f.html")["s1-AU12_bs"]["data"]
    }
    data = recording()
    np.testing.assert_allclose(drawn["patient's left"], data["AU12_r_left"].round(3))
    np.testing.assert_allclose(drawn["patient's right"], data["AU12_r_right"])


def test_lengths_in_the_picture_where_there_are_no_others(tmp_path: Path) -> None:
    flat = recording()
    flat = flat.drop(columns=[name for name in flat if name[:2] in ("X_", "Y_", "Z_")])
    table = write_table(tmp_path / "t.csv", flat)
    write_report([table], tmp_path / "r.html")
    drawn = figures(tmp_path / "r.html")
    assert "s1-smile_angle" not in drawn
    left = next(c["y"] for c in drawn["s1-smile_angle_2d"]["data"] if "left" in c["name"])
    expected = measure(pyfaceau.read(table))["smile_angle_2d_left"]
    np.testing.assert_allclose(np.array(left, float), expected, atol=1e-6)


ACTIONS = "action,start,end\nrest,0,0.9\nsmile lips open,1,1.9\n"


def test_actions_are_those_of_the_command(tmp_path: Path) -> None:
    video, table = write_recording(tmp_path)
    actions, page, beside = (tmp_path / n for n in ("a.csv", "r.html", "m.csv"))
    actions.write_text(ACTIONS)
    write_report([table], page, videos=[video], actions=[actions], wishes=Wishes("right"))
    line = ["actions", "measure", str(table), "--actions", str(actions), "-o", str(beside)]
    assert CliRunner().invoke(main, [*line, "--affected", "right"]).exit_code == 0
    shown, written = tables(page), pd.read_csv(beside)
    mine = shown["actions-1"]
    pd.testing.assert_frame_equal(mine, written[mine.columns], check_dtype=False)
    summary = shown["summary-1"].set_index("measure")
    smile = written[(written["measure"] == "AU12_r") & (written["side"] == "left")].iloc[0]
    said = summary.loc["AU12 lip corner puller"]
    assert said["healthy side"] == smile["excursion"]
    assert said["affected side (right)"] == 0
    assert said["gate"] == "left moves more, no movement on the right"
    balance = pd.read_csv(tmp_path / "m_balance.csv").iloc[0]
    assert said["balance (L - R)"] == pytest.approx(balance["balance"], abs=5e-5)
    assert said["leads"] == balance["leads"] == "left"
    captions = re.findall(r'<img alt="([^"]+)"', page.read_text())
    assert captions[0] == "rest, 0.480 s, frame 13"
    assert captions[1].startswith("AU12 lip corner puller, left, ")
    assert len(captions) == 2
    coupled = pd.read_csv(tmp_path / "m_synkinesis.csv")
    assert len(shown["synkinesis-1"]) == len(coupled) > 0


def test_sessions_of_a_person(tmp_path: Path) -> None:
    _, first = write_recording(tmp_path)
    data = recording()
    data["AU12_r_right"] = data["AU12_r_left"]
    second = write_table(tmp_path / "later.csv", data)
    actions, page = tmp_path / "a.csv", tmp_path / "r.html"
    actions.write_text(ACTIONS)
    write_report([first, second], page, actions=[actions, actions])
    shown = tables(page)["sessions"]
    assert shown["session"].tolist() == ["table", "later"]
    assert shown["right"].tolist() == [0, 3]
    assert shown["change right"].tolist() == [0, 3]
    [left, right] = figures(page)["all-smile-lips-open"]["data"]
    assert (left["y"], right["y"]) == ([3, 3], [0, 3])


def test_refused(tmp_path: Path) -> None:
    video, table = write_recording(tmp_path)
    page = tmp_path / "r.html"
    nobody = write_table(tmp_path / "nobody.csv", recording().assign(success=0))
    plain = write_table(tmp_path / "plain.csv", recording().drop(columns=["x_3"]))
    cases = [
        ([nobody], {}, r"nobody\.csv: no frame has a face"),
        ([plain], {}, "expected landmarks"),
        ([table], {"videos": [video, video]}, "expected one for each of 1 tables, got 2"),
        ([table], {"videos": [tmp_path / "no.mp4"]}, r"no\.mp4: no such file"),
        ([table], {"actions": [page]}, r"r\.html"),
        ([table], {"wishes": Wishes(rest="9-12")}, "no frame with a face in these seconds"),
    ]
    for given, options, said in cases:
        with pytest.raises(InputError, match=said):
            write_report(given, page, **options)
    with pytest.raises(InputError, match=r"expected a name that ends in \.html"):
        write_report([table], tmp_path / "r.pdf")
    assert not page.exists()


def test_command_says_what_it_found(tmp_path: Path) -> None:
    video, table = write_recording(tmp_path)
    page = tmp_path / "r.html"
    line = ["report", str(table), "--video", str(video), "-o", str(page), "--blur-eyes"]
    done = CliRunner().invoke(main, line)
    assert done.exit_code == 0
    assert done.stdout == f"{page}\n"
    assert "not on record" in done.stderr


def test_opens_without_a_network(browser: Browser, tmp_path: Path) -> None:
    video, table = write_recording(tmp_path)
    page = tmp_path / "r.html"
    write_report([table], page, videos=[video], wishes=Wishes(rest="0-0.9"))
    said: list[str] = []
    shown = browser.new_page()
    shown.context.set_offline(True)
    shown.on("console", lambda message: said.append(message.text))
    shown.on("pageerror", lambda error: said.append(str(error)))
    shown.goto(page.as_uri())
    shown.wait_for_selector(".plot .main-svg")
    plots = shown.evaluate("[...document.querySelectorAll('.plot')].map(p => p.data.length)")
    pictures = shown.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 10)")
    assert said == []
    assert len(plots) == len(figures(page))
    assert min(plots) >= 1
    assert pictures
