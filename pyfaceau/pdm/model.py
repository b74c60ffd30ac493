"""The point distribution model (PDM): a 3-D face shape under weak perspective.

x = s R(theta) (M + V p) + t, with mean shape M, modes V, variances E of the modes (Saragih, Lucey
and Cohn, "Deformable model fitting by regularized landmark mean-shift", IJCV 2011, eq. 2).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pyfaceau.errors import InputError, check_array, check_type
from pyfaceau.models.modelfile import TextReader, mend
from pyfaceau.numerics.gemm import matvec, order_blocks
from pyfaceau.numerics.rotation import euler_to_matrix
from pyfaceau.pdm import _kernels, _kernels_shape
from pyfaceau.types import FaceBox, Float32, ShapeFit


@dataclass(frozen=True, eq=False)
class PDM:
    """A point distribution model.

    Attributes
    ----------
    mean : (3n,) float32
        Mean shape, mm: all x (right), all y (down), all z (away from the camera).
    basis : (3n, m) float32
        Unit-length modes of variation.
    eigenvalues : (m,) float32
        Variance of each mode, mm squared.
    """

    mean: Float32
    basis: Float32
    eigenvalues: Float32

    def __post_init__(self) -> None:
        n3, m = np.shape(self.basis) if np.ndim(self.basis) == 2 else (0, 0)
        if n3 == 0 or n3 % 3 or m == 0:
            raise InputError(f"basis: expected (3n, m) float32, got shape {np.shape(self.basis)}")
        for name, shape in (("mean", (n3,)), ("basis", (n3, m)), ("eigenvalues", (m,))):
            array = check_array(name, getattr(self, name), shape, np.float32)
            object.__setattr__(self, name, array)

    @classmethod
    def load(cls, path: str | Path) -> PDM:
        """Read a model in OpenFace's text format: mean, modes, variances.

        Parameters
        ----------
        path : str or Path
            For instance ``In-the-wild_aligned_PDM_68.txt``.

        Returns
        -------
        PDM
            The model, float32.

        Raises
        ------
        WeightsError
            If the file is missing or damaged.
        """
        reader = TextReader(path)
        mean, basis, variances = reader.matrix(), reader.matrix(), reader.matrix()
        reader.expect_end()
        if mean.shape[1] != 1 or basis.shape != (mean.size, variances.size) or mean.size % 3:
            raise mend(Path(path), "the three matrices of this shape model do not fit together")
        return cls(
            mean.ravel().astype(np.float32),
            basis.astype(np.float32),
            variances.ravel().astype(np.float32),
        )

    @property
    def n_points(self) -> int:
        """Number of points n."""
        return self.mean.size // 3

    @property
    def n_modes(self) -> int:
        """Number of modes m."""
        return self.eigenvalues.size

    @cached_property
    def basis_t(self) -> Float32:
        """The modes transposed, (m, 3n), contiguous."""
        return np.ascontiguousarray(self.basis.T)

    @cached_property
    def limits(self) -> Float32:
        """Three standard deviations of each mode, (m,) float32."""
        three_sigma: Float32 = np.float32(3) * np.sqrt(self.eigenvalues)
        return three_sigma

    @cached_property
    def _blocks(self) -> NDArray[np.bool_]:
        return order_blocks(6 + self.n_modes, 6 + self.n_modes)

    def shape_3d(self, params_local: ArrayLike) -> Float32:
        """Return the 3-D shape M + V p.

        Parameters
        ----------
        params_local : (m,) array_like
            Non-rigid parameters.

        Returns
        -------
        (3n,) float32
            All x, all y, all z; mm, object frame.
        """
        p = check_array("params_local", params_local, (self.n_modes,), np.float32)
        out = np.empty(self.mean.size, np.float32)
        matvec(self.basis_t, p, self.mean, out)
        return out

    def shape_2d(self, fit: ShapeFit) -> Float32:
        """Return the projected shape s R (M + V p) + t.

        Parameters
        ----------
        fit : ShapeFit
            Parameters.

        Returns
        -------
        (n, 2) float32
            Pixels.

        Raises
        ------
        InputError
            If `fit` is no ShapeFit, or one of another model.
        """
        return _kernels_shape.shape_2d(*self.model_of(fit))

    def model_of(self, fit: ShapeFit) -> tuple[Float32, Float32, Float32, Float32]:
        """Return what kernels need of this model and of a fit of it.

        Parameters
        ----------
        fit : ShapeFit
            Parameters.

        Returns
        -------
        tuple of float32 arrays
            Transposed modes (m, 3n), mean (3n,), rigid (6,) and non-rigid (m,) parameters.

        Raises
        ------
        InputError
            If `fit` is no ShapeFit, or one of another model.
        """
        local = check_type("fit", fit, ShapeFit).params_local
        if local.shape != self.eigenvalues.shape:
            check_array("params_local", local, (self.n_modes,), np.float32)
        # Copies may be written to, as parameters inside the kernels of a fit: one compilation.
        return self.basis_t, self.mean, fit.params_global.copy(), local.copy()

    def params_from_box(self, box: FaceBox, rotation: ArrayLike = (0.0, 0.0, 0.0)) -> ShapeFit:
        """Return the mean shape, rotated, scaled and moved to fill a face box.

        Parameters
        ----------
        box : FaceBox
            Box of the landmarks (not of the whole head), pixels.
        rotation : (3,) array_like
            Pitch, yaw, roll hypothesis, radians.

        Returns
        -------
        ShapeFit
            Non-rigid parameters zero.
        """
        angles = check_array("rotation", rotation, (3,), np.float32)
        r = euler_to_matrix(angles)
        x, y, z = self.mean.reshape(3, -1)
        u = (r[0, 0] * x + r[0, 1] * y) + r[0, 2] * z
        v = (r[1, 0] * x + r[1, 1] * y) + r[1, 2] * z
        f32 = np.float32
        left, top, width, height = f32(box.x), f32(box.y), f32(box.width), f32(box.height)
        scale = (width / (u.max() - u.min()) + height / (v.max() - v.min())) / f32(2)
        middle_u, middle_v = float(u.min() + u.max()), float(v.min() + v.max())
        tx = f32(float(left + width / f32(2)) - float(scale) * middle_u / 2)
        ty = f32(float(top + height / f32(2)) - float(scale) * middle_v / 2)
        return ShapeFit(
            np.array([scale, *angles, tx, ty], np.float32), np.zeros(self.n_modes, np.float32)
        )

    def calc_params(self, landmarks: ArrayLike) -> ShapeFit:
        """Fit the model to landmarks, from scratch.

        Gauss-Newton on the squared distance plus p' E^-1 p, in steps of 0.75, until the error has
        failed three times to fall by 0.1 %. Points whose x is exactly 0 count as missing.

        Parameters
        ----------
        landmarks : (n, 2) array_like
            Pixels.

        Returns
        -------
        ShapeFit
            Parameters, not limited.

        Raises
        ------
        InputError
            If the array has another shape, is not finite, or fewer than three points are there.
        """
        points = check_array("landmarks", landmarks, (self.n_points, 2), np.float32)
        mean, basis, basis_t = self.mean, self.basis, self.basis_t
        count = np.count_nonzero(points[:, 0])
        if count < 3:
            raise InputError(
                f"landmarks: expected at least 3 points with x other than 0, got {count}"
            )
        if count < len(points):
            seen = points[:, 0] != 0
            rows = np.tile(seen, 3)
            points = points[seen]
            mean, basis = mean[rows], basis[rows]
            basis_t = np.ascontiguousarray(basis.T)
        params_global = np.empty(6, np.float32)
        params_local = np.empty(self.n_modes, np.float32)
        target = points.T.ravel()
        _kernels.calc_params(
            mean,
            basis,
            basis_t,
            self.eigenvalues,
            self._blocks,
            target,
            params_global,
            params_local,
        )
        return ShapeFit(params_global, params_local)
