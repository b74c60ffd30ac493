"""Profiles: frozen settings, read from ``configs/*.toml``."""

from __future__ import annotations

import dataclasses
import difflib
import math
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from pyfaceau.errors import InputError
from pyfaceau.resources import read_toml, resource
from pyfaceau.types import Camera, Reading, Selection

T = TypeVar("T")

_NO_PROFILES = frozenset({"expressions", "mirrors"})
"""Files of ``configs/`` that hold other settings."""


@dataclass(frozen=True)
class Models:
    """Model files: paths, or names within the weights folder.

    Attributes
    ----------
    retinaface : str
        RetinaFace network, ONNX.
    pfld : str
        PFLD network, ONNX.
    pdm : str
        68-point shape model.
    au_predictors : str
        Folder of the action-unit models.
    triangulation : str
        Triangles that cover the face.
    patch_experts : str
        Patch experts of the targeted refinement.
    validator : str
        Detection validator.
    clnf : str
        List file of OpenFace's landmark model: CLNF, CLM or CE-CLM, with its parts.
    mesh : str
        MediaPipe's Face Landmarker.
    """

    retinaface: str = "retinaface_mobilenet025.onnx"
    pfld: str = "pfld_cunjian.onnx"
    pdm: str = "In-the-wild_aligned_PDM_68.txt"
    au_predictors: str = "AU_predictors"
    triangulation: str = "tris_68_full.txt"
    patch_experts: str = "svr_patches_0.25_general.txt"
    validator: str = "validator_cnn.txt"
    clnf: str = "main_clnf_general.txt"
    mesh: str = "face_landmarker.task"


@dataclass(frozen=True)
class Refinement:
    """Refinement of the landmark network's points by patch experts.

    Attributes
    ----------
    enabled : bool
        Refine at all.
    method : {'face', 'points'}
        Measure all points as OpenFace's landmark model does, from the fit of the frame before; or
        chosen points only, from the network's.
    search_window : int
        Pixels to each side of a point, at the finest experts' scale, in which it is searched; 1 to
        7.
    points : tuple of int
        Landmarks that are measured in the picture, 0 to 67; the others follow.
    """

    enabled: bool = True
    method: Literal["face", "points"] = "face"
    search_window: int = 3
    points: tuple[int, ...] = (17, 18, 19, 20, 21, 22, 26, 48, 54)

    def __post_init__(self) -> None:
        if self.search_window not in range(1, 8):
            raise InputError(f"search_window: expected 1 to 7, got {self.search_window}")
        if not self.points or any(point not in range(68) for point in self.points):
            raise InputError(f"points: expected numbers from 0 to 67, got {list(self.points)}")


