"""Mistakes planted in the product's own code, which its tests have to see."""
