"""Nothing of one environment reaches, or is reached by, another."""
