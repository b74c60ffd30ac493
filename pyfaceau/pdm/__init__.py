"""The point distribution model (PDM), CalcParams, 3-D landmarks and head pose."""
