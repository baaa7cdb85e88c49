"""Rotation of credentials: the protocol, its journal, the engines, and the doors people use."""

__version__ = "0.1.0"
"""The only place that says it: the wheel and the warning about a second copy read it here."""
