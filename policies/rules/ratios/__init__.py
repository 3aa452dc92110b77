"""Scaled values have the declared ratio, and the topology is production's."""
