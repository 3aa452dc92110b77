"""The proof over the copy, and the receipt."""
