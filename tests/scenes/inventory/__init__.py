"""Inventories and policies as people write them."""