@dataclass(frozen=True)
class Fit:
    """How OpenFace's landmark model is fitted to a face that is new, or was lost.

    Attributes
    ----------
    windows : tuple of int
        Side of the area searched around each landmark, coarse to fine scale, reference pixels: odd,
        3 to 15; 0 skips the scale. A tracked face has windows of its own.
    sigma : float
        Width of the mean-shift kernel, reference pixels.
    regularisation : float
        Weight of the prior on the face's shape.
    weight_factor : float
        Landmarks weigh this times the confidence of their patch experts; at 0 all weigh 1.
    iterations : int
        Optimiser steps in each phase, at most.
    """

    windows: tuple[int, ...] = (11, 9, 7, 5)
    sigma: float = 1.5
    regularisation: float = 25.0
    weight_factor: float = 0.0
    iterations: int = 5

    def __post_init__(self) -> None:
        allowed = (0, 3, 5, 7, 9, 11, 13, 15)
        if not any(self.windows) or any(side not in allowed for side in self.windows):
            raise InputError(f"windows: expected 0 or odd, 3 to 15, got {list(self.windows)}")
        for name in ("sigma", "regularisation"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise InputError(f"{name}: expected a positive number, got {value}")
        if not (math.isfinite(self.weight_factor) and self.weight_factor >= 0):
            raise InputError(f"weight_factor: expected 0 or more, got {self.weight_factor}")
        if self.iterations < 1:
            raise InputError(f"iterations: expected 1 or more, got {self.iterations}")


WILD = Fit((15, 13, 11, 11), 1.25, 35.0, 2.5, 10)
"""The fit of OpenFace's option -wild, for difficult pictures."""

GUESSED = -1.0
"""A lens setting that is not given."""


@dataclass(frozen=True)
class Lens:
    """The camera's lens, as far as it is known; -1 where it is not.

    Attributes
    ----------
    fx, fy : float
        Focal lengths, pixels; guessed from the picture's size.
    cx, cy : float
        Principal point, pixels; the picture's centre.
    """

    fx: float = GUESSED
    fy: float = GUESSED
    cx: float = GUESSED
    cy: float = GUESSED

    def __post_init__(self) -> None:
        for name in ("fx", "fy", "cx", "cy"):
            value = getattr(self, name)
            if not math.isfinite(value):
                raise InputError(f"{name}: expected a finite number, got {value}")
        for name in ("fx", "fy"):
            value = getattr(self, name)
            if value != GUESSED and value <= 0:
                raise InputError(f"{name}: expected a positive number of pixels, got {value}")

    def camera(self, width: int, height: int, still: bool = False) -> Camera:
        """Return the camera of a video or picture, by OpenFace's rules for half-known lenses.

        Of a still picture fx and fy count where both are given, as do cx and cy. Of a video fx
        and cx decide: with them fy and cy are taken as they are, a missing one as -1 pixel, which
        makes no sense but is what OpenFace computes with; without them fy and cy do not count.

        Parameters
        ----------
        width, height : int
            Picture size, pixels.
        still : bool
            A still picture.

        Returns
        -------
        Camera
            Given values, guessed where there are none.
        """
        guess = Camera.for_size(width, height)
        focal = _given((self.fx, self.fy), still) or (guess.fx, guess.fy)
        centre = _given((self.cx, self.cy), still) or (guess.cx, guess.cy)
        return Camera(*focal, *centre)


def _given(pair: tuple[float, float], still: bool) -> tuple[float, float] | None:
    """Return the pair where it counts: of a picture if both are given, of a video by the first."""
    first, second = pair
    return pair if first != GUESSED and (second != GUESSED or not still) else None


@dataclass(frozen=True)
class Config:
    """All settings of a run.

    Attributes
    ----------
    landmarks : {'pfld', 'clnf', 'mesh'}
        What finds the landmarks: the landmark network with targeted refinement, OpenFace's full
        constrained local neural field, or MediaPipe's Face Landmarker, whose tables have
        blendshapes and none of OpenFace's action units.
    detector : {'retinaface', 'mtcnn'}
        What finds the face when there is no track; ``'mesh'`` has its own.
    device : {'cpu', 'cuda', 'coreml', 'directml'}
        Where the networks run; the CPU where a device cannot be had.
    eyes : bool
        Fit the eyes and measure the gaze; OpenFace's landmark models always do.
    static_aus : bool
        Take the action-unit models that know no neutral face of the person.
    smoothing : bool
        Smooth action units at the end: means of three frames, majorities of seven.
    fixed_fps : bool
        Stamp frame k with (k - 1) / fps as OpenFace does, not with its presentation time.
    multi_view : bool
        Try faces of still pictures at eleven head rotations, not one; used where `landmarks` is
        ``'clnf'``.
    split_face : bool
        Predict the action units of each half of the face as well, in videos of one face.
    mirrored_input : bool
        The recording is mirrored, as selfie cameras do: the patient's left is the image's left.
    identities : bool
        Where several faces are followed: give a face that is lost and found again its old number.
    header : {'openface', 'plain'}
        Between the cells of text tables, the header's too: a comma and a space, or a comma.
    lens : Lens
        The camera.
    selection : Selection
        Which part of a video, and whose face.
    fit : Fit
        Used where `landmarks` is ``'clnf'``.
    refinement : Refinement
        Used where `landmarks` is ``'pfld'``.
    models : Models
        Model files.
    """

    landmarks: Literal["pfld", "clnf", "mesh"] = "pfld"
    detector: Literal["retinaface", "mtcnn"] = "retinaface"
    device: Literal["cpu", "cuda", "coreml", "directml"] = "cpu"
    eyes: bool = True
    static_aus: bool = False
    smoothing: bool = True
    fixed_fps: bool = False
    multi_view: bool = False
    split_face: bool = False
    mirrored_input: bool = False
    identities: bool = False
    header: Literal["openface", "plain"] = "openface"
    reading: Reading = field(default_factory=Reading)
    lens: Lens = field(default_factory=Lens)
    selection: Selection = field(default_factory=Selection)
    fit: Fit = field(default_factory=Fit)
    refinement: Refinement = field(default_factory=Refinement)
    models: Models = field(default_factory=Models)

    @property
    def opening(self) -> dict[str, Any]:
        """What `pyfaceau.media.picture.open_frames` is told."""
        return {"fixed_fps": self.fixed_fps, **self.reading.options}

    @property
    def has_gaze(self) -> bool:
        """Whether eyes are fitted, so that tables have gaze."""
        return self.landmarks != "pfld" or self.eyes

    @property
    def has_units(self) -> bool:
        """Whether OpenFace's action units are measured."""
        return self.landmarks != "mesh"

    @classmethod
    def load(cls, profile: str | Path) -> Config:
        """Read a profile.

        Parameters
        ----------
        profile : str or Path
            Name of a file in ``configs/``, such as ``'default'``, or path of a TOML file.

        Returns
        -------
        Config
            The file's settings; those that it does not name have their defaults.

        Raises
        ------
        InputError
            If there is no such profile, or it holds an unknown key or a value of another kind.
        """
        path = Path(profile)
        if path.suffix != ".toml":
            path = resource(f"configs/{profile}.toml")
            known = profiles()
            if str(profile) not in known:
                raise InputError(
                    f"config: expected {', '.join(known)} or a .toml file, got {str(profile)!r}"
                    f"; did you mean {_nearest(str(profile), known)!r}?"
                )
        return cls.from_table(read_toml(path), str(path))

    @classmethod
    def from_table(cls, table: Mapping[str, Any], where: str = "config") -> Config:
        """Build settings from what a TOML or JSON file holds.

        Parameters
        ----------
        table : mapping
            Settings by name; those that it does not name have their defaults.
        where : str
            Begins the messages of errors.

        Returns
        -------
        Config
            The settings.

        Raises
        ------
        InputError
            If there is an unknown key or a value of another kind.
        """
        return _from_table(cls, table, where)


def profiles() -> tuple[str, ...]:
    """Return the names of the shipped profiles.

    Returns
    -------
    tuple of str
        Sorted.
    """
    names = {path.stem for path in resource("configs").glob("*.toml")}
    return tuple(sorted(names - _NO_PROFILES))


def _from_table(cls: type[T], table: Mapping[str, Any], where: str) -> T:
    """Build a settings class from a TOML table; `where` begins the error messages."""
    kinds = typing.get_type_hints(cls)
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in kinds:
            raise InputError(
                f"{where}: unknown key {key!r}; did you mean {_nearest(key, tuple(kinds))!r}?"
            )
        values[key] = _checked(kinds[key], value, f"{where}: {key}")
    try:
        return cls(**values)
    except InputError as error:
        raise InputError(f"{where}: {error}") from None


def _checked(kind: Any, value: Any, where: str) -> Any:
    """Return a TOML value as what the settings class wants, or refuse it."""
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            raise InputError(f"{where}: expected a table, got {value!r}")
        return _from_table(typing.cast("type[Any]", kind), value, where)
    choices = typing.get_args(kind)
    if typing.get_origin(kind) is tuple:
        if not isinstance(value, (list, tuple)):
            raise InputError(f"{where}: expected a list, got {value!r}")
        return tuple(_checked(choices[0], item, where) for item in value)
    if choices:
        if value not in choices:
            raise InputError(f"{where}: expected {' or '.join(map(repr, choices))}, got {value!r}")
    elif kind is float and type(value) is int:
        return float(value)
    elif type(value) is not kind:
        raise InputError(f"{where}: expected {kind.__name__}, got {value!r}")
    return value


def _nearest(word: str, known: tuple[str, ...]) -> str:
    """Return the known word that looks most like `word`."""
    return difflib.get_close_matches(word, known, n=1, cutoff=0.0)[0]
