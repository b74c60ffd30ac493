"""Float32 arithmetic as the reference program does it; knows nothing of faces."""
