"""What a person did, when, and what came of it: actions, peaks, synkinesis, reliability."""
