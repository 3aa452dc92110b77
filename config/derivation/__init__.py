"""Derives each environment from production: values, provenance, identities, order and capacity."""
