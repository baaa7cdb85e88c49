"""A hook's test is asked in time and in silence; connections are compared before they are tested."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from credential_rotation.model import Answer, Secret
from credential_rotation.probes import airflow_connection
from credential_rotation.probes.airflow_connection import ask_connection
from credential_rotation.probes.hook_test import ask_hook
from scenes.consumers import CANARY, question


class WarehouseHook:
    """A hook whose test does what the test wants."""

    def __init__(self, does: Callable[[], Any]) -> None:
        self._does = does

    def test_connection(self) -> Any:  # noqa: ANN401 - whatever a hook returns
        return self._does()


class Untested:
    """A hook without a test."""


@dataclass
class SomeConnection:
    """What a probe sees of an Airflow connection."""

    hook: Any = None
    login: str | None = "etl"
    password: str | None = CANARY
    extra: str | None = None
    conn_type: str | None = "postgres"

    def get_hook(self) -> Any:  # noqa: ANN401 - as Airflow's
        if self.hook is None:
            raise LookupError(CANARY)
        return self.hook


def breaks(error: BaseException) -> Callable[[], Any]:
    def test() -> Any:  # noqa: ANN401 - never returns
        raise error

    return test


HOOKS: dict[str, tuple[Any, Answer, str]] = {
    "it connects": (
        WarehouseHook(lambda: (True, CANARY)),
        Answer.WORKS,
        "holds CURRENT, and WarehouseHook connects with it",
    ),
    "it does not connect": (
        WarehouseHook(lambda: (False, CANARY)),
        Answer.REFUSED,
        "Airflow's test of it fails (WarehouseHook)",
    ),
    "it breaks off": (
        WarehouseHook(breaks(ConnectionError(CANARY))),
        Answer.UNKNOWN,
        "Airflow's test of it broke off (WarehouseHook: ConnectionError)",
    ),
    "it wants to end the process": (
        WarehouseHook(breaks(SystemExit(CANARY))),
        Answer.UNKNOWN,
        "Airflow's test of it broke off (WarehouseHook: SystemExit)",
    ),
    "it answers something else": (
        WarehouseHook(lambda: CANARY),
        Answer.UNKNOWN,
        "Airflow's test of it broke off (WarehouseHook: ValueError)",
    ),
    "what it answers only looks like a yes": (
        WarehouseHook(lambda: (CANARY, "")),
        Answer.REFUSED,
        "Airflow's test of it fails (WarehouseHook)",
    ),
    "it has no test": (
        Untested(),
        Answer.UNKNOWN,
        "holds CURRENT, but Untested has no test of its own; see for yourself",
    ),
    "there is none": (
        None,
        Answer.UNKNOWN,
        "Airflow has no hook for connection type 'postgres' (LookupError); install its provider here",
    ),
}


@pytest.mark.parametrize(("hook", "answer", "why"), HOOKS.values(), ids=HOOKS)
def test_a_hook_answers_and_none_of_its_words_go_on(
    hook: object,
    answer: Answer,
    why: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Yes is yes, no is no, everything else is unknown; what it said or raised is nowhere."""
    assert ask_hook(SomeConnection(hook)) == (answer, why)
    assert CANARY not in caplog.text + "".join(capfd.readouterr())


def test_a_hook_that_hangs_keeps_nobody_waiting() -> None:
    """Its thread is left behind, and ends with the process."""
    ending = threading.Event()
    began = time.monotonic()
    try:
        found = ask_hook(SomeConnection(WarehouseHook(ending.wait)), deadline=0.2)
        took = time.monotonic() - began
        (left,) = [thread for thread in threading.enumerate() if thread.name == "hook test"]
    finally:
        ending.set()
    left.join(5)
    assert found == (Answer.UNKNOWN, "Airflow's test of it has not ended within 0.2 s")
    assert took < 5
    assert left.daemon


def test_a_type_that_looks_like_a_paste_is_not_repeated() -> None:
    """A connection URI without its scheme has its password where the type should be."""
    _, why = ask_hook(SomeConnection(conn_type=f"etl:{CANARY}@db"))
    assert why.startswith("Airflow has no hook for its connection type")


def judge(connection: SomeConnection, secret: Secret | None = None) -> tuple[Answer, str]:
    asked = question("airflow_connection", "warehouse_etl", secret=secret)
    probe = airflow_connection._judged(asked, connection)
    assert probe.where == "airflow connection warehouse_etl"
    assert CANARY not in probe.why
    return probe.answer, probe.why


@pytest.mark.parametrize(
    ("connection", "other"),
    [
        (SomeConnection(login="etl_b"), "login"),
        (SomeConnection(login=None), "login"),
        (SomeConnection(password=f"{CANARY}2"), "password"),
        (SomeConnection(password=None), "password"),
    ],
    ids=["the other of the pair", "no login", "another password", "no password"],
)
def test_a_connection_that_holds_another_value_is_refused_and_not_tested(
    connection: SomeConnection, other: str
) -> None:
    """That it logs in with what it holds would prove nothing."""
    connection.hook = WarehouseHook(breaks(AssertionError("it was tested")))
    answer, why = judge(connection)
    assert answer is Answer.REFUSED
    assert why.startswith(
        f"reads another value: its {other} is not CURRENT's; see where Airflow takes it from"
    )


@pytest.mark.parametrize(
    "extra",
    [
        '{"iam": true}',
        '{"user": "somebody"}',
        '{"password": "x"}',
        '{"session_kwargs": {"profile_name": "x"}}',
    ],
)
def test_b3_a_test_that_may_log_in_as_somebody_else_is_no_proof(extra: str) -> None:
    """The hook would take the login from its extra, or from whoever this host is for AWS."""
    answer, why = judge(SomeConnection(WarehouseHook(lambda: (True, "")), extra=extra))
    assert answer is Answer.UNKNOWN
    assert "may log it in as somebody else" in why


@pytest.mark.parametrize(
    "extra", [None, "", "{}", '{"iam": false, "sslmode": "verify-full"}', "[1]", "{half"]
)
def test_an_extra_about_other_things_is_nobodys_login(extra: str | None) -> None:
    """Airflow ignores an extra that is no JSON object."""
    assert judge(SomeConnection(WarehouseHook(lambda: (True, "")), extra=extra))[0] is Answer.WORKS


def test_the_login_of_an_access_key_is_its_id() -> None:
    """Not the name of the user whose key it is."""
    key = SomeConnection(WarehouseHook(lambda: (True, "")), login="AKIA1", conn_type="aws")
    assert judge(key, Secret("exports-uploader", CANARY, login="AKIA1"))[0] is Answer.WORKS
    assert judge(key, Secret("exports-uploader", CANARY, login="AKIA2"))[0] is Answer.REFUSED


def test_a_connection_that_holds_current_and_fails_is_refused_with_what_to_see_to() -> None:
    """The value is right, so that something else in it is wrong."""
    answer, why = judge(SomeConnection(WarehouseHook(lambda: (False, CANARY))))
    assert answer is Answer.REFUSED
    assert "it holds CURRENT, so see to its host, port, schema and extra" in why


def test_outside_of_a_task_nothing_is_claimed() -> None:
    """What the command line would find is not what tasks get."""
    probe = ask_connection(question("airflow_connection", "warehouse_etl"))
    assert probe.answer is Answer.UNKNOWN
    assert "only by a task of Airflow" in probe.why
