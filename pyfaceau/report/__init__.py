"""What a person reads: reports and marked videos, made of tables."""
