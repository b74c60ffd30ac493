"""The search for a first fit that ends early: its rule, its order, its peculiarities."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyfaceau.errors import WeightsError
from pyfaceau.refinement.early_termination import EarlyTermination, fit_starts
from pyfaceau.refinement.fits import FaceFit, PointFit
from pyfaceau.types import ShapeFit

RULE = EarlyTermination(np.ones(7), np.zeros(7), np.full(7, 0.5))
"""The likelihood itself, good enough above 0.5."""


def start(number: int) -> ShapeFit:
    """Return a start that can be told from others by its scale."""
    return ShapeFit(np.array([number, 0, 0, 0, 0, 0], np.float32), np.zeros(34, np.float32))


@dataclass
class Script:
    """A landmark model that plays given likelihoods and notes what it was asked."""

    coarse: list[float]
    final: dict[int, tuple[float, float]]
    """Likelihood and confidence of the finished fit, by number of the start."""
    finished: list[tuple[int, bool]] = field(default_factory=list)
    """Starts finished, and whether their local parameters were still those of the coarse fit."""
    tested: int = 0

    def begin(self, start: ShapeFit) -> PointFit:
        """Fit at the coarsest scale: local parameters become 1."""
        self.tested += 1
        number = int(start.params_global[0])
        shape = ShapeFit(start.params_global, np.ones(34, np.float32))
        return PointFit(shape, True, self.coarse[number], view=number % 7)

    def finish(self, start: ShapeFit) -> FaceFit:
        """Finish a fit."""
        number = int(start.params_global[0])
        self.finished.append((number, bool(start.params_local.all())))
        likelihood, confidence = self.final.get(number, (0.0, 1.0))
        ok = confidence > 0.725
        landmarks = np.full((68, 2), number, np.float32)
        return FaceFit(start, landmarks, (), likelihood, confidence, ok, 0, 5, False, 1.0, ok)


def run(script: Script, rule: EarlyTermination = RULE) -> FaceFit:
    starts = [start(n) for n in range(len(script.coarse))]
    return fit_starts(rule, starts, script.begin, script.finish)


def test_first_good_start_is_finished_alone() -> None:
    script = Script([0.1, 0.6, 0.9], {1: (-2.0, 0.975)})
    fit = run(script)
    assert script.tested == 2
    assert script.finished == [(1, True)]  # from where the coarse fit ended
    assert (fit.landmarks[0, 0], fit.likelihood, fit.confidence) == (1, -2.0, 0.975)
    assert fit.ok
    assert fit.accepted


def test_without_a_good_one_the_three_best_are_finished() -> None:
    script = Script([0.4, 0.1, 0.3, 0.2, 0.0], {0: (1.0, 0.9), 2: (3.0, 0.9), 3: (2.0, 0.9)})
    fit = run(script)
    assert script.tested == 5
    assert script.finished == [(0, False), (2, False), (3, False)]  # pose alone
    assert fit.landmarks[0, 0] == 2


def test_last_tested_start_keeps_its_shape() -> None:
    script = Script([0.1, 0.2, 0.3, 0.4], {})
    run(script)
    assert script.finished == [(3, True), (2, False), (1, False)]
    one = Script([0.1], {0: (0.0, 0.5)})
    run(one)
    assert one.finished == [(0, True)]


def test_confidence_and_verdict_are_those_of_the_last_finished() -> None:
    """The winner is good, the last finished is not; and the other way round."""
    finals = {0: (9.0, 0.975), 1: (1.0, 0.9), 2: (2.0, 0.1)}
    fit = run(Script([0.4, 0.3, 0.2], finals))
    assert fit.landmarks[0, 0] == 0
    assert (fit.ok, fit.confidence, fit.accepted) == (True, 0.1, False)
    finals = {0: (9.0, 0.1), 1: (1.0, 0.1), 2: (2.0, 0.975)}
    fit = run(Script([0.4, 0.3, 0.2], finals))
    assert (fit.ok, fit.confidence, fit.accepted) == (False, 0.975, True)


def test_first_of_equally_likely_wins() -> None:
    fit = run(Script([0.2, 0.4, 0.3], {0: (1.0, 0.9), 1: (1.0, 0.9), 2: (1.0, 0.9)}))
    assert fit.landmarks[0, 0] == 1


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=11), st.floats(-3, 3))
def test_what_is_finished_follows_from_the_values(coarse: list[float], cutoff: float) -> None:
    rule = EarlyTermination(np.ones(7), np.zeros(7), np.full(7, cutoff))
    script = Script(coarse, {})
    run(script, rule)
    values = [float(np.float32(value)) for value in coarse]
    good = [n for n, value in enumerate(values) if value > cutoff]
    finished = [n for n, _ in script.finished]
    if good:
        assert finished == good[:1]
        assert script.tested == good[0] + 1
    else:
        assert finished == sorted(range(len(values)), key=lambda n: -values[n])[:3]


def test_rule_of_the_published_file(weights_dir: Path) -> None:
    rule = EarlyTermination.load(weights_dir / "early_term_cen_of.txt", 7)
    assert rule.value(3, -0.5) == np.float32(0.976 * -0.5 - 0.37)
    assert rule.enough(0, -0.229)
    assert not rule.enough(0, -0.23)
    assert rule.cutoffs.tolist() == [-0.23, -0.2, -0.14, 0.26, 0.26, -0.14, -0.2]


@pytest.mark.parametrize("text", ["", "1 2", "1 2 3 4", "1 x 3", "1 nan 3"])
def test_bad_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "rule.txt"
    path.write_text(text)
    with pytest.raises(WeightsError, match=r"rule\.txt"):
        EarlyTermination.load(path, 1)
