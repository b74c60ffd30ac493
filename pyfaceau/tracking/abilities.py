"""What a tracker fits with, for those who fit other pictures likewise; not every tracker has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from pyfaceau.refinement.eyes import EyeFitter
from pyfaceau.tracking.stages import LandmarkNet, Refiner

if TYPE_CHECKING:
    from pyfaceau.tracking.fitter import FaceFitter
    from pyfaceau.tracking.tracker import Tracker


@runtime_checkable
class FitsEyes(Protocol):
    """A tracker or fitter whose faces are given eyes.

    Attributes
    ----------
    eyes : EyeFitter or None
        Fits them where a face comes without; None where the profile wants none.
    """

    @property
    def eyes(self) -> EyeFitter | None:
        """The eyes' fitter."""


@runtime_checkable
class FitsShapes(Protocol):
    """A tracker whose way of fitting the shape model can be used on other pictures.

    Attributes
    ----------
    refiner : Refiner or None
        Has no memory; None where the profile refines nothing.
    """

    @property
    def refiner(self) -> Refiner | None:
        """What fits the shape model."""


@runtime_checkable
class IsWatched(Protocol):
    """A tracker over whose shapes a landmark network watches.

    Attributes
    ----------
    network : LandmarkNet or None
        None where nothing watches.
    """

    @property
    def network(self) -> LandmarkNet | None:
        """What watches."""


def eyes_of(tracker: Tracker | FaceFitter) -> EyeFitter | None:
    """Return what fits the eyes of a tracker's faces.

    Parameters
    ----------
    tracker : Tracker or FaceFitter
        Any.

    Returns
    -------
    EyeFitter or None
        None where no eyes are wanted, or the models have none.
    """
    return tracker.eyes if isinstance(tracker, FitsEyes) else None


def refiner_of(tracker: Tracker) -> Refiner | None:
    """Return what fits the shape model to a picture as a tracker does it.

    Parameters
    ----------
    tracker : Tracker
        Any.

    Returns
    -------
    Refiner or None
        None where there is none, or where it needs points of a network.
    """
    refiner = tracker.refiner if isinstance(tracker, FitsShapes) else None
    return None if refiner is None or refiner.needs_landmarks else refiner


def network_of(tracker: Tracker) -> LandmarkNet | None:
    """Return the landmark network that watches over a tracker's shapes.

    Parameters
    ----------
    tracker : Tracker
        Any.

    Returns
    -------
    LandmarkNet or None
        None where there is none.
    """
    return tracker.network if isinstance(tracker, IsWatched) else None
