"""What declarations are made of: quantities, addresses, objects. No kinds."""
