"""What a person waits for, measured: ``make bench``."""
