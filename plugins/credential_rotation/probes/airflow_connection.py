"""A connection of Airflow: whether the one that tasks get holds CURRENT's value, and logs in with it.

Rules this file keeps:
- First the value, then the login: a connection that logs in with another value proves nothing.
- A test that may log in as somebody else (IAM tokens, a user in `extra`) is no proof.
- What is in the connection is compared and never shown.
"""

from __future__ import annotations

import json
from typing import Protocol

from bitwarden_vault.freshness import fresh_lookups
from credential_rotation.model import Answer, Probe, Secret
from credential_rotation.probes.airflow_task import OUTSIDE, is_in_a_task
from credential_rotation.probes.hook_test import Hooked, ask_hook
from credential_rotation.probes.question import Question

_LOGS_IN_OTHERWISE = ("aws_access_key_id", "iam", "password", "profile_name", "session_kwargs", "user")
"""Keys of `extra` with which the hooks of PostgreSQL and AWS log in as somebody else."""

ANOTHER_SOURCE = "see where Airflow takes it from: its secrets backend, AIRFLOW_CONN_…, or its own database"


class Connected(Hooked, Protocol):
    """What is looked at in a connection of Airflow."""

    login: str | None
    password: str | None
    extra: str | None


def ask_connection(question: Question) -> Probe:
    """Whether tasks that use this connection log in with CURRENT."""
    if not is_in_a_task():
        return question.unknown(OUTSIDE)
    from airflow.sdk import Connection  # noqa: PLC0415 - the command line does without Airflow

    try:
        with fresh_lookups():  # our backend's agent may remember the value from before
            connection: Connected = Connection.get(question.consumer.name)
    except Exception as wrong:  # noqa: BLE001 - any backend may raise anything, and its text may hold a value
        return question.unknown(f"tasks do not get it ({type(wrong).__name__}); {ANOTHER_SOURCE}")
    return _judged(question, connection)


def _judged(question: Question, connection: Connected) -> Probe:
    other = _difference(connection, question.current.secret)
    if other:
        return question.refused(f"reads another value: its {other} is not CURRENT's; {ANOTHER_SOURCE}")
    otherwise = _logs_in_otherwise(connection.extra)
    if otherwise:
        return question.unknown(
            f"holds CURRENT, but {otherwise!r} in its extra may log it in as somebody else: no test proves it"
        )
    answer, why = ask_hook(connection)
    if answer is Answer.REFUSED:
        why += "; it holds CURRENT, so see to its host, port, schema and extra"
    return Probe(answer, question.where, why)


def _difference(connection: Connected, secret: Secret) -> str:
    if connection.login != (secret.login or secret.principal):
        return "login"
    return "" if connection.password == secret.password else "password"


def _logs_in_otherwise(extra: str | None) -> str:
    try:
        found = json.loads(extra or "{}")
    except ValueError:
        return ""  # Airflow takes no extra from what is not JSON
    fields = found if isinstance(found, dict) else {}
    return next((key for key in _LOGS_IN_OTHERWISE if fields.get(key)), "")
