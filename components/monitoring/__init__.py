"""What components bring for those who watch them."""
