"""Vault access for Airflow through the official `bitwarden-sdk`, which never runs inside an Airflow process.

Rules this package keeps:
- All that the agent is asked goes through `call.py`; its callers are the secrets backend and, for others,
  `client.py`. `call.py` and `client.py` need nothing but the standard library.
- `agent/worker.py` is the only importer of the SDK's core, `bitwarden_py`; an agent runs and kills it.
- Who only looks something up imports nothing of `agent/` or `readers/`.
- It knows nothing of rotation.
"""
