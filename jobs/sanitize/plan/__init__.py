"""What a refresh would copy: rows, masks and statements."""
