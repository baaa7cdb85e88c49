"""One worker process as the agent sees it: started, given one order at a time, killed when it is late."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bitwarden_vault.agent.connection import Connection
from bitwarden_vault.login_state import LoginState
from bitwarden_vault.settings import Settings
from bitwarden_vault.wire import Message
from bitwarden_vault.worker_process import begin_worker

START_WITHIN = 30.0
"""Seconds for the interpreter and the import of the SDK."""


@dataclass(frozen=True, slots=True, eq=False)
class WorkerSetup:
    """What all workers of an agent have in common."""

    selector: selectors.BaseSelector
    setup: Message
    pass_fds: tuple[int, ...]
    label: str
    """Shows in the list of processes whose worker it is: the path of the agent's socket."""


def worker_setup(
    selector: selectors.BaseSelector, settings: Settings, states: Sequence[LoginState], label: str
) -> WorkerSetup:
    """What each worker is told first, and the memory that it inherits; a state for each of the tokens."""
    slots = zip(settings.tokens, states, strict=True)
    setup = {
        "slots": [
            {"token": token.text, "source": token.source, "state": state.path} for token, state in slots
        ],
        "organization_id": settings.organization_id,
        "api_url": settings.api_url,
        "identity_url": settings.identity_url,
        "network": dict(settings.network),
    }
    return WorkerSetup(selector, setup, tuple(fd for state in states for fd in state.pass_fds), label)


class Worker:
    """A process that is starting, idle (`until` is None) or busy until a moment."""

    def __init__(
        self,
        shared: WorkerSetup,
        begun: tuple[int, int] | None = None,
        *,
        on_message: Callable[[Worker, Message], None],
        on_lost: Callable[[Worker], None],
    ) -> None:
        self.pid, descriptor = begun or begin_worker(shared.label, shared.pass_fds)
        self.is_ready = False
        self.until: float | None = time.monotonic() + START_WITHIN
        self.generation = 0
        """The login that its present order uses."""
        self._connection = Connection(
            socket.socket(fileno=descriptor),
            shared.selector,
            on_message=lambda message: on_message(self, message),
            on_end=lambda: on_lost(self),
        )
        self._connection.send(shared.setup)

    @property
    def is_idle(self) -> bool:
        """An order can be given."""
        return self.is_ready and self.until is None

    def order(self, message: Message, *, generation: int, deadline: float) -> None:
        """Give it something to do; a lost worker is noticed by the loop."""
        self.generation = generation
        self.until = time.monotonic() + deadline
        self._connection.send({**message, "generation": generation, "deadline": deadline})

    def kill(self) -> None:
        """End it whatever it does; it still has to be reaped."""
        self._connection.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


def still_there(pids: list[int]) -> list[int]:
    """Those of our ended processes that are not quite gone yet; the others are reaped."""
    left = []
    for pid in pids:
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(pid, os.WNOHANG)[0] == 0:
                left.append(pid)
    return left
