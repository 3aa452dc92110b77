"""Workloads run with the least they need, and survive what is usual."""
