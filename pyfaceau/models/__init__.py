"""Model files: their birth certificates, where they are, how they are installed and read."""
