"""The resource graph of a stack, and what a change does to it."""
