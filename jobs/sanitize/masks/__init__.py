"""Expressions that mask a value, in SQL."""
