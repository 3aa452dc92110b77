"""What is scaled is scaled as declared, and topology is not."""
