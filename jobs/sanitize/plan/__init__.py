"""The plan of a refresh: rows, masks and statements."""
