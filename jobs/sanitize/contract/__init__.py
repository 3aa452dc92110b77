"""The data contract compared with the living schema."""
