"""Where nobody can be asked: the DAG loads, the task refuses and says why, and nothing rotates."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from sandbox.places import PLUGINS, ROOT
from scenes.inventory.entries import folder, simple

TASK = """
import json, sys
from datetime import datetime, timezone
from types import SimpleNamespace
import airflow.sdk.exceptions
if sys.argv[2] == "older":  # before 3.3
    vars(airflow.sdk.exceptions).pop("TaskAwaitingInput", None)

sys.path.insert(0, sys.argv[1])
import rotate_with_approval  # the DAG file itself
from credential_rotation.tasks.airflow_ends import AirflowFailException
from credential_rotation.approval.operator import RotateWithApproval
from credential_rotation.approval.human_in_the_loop import CAN_ASK

pushed = {}
when, user = datetime(2026, 11, 27, tzinfo=timezone.utc), sys.argv[3] or None
run = SimpleNamespace(run_id="r", run_type=sys.argv[4], conf={}, triggering_user_name=user, run_after=when)
ti = SimpleNamespace(
    dag_id="rotate_with_approval", task_id="rotate", run_id="r", try_number=1, map_index=0,
    log_url="http://airflow/log", xcom_push=lambda key, value: pushed.update({key: value}),
)
context = {"dag_run": run, "ti": ti, "params": {"credentials": ["etl"]}, "run_id": "r"}
try:
    RotateWithApproval(task_id="rotate", credential="etl").execute(context)
except AirflowFailException as red:
    print(json.dumps({"can_ask": CAN_ASK, "red": str(red), "outcome": pushed["outcome"]["outcome"]}))
"""


def refused(tmp_path: Path, airflow: str, user: str, run_type: str = "manual") -> dict[str, Any]:
    """What a task says that would ask about `etl`, of which there is neither vault nor target."""
    entry = simple("etl").replace("policy: manual", "policy: {max_age: 90d, approval: required}")
    include = folder(tmp_path, a=f"credentials:\n{entry}")
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AIRFLOW_HOME": str(tmp_path),
        "ROTATION_INCLUDE": str(include),
        "PYTHONPATH": str(PLUGINS),
    }
    ran = subprocess.run(
        [sys.executable, "-c", TASK, str(ROOT / "dags"), airflow, user, run_type],
        capture_output=True,
        text=True,
        env=environ,
        cwd=tmp_path,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    assert told["outcome"] == "refused"
    return told


def test_an_older_airflow_is_a_clear_error_and_never_a_silent_rotation(tmp_path: Path) -> None:
    """Red, and it says what is needed."""
    told = refused(tmp_path, "older", "kim")
    assert not told["can_ask"]
    assert "this Airflow has no way to ask a person" in told["red"]
    assert "Approval needs Airflow 3.3" in told["red"]


THIS_ONE_ASKS = pytest.mark.skipif(
    version("apache-airflow") < "3.3", reason="an Airflow that cannot ask does not get so far"
)


@THIS_ONE_ASKS
def test_a_run_of_nobody_asks_nobody(tmp_path: Path) -> None:
    """A task has triggered the DAG: whoever answers could be who asked."""
    told = refused(tmp_path, "this one", "")
    assert told["can_ask"]
    assert "nobody knows who asks" in told["red"]
    assert "Trigger it as yourself" in told["red"]


@THIS_ONE_ASKS
def test_a_name_that_a_run_has_from_another_dag_asks_nobody(tmp_path: Path) -> None:
    """It is the name of who triggered that DAG; who answers could be who wrote it."""
    told = refused(tmp_path, "this one", "kim", "operator_triggered")
    assert "nobody knows who asks" in told["red"]
    assert "Trigger it as yourself" in told["red"]
