"""Action-unit models, the predictor and the whole-video pass."""
