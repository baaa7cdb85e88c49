"""Airflow's way to ask a person and to wait without a worker slot, as far as the installed Airflow has it.

Rules this file keeps:
- The DAG loads on every Airflow; where nobody can be asked, that is said instead, and nothing rotates.
- Airflow 3.3 is the first that waits without a triggerer and hands the answer to the task that asked.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.sdk import BaseOperator

CANNOT_ASK = "this Airflow has no way to ask a person that the rotation could rely on"
NEEDED = (
    "Approval needs Airflow 3.3 or later, with its provider `apache-airflow-providers-standard`. Until then "
    "take `approval` out of the policy, and who may rotate is whom Airflow lets trigger the DAG."
)

try:
    from airflow.providers.standard.operators.hitl import HITLOperator
    from airflow.sdk.exceptions import TaskAwaitingInput
except Exception:  # noqa: BLE001 - before 3.1 the provider has an error of its own for it
    CAN_ASK = False

    class HITLOperator(BaseOperator):  # type: ignore[no-redef]  # takes the same, and asks nobody
        """Stands in, so that the DAG loads."""

        def __init__(
            self,
            *,
            subject: str,
            options: list[str],
            response_timeout: timedelta | None = None,
            **kwargs: Any,  # noqa: ANN401 - an operator's own
        ) -> None:
            super().__init__(**kwargs)
            self.subject, self.options, self.response_timeout = subject, options, response_timeout

    class TaskAwaitingInput(BaseException):  # type: ignore[no-redef]  # in place of Airflow's own
        """Never raised here."""

else:
    CAN_ASK = True

__all__ = ["CANNOT_ASK", "CAN_ASK", "NEEDED", "HITLOperator", "TaskAwaitingInput"]
