"""Compares the data contract with the existing schema."""
