"""Constrained local models: patch experts, NU-RLMS, CLNF, targeted refinement."""
