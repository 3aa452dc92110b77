"""No environment reaches another, or is reached by it."""
