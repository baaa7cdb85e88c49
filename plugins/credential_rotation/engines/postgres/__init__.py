"""Roles of PostgreSQL; `rotator.py` is the driver."""
