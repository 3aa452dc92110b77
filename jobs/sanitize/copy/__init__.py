"""The masked copy: workers, the shadow schema, definitions and rights."""
