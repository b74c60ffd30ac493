"""Files of patch experts: told apart by their contents, refused where they are cut short."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyfaceau.errors import WeightsError
from pyfaceau.refinement.ccnf import CCNFExperts
from pyfaceau.refinement.expert_files import load_experts
from pyfaceau.refinement.svr import SVRExperts


def test_kind_is_told_from_the_contents(weights_dir: Path) -> None:
    assert isinstance(load_experts(weights_dir / "svr_patches_0.5_general.txt"), SVRExperts)
    assert isinstance(load_experts(weights_dir / "ccnf_patches_0.5_general.txt"), CCNFExperts)


@pytest.mark.parametrize("name", ["svr_patches_0.5_general.txt", "ccnf_patches_0.5_general.txt"])
@pytest.mark.parametrize("cut", [0, 100, 50_000, -40])
def test_truncated_file_is_refused(weights_dir: Path, tmp_path: Path, name: str, cut: int) -> None:
    copy = tmp_path / name
    copy.write_bytes((weights_dir / name).read_bytes()[:cut])
    with pytest.raises(WeightsError, match=r"general\.txt"):
        load_experts(copy)
