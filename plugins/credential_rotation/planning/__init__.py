"""What is due, open, late or missing, told from the names in the vault alone. Pure."""
