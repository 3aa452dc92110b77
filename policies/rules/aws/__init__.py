"""What AWS' Foundational Security Best Practices ask of what we use; by the subjects of their controls."""
