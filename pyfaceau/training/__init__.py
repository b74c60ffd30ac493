"""Training of landmark networks, patch experts, shape models and action-unit models."""
