"""Workloads run with least privileges, and survive node maintenance and failures."""
