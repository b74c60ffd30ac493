"""Where profile free's eyeballs lie: half of webmorph's people, tested on the other half.

    python -m validation.free_gaze FOLDER

FOLDER holds the webmorph pictures (Face Research Lab London Set and Young Adult White Faces,
DeBruine and Jones 2017, CC BY 4.0): people who look into the camera. Then camera, iris and the
eyeball's centre lie on one line; the two offsets of the centre that come nearest to it, in the
head's axes, are averaged over both eyes of every second person's neutral and smiling pictures. The
portraits were taken from farther away than the camera that is guessed for a video: `FARTHER` times
its focal length puts faces at about 1.4 m, and from there on distance matters little. Prints the
offsets and how far the measured gaze of the others is from the camera, with offsets of zero and as
shipped.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
from numpy.typing import NDArray

from pyfaceau.mesh import irises
from pyfaceau.mesh.bundle import Bundle
from pyfaceau.mesh.canonical import HeadAligner, mesh_in_space, pose_in_space
from pyfaceau.numerics.rotation import euler_to_matrix
from pyfaceau.tracking.mesh import MeshFitter
from pyfaceau.types import Camera, Frame

Float64 = NDArray[np.float64]

FARTHER = 5.0
SUBSETS = ("neutral_front", "smiling_front", "canada")


@dataclass(frozen=True, eq=False)
class Look:
    """The eyes of one picture: irises (2, 3), corners (2, 2, 3) in mm, the head's rotation."""

    irises: Float64
    corners: Float64
    rotation: Float64

    @property
    def offsets(self) -> Float64:
        """(2, 2) outwards and up: where each eyeball's centre lies if it looks at the camera."""
        found = []
        for iris, corners, out in zip(self.irises, self.corners, (-1.0, 1.0), strict=True):
            ray = iris / np.linalg.norm(iris)
            off_ray = np.eye(3) - np.outer(ray, ray)
            axes = self.rotation @ np.array([[out, 0, 0], [0, -1, 0]]).T
            start = corners.mean(axis=0) + self.rotation @ [0, 0, irises.BEHIND]
            found.append(np.linalg.lstsq(off_ray @ axes, -off_ray @ start, rcond=None)[0])
        return np.array(found)

    @property
    def miss(self) -> Float64:
        """(2,) degrees, right and down: the measured gaze without that to the camera."""
        seen = irises.gaze_of_irises(self.irises, self.corners, self.rotation)
        away = self.corners.mean(axis=(0, 1))
        camera = np.arctan2(-away[:2], away[2])
        return np.rad2deg(seen.angles - camera)


def looks(folder: Path, subset: str) -> list[Look]:
    """Return the eyes of all pictures of a subset, in the order of its list."""
    bundle = Bundle.load()
    fitter, aligner, found = MeshFitter(bundle), HeadAligner(bundle.face), []
    for name in np.load(folder / f"{subset}.npz", allow_pickle=False)["names"]:
        image = cv2.imread(str(folder / subset / str(name)))
        guess = Camera.for_size(image.shape[1], image.shape[0])
        camera = Camera(FARTHER * guess.fx, FARTHER * guess.fy, guess.cx, guess.cy)
        points = fitter.fit(Frame(image, 0, 0.0), fitter.find(image)[0]).mesh.points  # type: ignore[union-attr]
        fit = aligner.fit(points)
        space = mesh_in_space(points, fit, camera)
        turn = euler_to_matrix(pose_in_space(fit, camera).rotation).astype(np.float64)
        corners = space[np.array(irises.CORNERS)]
        found.append(Look(space[list(irises.IRISES)], corners, turn))
    return found


def main() -> None:
    """Read the command line, fit, test, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    seen = {name: looks(parser.parse_args().folder, name) for name in SUBSETS}
    fitted = [look for name in SUBSETS[:2] for look in seen[name][0::2]]
    outwards, above = np.mean([look.offsets for look in fitted], axis=(0, 1))
    sys.stdout.write(f"outwards {outwards:.2f} mm, above {above:.2f} mm, {len(fitted)} pictures\n")
    for name in SUBSETS:
        others = seen[name] if name == "canada" else seen[name][1::2]
        for label, at in (("zero", (0, 0)), ("shipped", (irises.ABOVE, irises.OUTWARDS))):
            with mock.patch.multiple(irises, ABOVE=at[0], OUTWARDS=at[1]):
                miss = np.array([look.miss for look in others])
            mean, size = miss.mean(axis=0), np.abs(miss).mean(axis=0)
            sys.stdout.write(
                f"{name}, {len(others)} others, {label}: mean x {mean[0]:.1f}, y {mean[1]:.1f}; "
                f"size x {size[0]:.1f}, y {size[1]:.1f} degrees\n"
            )


if __name__ == "__main__":
    main()
