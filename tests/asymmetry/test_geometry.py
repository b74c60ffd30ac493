"""Measures per side: by hand, by the mirror, on the reference's table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pyfaceau
from pyfaceau.asymmetry.geometry import LENGTHS, MEASURES, MIDLINE, measure
from pyfaceau.asymmetry.midline import PARTNERS
from pyfaceau.errors import InputError
from tests.asymmetry.faces import symmetric_face, table_of


def test_measures_by_hand() -> None:
    face = symmetric_face()
    face[54] = (0.4, 0.8)  # patient's left corner of the mouth: out and up
    face[[43, 44]] = [(0.3, 0.0), (0.42, 0.0)]  # his left upper lid: down
    row = measure(table_of((face * 200 + 300)[None])).iloc[0]
    by_hand = {
        "brow_height_2d": (0.4, 0.4),
        "mrd1_2d": (0.0, 0.06),
        "mrd2_2d": (0.04, 0.04),
        "palpebral_height_2d": (0.04, 0.1),
        "palpebral_width_2d": (0.28, 0.28),
        "commissure_x_2d": (0.4, 0.3),
        "commissure_y_2d": (0.8, 0.9),
        "commissure_excursion_2d": (np.hypot(0.4, 0.22), np.hypot(0.3, 0.12)),
        "smile_angle_2d": (90 + np.degrees(np.arctan2(0.22, 0.4)), 111.80140948635182),
        "dental_show_2d": (0.04 * (0.26 - 0.2) / 0.16, 0.04 * (0.26 - 0.15) / 0.16),
        "lower_lip_height_2d": (0.96 + 0.04 * 0.2, 0.96 + 0.04 * 0.7),
    }
    for name, (left, right) in by_hand.items():
        assert row[f"{name}_left"] == pytest.approx(left, abs=1e-9), name
        assert row[f"{name}_right"] == pytest.approx(right, abs=1e-9), name
    assert row["philtrum_deviation_2d"] == pytest.approx(0.0, abs=1e-9)


def test_midline_signs_and_mirrored_input() -> None:
    face = symmetric_face()
    face[51] += (0.05, 0.0)  # to the image's right: the patient's left
    table = table_of((face * 150 + 300)[None])
    assert measure(table)["philtrum_deviation_2d"].iloc[0] == pytest.approx(0.05)
    selfie = measure(table, mirrored_input=True)
    assert selfie["philtrum_deviation_2d"].iloc[0] == pytest.approx(-0.05)
    plain = measure(table)
    for name in MEASURES:
        pd.testing.assert_series_equal(
            plain[f"{name}_2d_left"], selfie[f"{name}_2d_right"], check_names=False
        )


def test_eye_closure_is_of_the_persons_own_rest() -> None:
    faces = np.repeat(symmetric_face()[None] * 200 + 300, 4, axis=0)
    shut = faces[3, [41, 40], 1] - 0.01 * 200
    faces[3, [37, 38], 1] = shut  # the patient's right eye: 0.01 of 0.1 left open
    rest = np.array([True, True, True, False])
    closure = measure(table_of(faces), rest=rest)
    assert closure["eye_closure_2d_right"].tolist() == pytest.approx([0, 0, 0, 0.9])
    assert closure["eye_closure_2d_left"].tolist() == pytest.approx([0, 0, 0, 0])


def test_the_eye_models_lids_by_hand() -> None:
    faces = np.repeat(symmetric_face()[None] * 200 + 300, 4, axis=0)
    eyes = {}
    for eye, centre in ((0, faces[0, [36, 39]].mean(0)), (1, faces[0, [42, 45]].mean(0))):
        ring = np.zeros((28, 2))
        ring[9:14, 1], ring[15:20, 1] = -12, 8  # 0.1 of the distance between the eyes' corners
        for i, (x, y) in enumerate(ring + centre):
            eyes[f"eye_lmk_x_{28 * eye + i}"], eyes[f"eye_lmk_y_{28 * eye + i}"] = x, y
    table = table_of(faces)
    table = table.join(pd.DataFrame(eyes, index=table.index))
    for i in range(9, 14):
        table.loc[4, f"eye_lmk_y_{i}"] += 15  # on the image's left: the patient's right
    rest = np.array([True, True, True, False])
    values = measure(table, rest=rest)
    assert values["lid_opening_2d_right"].tolist() == pytest.approx([0.1, 0.1, 0.1, 0.025])
    assert values["lid_closure_2d_right"].tolist() == pytest.approx([0, 0, 0, 0.75])
    assert values["lid_closure_2d_left"].tolist() == pytest.approx([0, 0, 0, 0])


def test_scale_and_missing_face() -> None:
    faces = np.repeat(symmetric_face()[None] * 200 + 300, 2, axis=0)
    table = table_of(faces).assign(success=[1, 0])
    values = measure(table, scale_mm=90.0)
    assert values["palpebral_width_2d_left"].iloc[0] == pytest.approx(0.28)
    assert values.loc[2].isna().all()
    assert values["lid_opening_2d_left"].isna().all()  # no eye landmarks in the table
    assert set(values) >= {f"{name}_mm_left" for name in LENGTHS} | {f"{n}_mm" for n in MIDLINE}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"iris_mm": 11.7, "scale_mm": 90.0}, "got both"),
        ({"iris_mm": 11.7}, "expected eye landmarks"),
        ({"scale_mm": 0.0}, "positive"),
        ({"rest": [True]}, r"rest: expected \(2,\) bool"),
        ({"rest": np.zeros(2, bool)}, "frames with a face, got none"),
    ],
)
def test_what_cannot_be_is_refused(arguments: dict[str, object], said: str) -> None:
    table = table_of(np.repeat(symmetric_face()[None] * 200, 2, axis=0))
    with pytest.raises(InputError, match=said):
        measure(table, **arguments)  # type: ignore[arg-type]


def test_tables_without_landmarks_or_of_several_faces_are_refused() -> None:
    table = table_of(np.repeat(symmetric_face()[None] * 200, 2, axis=0))
    with pytest.raises(InputError, match="-2Dfp"):
        measure(table.drop(columns="x_0"))
    with pytest.raises(InputError, match="several"):
        measure(table.set_index(pd.Index([1, 1], name="frame")))


def mirror_of(table: pd.DataFrame, width: int) -> pd.DataFrame:
    """Return the table that a mirrored face with mirrored landmarks has."""
    out = table.copy()
    partner = {i: int(PARTNERS[i]) for i in range(68)}
    for i, j in partner.items():
        out[f"x_{i}"], out[f"y_{i}"] = width - 1 - table[f"x_{j}"], table[f"y_{j}"]
        out[f"X_{i}"], out[f"Y_{i}"], out[f"Z_{i}"] = (
            -table[f"X_{j}"],
            table[f"Y_{j}"],
            table[f"Z_{j}"],
        )
    for i in range(56):
        j = (i + 28) % 56
        out[f"eye_lmk_x_{i}"] = width - 1 - table[f"eye_lmk_x_{j}"]
        out[f"eye_lmk_y_{i}"] = table[f"eye_lmk_y_{j}"]
    for name in ("pose_Tx", "pose_Ry", "pose_Rz"):
        out[name] = -table[name]
    return out


@pytest.fixture(scope="module")
def reference(shared: Path) -> pd.DataFrame:
    """Return what OpenFace wrote of a talking, turning head, 512 pixels wide."""
    return pyfaceau.read(shared / "reference" / "video" / "d10.csv.gz")


def test_mirrored_landmarks_swap_every_written_value(reference: pd.DataFrame) -> None:
    plain, mirrored = measure(reference), measure(mirror_of(reference, 512))
    for name in plain:
        if name.removesuffix("_2d") in MIDLINE:
            other, sign = name, -1.0
        else:
            stem, side = name.rsplit("_", 1)
            other, sign = f"{stem}_{'left' if side == 'right' else 'right'}", 1.0
        np.testing.assert_allclose(plain[name], sign * mirrored[other], atol=1e-7, err_msg=name)


def test_pose_is_taken_out(shared: Path) -> None:
    """Of a head that turns, nose and brows follow the yaw less than they do in the picture."""
    table = pyfaceau.read(shared / "reference" / "video" / "2015-10-15-15-14.csv.gz")
    table = table[table["success"] == 1]
    values = measure(table)
    slope = {name: np.polyfit(table["pose_Ry"], values[name], 1)[0] for name in values}
    assert abs(slope["nasal_base_deviation"]) < 0.5 * abs(slope["nasal_base_deviation_2d"])
    brow = {k: slope[f"brow_height{k}_left"] - slope[f"brow_height{k}_right"] for k in ("", "_2d")}
    assert abs(brow[""]) < 0.5 * abs(brow["_2d"])
