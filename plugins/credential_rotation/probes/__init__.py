"""Asks those who use a credential, each kind in its own way; `consumers.py` has the table."""
