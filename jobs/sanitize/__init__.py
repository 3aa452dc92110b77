"""Sanitised data: production's tables, masked where they are read, proved clean, and swapped in at once.

``plan`` compares the contract with the living schema and says what a refresh would do; ``run`` does it; ``verify`` proves
what is there. Data flow one way: contract and catalog → plan → shadow schema → proof → swap → receipt.
"""
