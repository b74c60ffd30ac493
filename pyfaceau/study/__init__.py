"""Studies: many videos, one ledger, nothing lost."""
