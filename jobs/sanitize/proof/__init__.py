"""The proof of the copy, and the receipt."""
