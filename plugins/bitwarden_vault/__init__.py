"""Vault access for Airflow through the official `bitwarden-sdk`, which never runs inside an Airflow process.

Rules this package keeps:
- All that the agent is asked goes through `call.py`; its callers are the secrets backend and, for others,
  `client.py`. `call.py` and `client.py` need nothing but the standard library.
- `worker.py` is the only importer of the SDK's core, `bitwarden_py`; an agent (`agent.py`) runs and kills it.
- It knows nothing of rotation.
"""
