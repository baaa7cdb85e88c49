"""What only an installed wheel has: DAG files inside the package, and a bundle class that finds them.

Rules this file keeps:
- Imports nothing of Airflow until it is asked for its configuration.
"""

from __future__ import annotations

from pathlib import Path

BUNDLE = "credential_rotation.dag_bundle.InstalledDags"
_HERE = Path(__file__).resolve().parent
_DAGS = _HERE / "dags"
STARTER = _HERE / "include"
"""An empty inventory with its example, policies and schemas, to be copied to where the inventory is to be."""


def carried_dags() -> Path | None:
    """The folder of the DAG files that came with the wheel; None where this is a tree of folders."""
    return _DAGS if _DAGS.is_dir() else None


def is_wheel_bundle_configured() -> bool:
    """Airflow reads the DAG files that came with the wheel."""
    from airflow.configuration import conf  # noqa: PLC0415 - settings ask this file too, without Airflow

    return BUNDLE in conf.get("dag_processor", "dag_bundle_config_list", fallback="")
