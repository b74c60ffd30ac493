"""A face followed while it is filmed: a window, a recording, a stream for other programs."""
