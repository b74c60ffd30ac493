"""Profiles: what the files say is what the settings are; what they cannot say is refused."""

from __future__ import annotations

import dataclasses
import re

import pytest

from pyfaceau.config import Config, Lens, Models, Refinement, profiles
from pyfaceau.errors import InputError
from pyfaceau.resources import read_toml, resource
from pyfaceau.types import Reading


def test_shipped_profiles():
    assert profiles() == ("ceclm", "clm", "default", "fast", "free", "openface", "static")
    assert Config.load("default") == Config()
    assert Config.load("fast") == Config(eyes=False, refinement=Refinement(enabled=False))
    assert Config.load("static") == Config(static_aus=True)
    stored = Reading(pixels="stored", at_cuts="keep", rotate="0")
    openface = Config(landmarks="clnf", detector="mtcnn", fixed_fps=True, reading=stored)
    assert Config.load("openface") == openface
    for name in ("ceclm", "clm"):
        models = Models(clnf=f"main_{name}_general.txt")
        assert Config.load(name) == dataclasses.replace(openface, models=models)


def test_the_default_profile_documents_every_option():
    table = read_toml(resource("configs/default.toml"))
    settings = dataclasses.asdict(Config())
    settings["refinement"]["points"] = list(settings["refinement"]["points"])
    settings["selection"]["roi"] = list(settings["selection"]["roi"])
    settings["fit"]["windows"] = list(settings["fit"]["windows"])
    assert table == settings


def test_a_file_of_ones_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('detector = "mtcnn"\n[models]\npfld = "/a/b.onnx"\n')
    assert Config.load(path) == Config(detector="mtcnn", models=Models(pfld="/a/b.onnx"))
    assert Config.load(str(path)) == Config.load(path)
    path.write_text("[fit]\nsigma = 2\n")
    assert isinstance(Config.load(path).fit.sigma, float)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("detectr = 'mtcnn'", "unknown key 'detectr'; did you mean 'detector'?"),
        ("[refinement]\nwindow = 3", "refinement: unknown key 'window'; did you mean 'search_"),
        ("detector = 'mtcn'", "detector: expected 'retinaface' or 'mtcnn', got 'mtcn'"),
        ("fixed_fps = 1", "fixed_fps: expected bool, got 1"),
        ("models = 'here'", "models: expected a table, got 'here'"),
        ("[refinement]\nsearch_window = 0", "search_window: expected 1 to 7, got 0"),
        ("[refinement]\nsearch_window = true", "search_window: expected int, got True"),
        ("[refinement]\npoints = [1, 68]", "points: expected numbers from 0 to 67, got [1, 68]"),
        ("[refinement]\npoints = [1, 'a']", "points: expected int, got 'a'"),
        ("[refinement]\npoints = 3", "points: expected a list, got 3"),
        ("[fit]\nwindows = [11, 8]", "windows: expected 0 or odd, 3 to 15, got [11, 8]"),
        ("[fit]\nwindows = [0, 0]", "windows: expected 0 or odd"),
        ("[fit]\nsigma = 0.0", "sigma: expected a positive number, got 0.0"),
        ("[fit]\nregularisation = nan", "regularisation: expected a positive number"),
        ("[fit]\nweight_factor = -1.0", "weight_factor: expected 0 or more, got -1.0"),
        ("[fit]\niterations = 0", "iterations: expected 1 or more, got 0"),
        ("not toml", "not a TOML file"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, message):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        Config.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["defualt", "mirrors", "../configs/default", ""])
def test_unknown_profile(name):
    with pytest.raises(InputError, match=r"config: expected ceclm, .* did you mean '\w+'\?"):
        Config.load(name)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        Config.load(tmp_path / "mine.toml")


def test_settings_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().static_aus = True  # type: ignore[misc]


@pytest.mark.parametrize(
    ("given", "video", "still"),
    [
        ({}, (500, 500, 320, 240), (500, 500, 320, 240)),
        ({"fx": 600.0, "fy": 610.0}, (600, 610, 320, 240), (600, 610, 320, 240)),
        ({"cx": 1.0, "cy": 2.0}, (500, 500, 1, 2), (500, 500, 1, 2)),
        ({"fx": 600.0}, (600, -1, 320, 240), (500, 500, 320, 240)),
        ({"fy": 600.0}, (500, 500, 320, 240), (500, 500, 320, 240)),
        ({"cx": 1.0}, (500, 500, 1, -1), (500, 500, 320, 240)),
    ],
)
def test_half_known_lenses_are_taken_as_openface_takes_them(given, video, still):
    for camera, expected in (
        (Lens(**given).camera(640, 480), video),
        (Lens(**given).camera(640, 480, still=True), still),
    ):
        assert (camera.fx, camera.fy, camera.cx, camera.cy) == expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"fx": 0.0}, "fx: expected a positive number of pixels, got 0.0"),
        ({"fy": -5.0}, "fy: expected a positive number"),
        ({"cx": float("nan")}, "cx: expected a finite number, got nan"),
    ],
)
def test_a_lens_that_cannot_be_is_refused(given, message):
    with pytest.raises(InputError, match=re.escape(message)):
        Lens(**given)
