"""Roles on a real PostgreSQL, and what stands in front of it."""
