"""Sanitised data: production's tables, masked where they are read, proved clean, and swapped in at once.

``plan`` compares the contract with the existing schema and reports the effect of a refresh; ``run`` performs it;
``verify`` proves existing data. Data flow one way: contract and catalog → plan → shadow schema → proof → swap → receipt.
"""
