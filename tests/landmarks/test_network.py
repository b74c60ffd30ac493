"""Networks that say their interface: by hand, against PFLD's own crop, refusals, the command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from pyfaceau.cli.command import main
from pyfaceau.errors import InputError, WeightsError
from pyfaceau.landmarks import _kernels
from pyfaceau.landmarks.network import (
    Interface,
    LandmarkNetwork,
    in_units_of_side,
    normalised,
    open_network,
    own_crops,
)
from pyfaceau.landmarks.pfld import PFLD, crop_from_points

onnx = pytest.importorskip("onnx")


def write(
    path: Path, metadata: dict[str, str], side: int = 20, planes: int = 3, out: int = 136
) -> Path:
    """Write a network that answers the first numbers of its input."""
    helper, kind = onnx.helper, onnx.TensorProto
    shape = ["n", planes, side, side]
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["x"], ["flat"], axis=1),
            helper.make_node("Slice", ["flat", "from", "to", "axis"], ["y"]),
        ],
        "first",
        [helper.make_tensor_value_info("x", kind.FLOAT, shape)],
        [helper.make_tensor_value_info("y", kind.FLOAT, ["n", out])],
        [
            onnx.numpy_helper.from_array(np.array([value]), name)
            for name, value in (("from", 0), ("to", out), ("axis", 1))
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, metadata)
    onnx.save(model, str(path))
    return path


def test_input_and_answer_by_hand(tmp_path: Path) -> None:
    said = {"pyfaceau.channels": "gray", "pyfaceau.range": "-1 1", "pyfaceau.units": "pixels"}
    network = LandmarkNetwork(write(tmp_path / "own.onnx", said, planes=1))
    image = np.full((300, 300, 3), (0, 0, 255), np.uint8)  # BGR: red, of brightness 0.299
    crop = np.array([[1.0, 0, 0], [0, 1.0, 0]])
    found = network.predict_crops(image, crop[None])[0]
    # It answers 2 * 0.299 - 1 for every number, in pixels of its own crop of 20 by 20.
    own = own_crops(crop[None], network.interface)[0]
    back = found @ own[:, :2].T + own[:, 2]
    np.testing.assert_allclose(back, 2 * 0.299 - 1, atol=1e-4)


def test_bgr_is_the_other_way_round(tmp_path: Path) -> None:
    image = np.full((300, 300, 3), (255, 0, 51), np.uint8)
    points = {}
    for order in ("rgb", "bgr"):
        network = LandmarkNetwork(write(tmp_path / f"{order}.onnx", {"pyfaceau.channels": order}))
        crop = own_crops(np.array([[[1.0, 0, 0], [0, 1, 0]]]), network.interface)[0]
        found = network.predict_crops(image, np.array([[[1.0, 0, 0], [0, 1, 0]]]))[0]
        points[order] = (found @ crop[:, :2].T + crop[:, 2]) / 20
    np.testing.assert_allclose(points["rgb"], 0.2, atol=1e-5)
    np.testing.assert_allclose(points["bgr"], 1.0, atol=1e-5)


@given(st.integers(0, 2**32 - 1), st.floats(1, 2), st.floats(-0.3, 0.3), st.integers(20, 300))
def test_own_crop_is_laid_as_the_rule_says(
    seed: int, factor: float, down: float, side: int
) -> None:
    points = np.random.default_rng(seed).normal(size=(68, 2)) * 30 + 100
    interface = Interface(side=side, factor=factor, down=down)
    expected = np.empty((2, 3))
    assert _kernels.crop_around(points, factor, down, side, expected)
    np.testing.assert_allclose(
        own_crops(crop_from_points(points)[None], interface)[0], expected, rtol=1e-9, atol=1e-7
    )


@given(
    npst.arrays(np.float32, (2, 68, 2), elements=st.floats(0, 1, width=32)),
    st.sampled_from(["xy", "xxyy"]),
    st.sampled_from(["side", "pixels", "centred"]),
)
def test_answers_of_every_kind_read_the_same(points: np.ndarray, output: str, units: str) -> None:
    interface = Interface(side=50, output=output, units=units)
    told = {"side": points, "pixels": points * 50, "centred": points * 50 * 2 / 49 - 1}[units]
    told = told if output == "xy" else told.swapaxes(1, 2)
    found = in_units_of_side(told.reshape(2, 136).astype(np.float32), interface)
    np.testing.assert_allclose(found, points, atol=1e-5)


def test_what_is_written_is_read() -> None:
    interface = Interface(299, "gray", -1, 1, 1.4, -0.05, "xxyy", "centred", (0.5, -0.25))
    assert Interface.read(interface.metadata(), (None, 1, 299, 299), "x") == interface
    planes = np.ones((1, 3, 4, 4), np.float32)
    assert normalised(planes, interface).shape == (1, 1, 4, 4)
    np.testing.assert_allclose(normalised(planes, interface), 1, atol=1e-6)


@pytest.mark.parametrize(
    ("metadata", "options", "message"),
    [
        ({}, {}, r"expected PFLD's interface.*got \[\(None, 3, 20, 20\)\].*pyfaceau.crop"),
        ({"pyfaceau.crop": "1.2"}, {}, "pyfaceau.crop: expected two numbers, got '1.2'"),
        ({"pyfaceau.crop": "0 0"}, {}, "pyfaceau.crop with a positive first"),
        ({"pyfaceau.range": "1 1"}, {}, "pyfaceau.range of two different numbers"),
        ({"pyfaceau.channels": "yuv"}, {}, "expected rgb or bgr or gray, got 'yuv'"),
        ({"pyfaceau.colour": "rgb"}, {}, "unknown pyfaceau.colour"),
        ({"pyfaceau.landmarks": "98"}, {}, "expected a network of 68 landmarks, got one of 98"),
        ({"pyfaceau.channels": "gray"}, {}, r"expected an input of shape \(n, 1, side, side\)"),
        ({"pyfaceau.units": "side"}, {"out": 196}, "expected 136 numbers"),
        ({}, {"side": 112, "out": 196}, r"expected PFLD's interface.*196"),
    ],
)
def test_another_interface_is_refused(
    tmp_path: Path, metadata: dict[str, str], options: dict[str, int], message: str
) -> None:
    with pytest.raises(WeightsError, match=message):
        open_network(write(tmp_path / "own.onnx", metadata, **options))


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    (tmp_path / "own.onnx").write_bytes(b"no network")
    with pytest.raises(WeightsError, match="not a readable ONNX model"):
        open_network(tmp_path / "own.onnx")
    with pytest.raises(WeightsError, match="no such model file"):
        open_network(tmp_path / "gone.onnx")
    network = open_network(write(tmp_path / "good.onnx", {"pyfaceau.units": "side"}))
    with pytest.raises(InputError, match="crops: expected invertible"):
        network.predict_crops(np.zeros((9, 9, 3), np.uint8), np.zeros((1, 2, 3)))


def test_pfld_under_another_name_is_pfld(tmp_path: Path, weights_dir: Path, shared: Path) -> None:
    import cv2

    copy = tmp_path / "copy.onnx"
    copy.write_bytes((weights_dir / "pfld_cunjian.onnx").read_bytes())
    assert isinstance(open_network(copy), PFLD)
    model = onnx.load(str(copy))
    onnx.helper.set_model_props(model, {"pyfaceau.offset": "1.0 0.6"})
    onnx.save(model, str(copy))
    network = open_network(copy)
    assert isinstance(network, LandmarkNetwork)
    image = cv2.imread(str(shared / "samples/image/lp_s6.jpg"))
    crop = np.array([[[0.4, 0.05, -20], [-0.05, 0.4, -20]]])
    np.testing.assert_allclose(
        network.predict_crops(image, crop), PFLD().predict_crops(image, crop), atol=2e-3
    )


def test_the_command_takes_a_network(tmp_path: Path, weights_dir: Path, shared: Path) -> None:
    video, copy = str(shared / "samples/video/single_face.mp4"), tmp_path / "copy.onnx"
    copy.write_bytes((weights_dir / "pfld_cunjian.onnx").read_bytes())
    tables = []
    for name, extra in (("a", []), ("b", ["--landmarks", str(copy)])):
        table = tmp_path / f"{name}.csv"
        done = CliRunner().invoke(main, [video, "--config", "fast", "-o", str(table), *extra])
        assert done.exit_code == 0, done.output
        tables.append(table.read_bytes())
    assert tables[0] == tables[1]
    bad = write(tmp_path / "bad.onnx", {})
    done = CliRunner().invoke(main, [video, "-o", str(tmp_path / "c.csv"), "--landmarks", str(bad)])
    assert done.exit_code == 1
    assert "expected PFLD's interface" in done.output
    args = [video, "--config", "openface", "--landmarks", str(copy)]
    done = CliRunner().invoke(main, args)
    assert done.exit_code == 2
    assert "--config default or fast" in done.output
