"""Declarations: their models, quantities and checks, and the derivation of staging from production.

This package reads files only; it uses no network and not the Pulumi SDK.
"""
