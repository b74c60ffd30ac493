"""What comes in: videos, pictures and folders of them, as frames."""
