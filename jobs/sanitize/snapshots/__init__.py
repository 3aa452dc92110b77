"""The refresh by snapshots of Amazon RDS."""
