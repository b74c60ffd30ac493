"""One side of the face against the other: split faces, geometry per side, the gate."""
