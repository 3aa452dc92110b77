"""Scaled values have the declared ratio, and the topology equals production's."""
