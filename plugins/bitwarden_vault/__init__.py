"""Vault access for Airflow through the official `bitwarden-sdk`, which never runs inside an Airflow process.

Rules this package keeps:
- `client.py` is the only way in; it needs nothing but the standard library.
- `worker.py` is the only importer of `bitwarden_sdk`; an agent of its own (`agent.py`) runs and kills it.
- It knows nothing of rotation.
"""
