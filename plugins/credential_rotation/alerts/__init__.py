"""Telling people: what happened, what still works, what to do next."""
