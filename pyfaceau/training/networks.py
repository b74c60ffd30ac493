"""Landmark networks to train: Xception and PFLD."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from pyfaceau.errors import InputError
from pyfaceau.landmarks.network import Interface

POINTS = 68


@dataclass(frozen=True)
class NetworkSpec:
    """Which network.

    Attributes
    ----------
    name : {'xception', 'pfld'}
        Its kind.
    width : float
        Factor on the number of channels; 1 for the published network.
    gray : bool
        It sees one gray plane from -1 to 1, else red, green and blue, Xception's from -1 to 1 and
        PFLD's from 0 to 1.
    side : int
        Side of its crop, pixels; 0 for that of the published network, 299 and 112.
    """

    name: str = "pfld"
    width: float = 1.0
    gray: bool = False
    side: int = 0

    def __post_init__(self) -> None:
        if self.name not in NETWORKS:
            raise InputError(f"model: expected {' or '.join(NETWORKS)}, got {self.name!r}")
        if not 0.05 <= self.width <= 4:
            raise InputError(f"width: expected 0.05 to 4, got {self.width}")
        if self.side and not (
            32 <= self.side <= 1024 and (self.name != "pfld" or not self.side % 16)
        ):
            raise InputError(
                f"side: expected 32 to 1024, for pfld a multiple of 16, got {self.side}"
            )

    def interface(self) -> Interface:
        """Return what the network wants to see, and how its answer reads.

        Returns
        -------
        Interface
            As it is written into its ONNX file.
        """
        channels = "gray" if self.gray else "rgb"
        low = -1.0 if self.gray or self.name == "xception" else 0.0
        return Interface(self.side or NETWORKS[self.name], channels, low, 1.0)

    def build(self) -> nn.Module:
        """Return the network, its weights drawn from torch's generator.

        Returns
        -------
        torch.nn.Module
            Takes (n, planes, side, side), gives landmarks (n, 136) in units of the side and, PFLD's
            while it is trained, head rotations (n, 3), else None.
        """
        if self.name == "xception":
            return Xception(self.width, 1 if self.gray else 3)
        return PFLDNetwork(self.width, 1 if self.gray else 3, self.interface().side)


NETWORKS = {"xception": 299, "pfld": 112}
"""Networks and the sides of their crops, pixels."""


def _channels(count: int, width: float) -> int:
    """Return a scaled number of channels, a multiple of 4."""
    return max(4, round(count * width / 4) * 4)


class _Separable(nn.Module):
    """Depthwise 3x3 convolution, pointwise convolution, batch normalisation."""

    def __init__(self, into: int, out: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(into, into, 3, padding=1, groups=into, bias=False),
            nn.Conv2d(into, out, 1, bias=False),
            nn.BatchNorm2d(out),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.layers(x)
        return out


class _XceptionBlock(nn.Module):
    """ReLU and separable convolutions, halved by pooling where `stride` is 2, and a residual."""

    def __init__(self, widths: Sequence[int], stride: int, first_relu: bool = True) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for k, (into, out) in enumerate(itertools.pairwise(widths)):
            if k or first_relu:
                layers.append(nn.ReLU())
            layers.append(_Separable(into, out))
        if stride == 2:
            layers.append(nn.MaxPool2d(3, 2, 1))
        self.layers = nn.Sequential(*layers)
        self.skip: nn.Module = nn.Identity()
        if stride == 2 or widths[0] != widths[-1]:
            self.skip = nn.Sequential(
                nn.Conv2d(widths[0], widths[-1], 1, stride, bias=False), nn.BatchNorm2d(widths[-1])
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.layers(x) + self.skip(x)
        return out


class Xception(nn.Module):
    """Xception with a linear layer for 68 points.

    Chollet, "Xception: Deep learning with depthwise separable convolutions", CVPR 2017, figure 5:
    entry flow, eight middle blocks, exit flow, global average pooling.

    Parameters
    ----------
    width : float
        Factor on the number of channels.
    planes : int
        Planes of the input.
    """

    def __init__(self, width: float = 1.0, planes: int = 3) -> None:
        super().__init__()
        c = {n: _channels(n, width) for n in (32, 64, 128, 256, 728, 1024, 1536, 2048)}
        self.entry = nn.Sequential(
            nn.Conv2d(planes, c[32], 3, 2, bias=False),
            nn.BatchNorm2d(c[32]),
            nn.ReLU(),
            nn.Conv2d(c[32], c[64], 3, bias=False),
            nn.BatchNorm2d(c[64]),
            nn.ReLU(),
            _XceptionBlock((c[64], c[128], c[128]), 2, first_relu=False),
            _XceptionBlock((c[128], c[256], c[256]), 2),
            _XceptionBlock((c[256], c[728], c[728]), 2),
        )
        self.middle = nn.Sequential(*(_XceptionBlock((c[728],) * 4, 1) for _ in range(8)))
        self.exit = nn.Sequential(
            _XceptionBlock((c[728], c[728], c[1024]), 2),
            _Separable(c[1024], c[1536]),
            nn.ReLU(),
            _Separable(c[1536], c[2048]),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )
        self.head = nn.Linear(c[2048], 2 * POINTS)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, None]:
        """Return landmarks.

        Parameters
        ----------
        x : (n, planes, side, side) float32
            Crops.

        Returns
        -------
        landmarks : (n, 136) float32
            x, y of each point, units of the side.
        pose : None
            It has no second branch.
        """
        return self.head(self.exit(self.middle(self.entry(x)))), None


def _conv(into: int, out: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Return convolution, batch normalisation, ReLU."""
    padding = kernel // 2 if kernel <= 3 else 0
    return nn.Sequential(
        nn.Conv2d(into, out, kernel, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(out),
        nn.ReLU(),
    )


class _Bottleneck(nn.Module):
    """MobileNetV2's inverted residual."""

    def __init__(self, into: int, out: int, stride: int, expand: int) -> None:
        super().__init__()
        inner = into * expand
        self.layers = nn.Sequential(
            _conv(into, inner, 1),
            _conv(inner, inner, 3, stride, inner),
            nn.Conv2d(inner, out, 1, bias=False),
            nn.BatchNorm2d(out),
        )
        self.residual = stride == 1 and into == out

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.layers(x)
        return x + out if self.residual else out


class PFLDNetwork(nn.Module):
    """PFLD: bottlenecks, three scales into one linear layer, and a branch for the head's rotation.

    Guo et al., "PFLD: A practical facial landmark detector", arXiv 1902.10859, tables 1 and 2.

    Parameters
    ----------
    width : float
        Factor on the number of channels.
    planes : int
        Planes of the input.
    side : int
        Side of the input, pixels; a multiple of 16.
    """

    def __init__(self, width: float = 1.0, planes: int = 3, side: int = 112) -> None:
        super().__init__()
        c64, c128, c16, c32 = (_channels(n, width) for n in (64, 128, 16, 32))
        self.stem = nn.Sequential(
            _conv(planes, c64, 3, 2),
            _conv(c64, c64, 3, 1, c64),
            _Bottleneck(c64, c64, 2, 2),
            *(_Bottleneck(c64, c64, 1, 2) for _ in range(4)),
        )
        self.body = nn.Sequential(
            _Bottleneck(c64, c128, 2, 2),
            _Bottleneck(c128, c128, 1, 4),
            *(_Bottleneck(c128, c128, 1, 4) for _ in range(5)),
            _Bottleneck(c128, c16, 1, 2),
        )
        self.second = _conv(c16, c32, 3, 2)
        self.third = nn.Sequential(nn.Conv2d(c32, c128, -(-side // 16)), nn.ReLU())
        self.head = nn.Linear(c16 + c32 + c128, 2 * POINTS)
        self.pose = nn.Sequential(
            _conv(c64, c128, 3, 2),
            _conv(c128, c128, 3),
            _conv(c128, c32, 3, 2),
            _conv(c32, c128, 3, 2),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(c128, c32),
            nn.ReLU(),
            nn.Linear(c32, 3),
        )

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return landmarks and, in training, head rotations.

        Parameters
        ----------
        x : (n, planes, side, side) float32
            Crops.

        Returns
        -------
        landmarks : (n, 136) float32
            x, y of each point, units of the side.
        pose : (n, 3) float32 or None
            Radians.
        """
        early = self.stem(x)
        first = self.body(early)
        second = self.second(first)
        third = self.third(second)
        pooled = [first.mean(dim=(2, 3)), second.mean(dim=(2, 3)), third.flatten(1)]
        landmarks = self.head(torch.cat(pooled, dim=1))
        return landmarks, self.pose(early) if self.training else None
