"""The DAG files that came with the wheel, as a bundle: no path in the configuration to go stale.

`[dag_processor] dag_bundle_config_list` =
`[{"name": "credential-rotation", "classpath": "credential_rotation.dag_bundle.InstalledDags", "kwargs": {}}]`
"""

from __future__ import annotations

from typing import Any

from airflow.dag_processing.bundles.local import LocalDagBundle

from credential_rotation.installed import carried_dags


class InstalledDags(LocalDagBundle):
    """Unversioned, as a folder is: what is installed is what runs."""

    def __init__(self, **kwargs: Any) -> None:  # noqa: ANN401 - Airflow's own, handed on
        dags = carried_dags()
        if dags is None:
            raise FileNotFoundError(
                "no DAG files came with this copy of credential_rotation: it is not the wheel; configure the "
                "folder `dags` as a LocalDagBundle instead"
            )
        super().__init__(path=str(dags), **kwargs)
