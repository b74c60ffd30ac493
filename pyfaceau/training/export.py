"""From a trained network to an ONNX file that the pipeline takes, checked against PyTorch."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn

from pyfaceau.errors import InputError
from pyfaceau.training.checkpoint import Checkpoint
from pyfaceau.training.files import write_whole
from pyfaceau.training.networks import POINTS, NetworkSpec

AGREE = 1e-4
"""Units of the crop's side by which ONNX Runtime may differ from PyTorch."""


class _Points(nn.Module):
    """A network without what it has for training alone."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, crops: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.network(crops)[0]
        return answer.reshape(-1, 2 * POINTS)


def network_of(checkpoint: Checkpoint) -> nn.Module:
    """Return a checkpoint's network, for use.

    Parameters
    ----------
    checkpoint : Checkpoint
        Of a run.

    Returns
    -------
    torch.nn.Module
        On the CPU, its batch normalisation fixed.
    """
    network = checkpoint.options.network.build()
    network.load_state_dict(checkpoint.model)
    return network.eval()


def export(checkpoint: Checkpoint, path: Path) -> float:
    """Write a network to an ONNX file that says its own interface.

    Parameters
    ----------
    checkpoint : Checkpoint
        Of a run.
    path : Path
        The file, .onnx.

    Returns
    -------
    float
        Largest difference between ONNX Runtime and PyTorch on random crops, units of the side.

    Raises
    ------
    InputError
        If the two differ by more than 1e-4.
    OutputError
        If the file cannot be written.
    """
    network, spec = _Points(network_of(checkpoint)).eval(), checkpoint.options.network
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "network.onnx"
        _write(network, spec, made)
        difference = _difference(network, spec, made)
        if not difference <= AGREE:
            raise InputError(f"export: expected agreement to {AGREE:g}, got {difference:.2g}")
        write_whole(made.read_bytes(), path)
    return difference


def _write(network: nn.Module, spec: NetworkSpec, path: Path) -> None:
    import onnx

    interface = spec.interface()
    crops = torch.zeros(1, interface.planes, interface.side, interface.side)
    with warnings.catch_warnings():
        # The older exporter needs no further package and writes what the pipeline reads.
        warnings.simplefilter("ignore", DeprecationWarning)
        _trace(network, crops, path)
    model = onnx.load(str(path))
    for key, value in interface.metadata().items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.save(model, str(path))


def _trace(network: nn.Module, crops: torch.Tensor, path: Path) -> None:
    torch.onnx.export(
        network,
        (crops,),
        str(path),
        input_names=["crops"],
        output_names=["landmarks"],
        dynamic_axes={"crops": {0: "n"}, "landmarks": {0: "n"}},
        opset_version=17,
        dynamo=False,
    )


def _difference(network: nn.Module, spec: NetworkSpec, path: Path) -> float:
    """Compare both on random crops."""
    import onnxruntime

    interface = spec.interface()
    shape = (4, interface.planes, interface.side, interface.side)
    crops = np.random.default_rng(0).uniform(interface.low, interface.high, shape)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    [found] = session.run(None, {"crops": crops.astype(np.float32)})
    with torch.no_grad():
        expected = network(torch.from_numpy(crops.astype(np.float32))).numpy()
    return float(np.abs(found - expected).max())
