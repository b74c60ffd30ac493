"""Gray pictures made ahead: the same as made on demand, and kept."""

from __future__ import annotations

import numpy as np
import pytest

from pyfaceau.errors import InputError
from pyfaceau.tracking.gray import in_gray, with_gray
from pyfaceau.types import Frame

BLUE = np.full((2, 3, 3), (255, 0, 0), np.uint8)


def test_made_ahead_or_on_demand() -> None:
    frame = with_gray(Frame(BLUE, 4, 0.5))
    assert (frame.index, frame.timestamp) == (4, 0.5)
    assert frame.image is BLUE
    np.testing.assert_array_equal(in_gray(Frame(BLUE, 0, 0.0)), np.full((2, 3), 29))
    np.testing.assert_array_equal(frame.gray, np.full((2, 3), 29))
    assert in_gray(frame) is frame.gray


def test_another_size_is_refused() -> None:
    with pytest.raises(InputError, match=r"gray: expected shape \(2, 3\), got \(3, 2\)"):
        Frame(BLUE, 0, 0.0, np.zeros((3, 2), np.uint8))
