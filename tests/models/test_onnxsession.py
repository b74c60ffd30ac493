"""Where a network runs, and what happens when it cannot run there."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from pyfaceau.errors import InputError, WeightsError
from pyfaceau.landmarks.pfld import PFLD, SIDE
from pyfaceau.models import onnxsession
from pyfaceau.models.onnxsession import PROVIDERS, open_session

NAME = "pfld_cunjian.onnx"
SHAPE = (None, 3, SIDE, SIDE)


@pytest.fixture(autouse=True)
def _fresh_warnings():
    onnxsession._warn_once.cache_clear()


def test_a_missing_device_is_the_cpu_with_one_warning(weights_dir, caplog):
    import onnxruntime

    absent = next(d for d, p in PROVIDERS.items() if p not in onnxruntime.get_available_providers())
    with caplog.at_level(logging.WARNING):
        sessions = [open_session(weights_dir / NAME, NAME, SHAPE, absent) for _ in range(2)]
    assert [s.get_providers() for s in sessions] == [["CPUExecutionProvider"]] * 2
    [message] = [r.getMessage() for r in caplog.records]
    assert message.startswith(f"--device {absent}: this ONNX Runtime has no {PROVIDERS[absent]}")


def test_every_device_gives_the_landmarks_of_the_cpu(weights_dir):
    import onnxruntime

    image = np.random.default_rng(0).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    crops = np.array([[[1.0, 0, 20], [0, 1.0, 30]]])
    expected = PFLD(weights_dir / NAME).predict_crops(image, crops)
    assert np.ptp(expected) > 1
    for device, provider in PROVIDERS.items():
        if provider in onnxruntime.get_available_providers():
            got = PFLD(weights_dir / NAME, device=device).predict_crops(image, crops)
            np.testing.assert_allclose(got, expected, atol=0.05)


def test_wrong_use_is_refused(weights_dir, tmp_path):
    with pytest.raises(InputError, match="device: expected cpu or cuda or coreml or directml"):
        open_session(weights_dir / NAME, NAME, SHAPE, "tpu")
    with pytest.raises(WeightsError, match="expected one input of shape"):
        open_session(weights_dir / NAME, NAME, (1, 3, 5, 5))
    (tmp_path / "own.onnx").write_bytes(b"no model")
    with pytest.raises(WeightsError, match="not a readable ONNX model"):
        open_session(tmp_path / "own.onnx", NAME, SHAPE)
