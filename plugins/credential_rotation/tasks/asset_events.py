"""Tells Airflow that a credential has a new value, so that a DAG can be scheduled on it.

`schedule=[Asset("credential://warehouse-etl")]` runs after each rotation of `warehouse-etl`. The events go
through one alias, as which credentials there are is known at run time only. A task that ends red emits none,
by Airflow's own rule.
"""

from __future__ import annotations

from airflow.sdk import Asset, AssetAlias, Context

from credential_rotation.outcome import Outcome

ROTATED = AssetAlias("rotated-credentials")
NEW_VALUE = frozenset({"rotated", "recovered", "revoked"})


def load_handlers() -> None:
    """Have Airflow load what its providers know of addresses, which it does for a process's first asset.

    Where Amazon's provider is installed that imports boto3, and takes longer than the rotation.
    """
    Asset("credential://any")


def emit(context: Context, outcome: Outcome) -> None:
    """One event where CURRENT has a new value: its version and how that came about, never the value."""
    if outcome.outcome in NEW_VALUE:
        context["outlet_events"][ROTATED].add(
            Asset(f"credential://{outcome.name}"),
            extra={"version": outcome.version, "outcome": outcome.outcome, "attempt": outcome.attempt},
        )
