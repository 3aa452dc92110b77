"""Data is encrypted, backed up, and not deleted by accident."""
