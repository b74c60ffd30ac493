"""OpenFace's options for its landmark fit: what they set, and that their order counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pyfaceau.cli.command import main
from pyfaceau.config import WILD, Config, Fit


@pytest.fixture
def settings_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run the command line on no more than its options; return the settings, or what it said."""
    picture = tmp_path / "a.png"
    picture.touch()
    seen: list[Config] = []

    class Nothing:
        def __init__(self, config: Config, *_: object) -> None:
            seen.append(config)

        def run(self, job: object) -> str:
            return "done"

    monkeypatch.setattr("pyfaceau.cli.command.Runner", Nothing)

    def run(*options: str, config: str = "openface") -> Config | Result:
        result = CliRunner().invoke(main, [str(picture), "--config", config, *options])
        return seen[-1] if result.exit_code == 0 else result

    return run


@pytest.mark.parametrize(
    ("options", "fit", "multi_view"),
    [
        ("", Fit(), False),
        ("-wild", WILD, True),
        ("-multi_view 1", Fit(), True),
        ("-wild -multi_view 0", WILD, False),
        ("-multi_view 0 -wild", WILD, True),
        ("-sigma 2 -wild", WILD, True),
        ("-wild -sigma 2", Fit((15, 13, 11, 11), 2.0, 35.0, 2.5, 10), True),
        ("-sigma 2 -w_reg 0.5 -reg 7 -n_iter 3", Fit((11, 9, 7, 5), 2.0, 7.0, 0.5, 3), False),
        ("-w_reg 1 -wild -w_reg 0", Fit((15, 13, 11, 11), 1.25, 35.0, 2.5, 10), True),
    ],
)
def test_options_count_in_their_order(settings_of, options, fit, multi_view):
    """Of an option that is given twice, the last value stands where the first does."""
    settings = settings_of(*options.split())
    assert (settings.fit, settings.multi_view) == (fit, multi_view)


def test_numbers_that_make_no_sense(settings_of):
    assert "sigma: expected a positive number" in settings_of("-sigma", "0").output
    assert "iterations: expected 1 or more" in settings_of("-n_iter", "0").output
    assert settings_of("-multi_view", "2").exit_code == 2


def test_only_with_openfaces_landmark_models(settings_of):
    result = settings_of("-wild", config="default")
    assert result.exit_code == 2
    assert "--config openface" in result.output
    assert settings_of("-wild", config="ceclm").models.clnf == "main_ceclm_general.txt"
