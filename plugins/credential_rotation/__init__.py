"""Rotation of credentials: the protocol, its journal, the engines, and the doors people use."""
