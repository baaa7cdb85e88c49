"""Rotations that run beside each other, in processes of their own."""
