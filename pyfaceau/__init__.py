"""Face video in, OpenFace-compatible action-unit CSV out."""
