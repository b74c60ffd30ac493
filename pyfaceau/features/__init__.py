"""What the action-unit models see: FHOG, geometry, the running median."""
