"""Face video in, OpenFace-compatible action-unit CSV out."""

__version__ = "0.1.0"
