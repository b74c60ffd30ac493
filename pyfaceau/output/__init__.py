"""Files that the pipeline writes."""
