"""Similarity alignment of a face and its mask."""
