"""Pools that entries name and Airflow does not have: their tasks wait for ever, and Airflow tells nobody.

Rules this file keeps:
- Only a shell that knows where Airflow is asks, and only about entries that name a pool: it takes seconds.
- A database that does not answer is no mistake of an entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from credential_rotation.airflow_connections import log_left_alone
from credential_rotation.model import Credential

_KNOWN_BY = ("AIRFLOW_HOME", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN")


def remarks_on_pools(credentials: Iterable[Credential], environ: Mapping[str, str]) -> Iterator[str]:
    """One for each pool that is not there."""
    named: dict[str, list[str]] = {}
    for one in credentials:
        if one.pool:
            named.setdefault(one.pool, []).append(one.name)
    there = _pools(environ) if named else None
    for pool, names in named.items():
        if there is not None and pool not in there:
            yield (
                f"Airflow has no pool {pool!r}: tasks of {', '.join(names)} wait until there is one. "
                "Make it (Admin, Pools), or mend `pool`."
            )


def _pools(environ: Mapping[str, str]) -> frozenset[str] | None:
    """Names; None where Airflow cannot be asked."""
    if not any(environ.get(one) for one in _KNOWN_BY):
        return None
    try:
        with log_left_alone():
            from airflow.models.pool import Pool  # noqa: PLC0415 - only `check` asks, and only for this

            return frozenset(str(one.pool) for one in Pool.get_pools())
    except Exception:  # noqa: BLE001 - not installed, or whatever its database says
        return None
