"""Compares what an environment needs with what a cluster offers; the cluster is only read."""
