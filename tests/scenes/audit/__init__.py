"""Audit trails, as the product writes them and as somebody spoils them."""
