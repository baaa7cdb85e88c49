"""Vault access for Airflow through the official `bitwarden-sdk`, which never runs inside an Airflow process.

Rules this package keeps:
- `client.py` is the only way in; it needs nothing but the standard library.
- `worker.py` is the only importer of the SDK's core, `bitwarden_py`; an agent (`agent.py`) runs and kills it.
- It knows nothing of rotation.
"""
