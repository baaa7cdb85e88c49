"""One request of one client, from its arrival to its answer.

Rules this file keeps:
- The deadline runs from the sending of a try; waiting has its own limit, the patience of each who waits.
- Once a write was handed to a worker, losing the worker is an unknown outcome.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from bitwarden_vault.agent.budget import Budget, Window
from bitwarden_vault.agent.retries import wait_before_next
from bitwarden_vault.errors import (
    UNAUTHORIZED,
    OutcomeUnknown,
    RateLimited,
    Unreachable,
    VaultError,
    from_wire,
)
from bitwarden_vault.operations import WRITES
from bitwarden_vault.untyped import Any
from bitwarden_vault.wire import Message

LOST_WORKERS = 2
"""A read is handed out again after losing its worker, but not for ever."""


@dataclass(slots=True, eq=False)
class Request:
    """What a client asked for, and how far it is."""

    operation: str
    arguments: dict[str, Any] = field(repr=False)
    caller: dict[str, Any]
    """Who asks, as claimed by the client: for the audit."""
    reservation: str | None
    window: Window | None
    """Where its request counts; None where it makes none."""
    deadline: float
    give_up_at: float
    tell: Callable[[Message], bool]
    """Sends a message to the client; False when it is gone."""
    not_before: float = 0.0
    failures: Counter[str] = field(default_factory=Counter)
    last: VaultError | None = None
    impatient_at: float = math.inf
    """When the first of several who wait for it gives up; the last one does at `give_up_at`."""
    dismiss: Callable[[float, VaultError], None] = lambda _end, _error: None
    """Tells those of several who would wait until this moment in vain."""

    @property
    def is_write(self) -> bool:
        """Whether doing it twice could matter."""
        return self.operation in WRITES

    def ready_at(self, budget: Budget, now: float) -> float:
        """The moment at which it can be sent, as far as can be told now."""
        room = budget.wait(self.window, now, reservation=self.reservation) if self.window else 0.0
        return max(self.not_before, now + room)

    def fail_or_wait(self, error: dict[str, Any], *, was_sent: bool, now: float) -> VaultError | None:
        """Note a failed try: None when it is to be sent again at `not_before`, else the final error."""
        kind = str(error.get("kind"))
        self.failures[kind] += 1
        self.last = final_error(error)
        told = error.get("retry_after")
        wait = wait_before_next(
            kind, was_sent=was_sent, is_write=self.is_write, tries=self.failures[kind], told=told
        )
        if wait is None or now + wait > self.give_up_at:
            return self.last
        self.not_before = now + wait
        return None

    def lose_worker(self, now: float) -> VaultError | None:
        """Its worker died under it: None when it is to be sent again, else the final error."""
        self.failures["lost"] += 1
        if self.is_write:
            return OutcomeUnknown("the process that was sending the write died: read back and compare")
        if self.failures["lost"] > LOST_WORKERS:
            return Unreachable("the SDK's process died each time it was asked")
        self.not_before = now
        return None

    def out_of_patience(self, wait: float) -> VaultError:
        """What to say when there is no time left to wait."""
        return self.last or RateLimited("no room in Bitwarden's rate limits in time", retry_after=wait)


def final_error(error: dict[str, Any]) -> VaultError:
    """The error that a client gets to see for a worker's failure."""
    if error.get("kind") == UNAUTHORIZED:
        return Unreachable(
            "Bitwarden keeps answering 401 after a new login: its identity service is overloaded, or the "
            "machine account was just changed",
        )
    return from_wire(error)
