"""Who the face is from frame to frame: the only owner of track state."""
