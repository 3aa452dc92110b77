"""A stand-in for the official kubernetes plugin."""
