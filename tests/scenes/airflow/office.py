"""A deployment in a real Airflow: the demo's warehouse, and a person at the trigger form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.airflow_api import AirflowApi, TaskInstance
from sandbox.demo.warehouse import Warehouse
from sandbox.sandbox import Sandbox

ROTATE, ROTATE_CLOUD = "rotate_database_credentials", "rotate_cloud_credentials"
RETIRE, VERIFY = "retire_credentials", "verify_credentials"
WATCHDOG, APPROVAL, RECORD = "rotation_watchdog", "rotate_with_approval", "record_by_hand"
DAGS = (ROTATE, ROTATE_CLOUD, APPROVAL, RETIRE, VERIFY, WATCHDOG, RECORD)


@dataclass(frozen=True)
class Ended:
    """A run that is over."""

    api: AirflowApi
    dag: str
    run: str
    state: str

    def tasks(self) -> dict[str, TaskInstance]:
        """Every task by the name that the grid shows."""
        return {one.name: one for one in self.api.task_instances(self.dag, self.run)}

    def states(self) -> dict[str, str | None]:
        """Every task's state by the name that the grid shows."""
        return {name: one.state for name, one in self.tasks().items()}

    def log(self, name: str) -> str:
        """The log of a task's last try."""
        one = self.tasks()[name]
        return self.api.task_log(
            self.dag, self.run, one.task, map_index=one.map_index, attempt=max(one.tries, 1)
        )

    def outcome(self, name: str) -> dict[str, Any]:
        """What a mapped task left for the report."""
        one = self.tasks()[name]
        outcome: dict[str, Any] = self.api.xcom(
            self.dag, self.run, one.task, key="outcome", map_index=one.map_index
        )
        return outcome


@dataclass(frozen=True)
class Office:
    """The warehouse, and Airflow on top of it."""

    sandbox: Sandbox
    warehouse: Warehouse

    @property
    def api(self) -> AirflowApi:
        return self.sandbox.airflow.api

    def run(self, dag: str, **conf: object) -> Ended:
        """Trigger and wait."""
        run = self.api.trigger(dag, conf)
        return Ended(self.api, dag, run, self.api.wait(dag, run, within=120))
