"""Eyes and gaze."""
