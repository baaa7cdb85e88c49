"""Airflow's own test of a connection, as its page runs it, by the hook of the connection's type.

Rules this file keeps:
- No text of a hook goes on: it may hold a value. Names of classes do.
- A hook that hangs cannot be ended from outside, and keeps nobody waiting: it is left behind in a daemon
  thread, which ends with the task's process. (A child process is no way out: Airflow cannot be imported
  in a child of a task, and a fork would share the task's only line to its supervisor.)
- A hook that says no is a no. One that breaks off, hangs or is missing is neither yes nor no.
"""

from __future__ import annotations

import contextvars
import queue
import threading
from typing import Any, Protocol

from credential_rotation.model import Answer

DEADLINE = 15.0
"""Seconds."""

Verdict = tuple[Answer, str]


class Hooked(Protocol):
    """A connection that knows its hook."""

    conn_type: str | None

    def get_hook(self) -> Any:  # noqa: ANN401 - any hook of any provider
        """Make the hook. Raises anything."""


def ask_hook(connection: Hooked, *, deadline: float = DEADLINE) -> Verdict:
    """What the hook's own test says, or that it did not say anything in time."""
    answers: queue.SimpleQueue[Verdict] = queue.SimpleQueue()
    context = contextvars.copy_context()  # hooks may ask whose task they run in
    threading.Thread(
        target=lambda: answers.put(context.run(_tested, connection)), name="hook test", daemon=True
    ).start()
    try:
        return answers.get(timeout=deadline)
    except queue.Empty:
        return Answer.UNKNOWN, f"Airflow's test of it has not ended within {deadline:g} s"


def _tested(connection: Hooked) -> Verdict:
    try:
        hook = connection.get_hook()
    except Exception as wrong:  # noqa: BLE001 - a hook may raise anything, and its text may hold a value
        what = f"Airflow has no hook for {_type_of(connection)} ({type(wrong).__name__})"
        return Answer.UNKNOWN, f"{what}; install its provider here"
    name = type(hook).__name__
    test = getattr(hook, "test_connection", None)
    if test is None:
        return Answer.UNKNOWN, f"holds CURRENT, but {name} has no test of its own; see for yourself"
    try:
        passed, _text = test()
    except BaseException as wrong:  # noqa: BLE001 - as above, and nobody is above this thread
        return Answer.UNKNOWN, f"Airflow's test of it broke off ({name}: {type(wrong).__name__})"
    if passed is True:
        return Answer.WORKS, f"holds CURRENT, and {name} connects with it"
    return Answer.REFUSED, f"Airflow's test of it fails ({name})"


def _type_of(connection: Hooked) -> str:
    word = connection.conn_type or ""
    known = word.replace("_", "").replace("-", "").isalnum() and len(word) <= 40  # noqa: PLR2004 - a type, no paste
    return f"connection type {word!r}" if known else "its connection type"
