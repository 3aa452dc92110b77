"""What a change does: the resource graph of a stack, and what is read from it."""
