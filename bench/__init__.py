"""Measurements of waiting times and of the sanitiser: ``make bench``."""
