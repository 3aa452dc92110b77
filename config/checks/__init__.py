"""Consistency checks between the parts of a declaration."""
