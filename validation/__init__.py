"""How close to OpenFace, and how fast: the measurements behind every figure in this repository."""
