"""In-memory stand-ins for the vault and a target: fast enough to kill an attempt at every effect.

They count as proof because they pass the contract suites of the real parts (`tests/contracts`).
"""
