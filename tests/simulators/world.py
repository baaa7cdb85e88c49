"""Numbers every call of an attempt and, at one of them, does what the case says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TypeVar

T = TypeVar("T")

START = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)


class Crash(BaseException):
    """The process is gone: no `except Exception` may hide it."""


class AnswerLostError(Exception):
    """The request was sent and nothing came back."""


@dataclass(frozen=True)
class Fault:
    """What happens at the call with this number, counted from 1."""

    at: int
    kind: str
    """`crash before`, `crash after`, `answer lost`, `late`, `crash, late`."""
    lands: int = 0
    """For what is late: how many calls later the effect lands."""


@dataclass
class World:
    """The clock, the calls so far, and one planned fault."""

    now: datetime = START
    fault: Fault | None = None
    calls: list[str] = field(default_factory=list)
    after_each: Callable[[], None] = lambda: None
    late: list[tuple[int, Callable[[], object]]] = field(default_factory=list)
    landed: list[int] = field(default_factory=list)
    """Before which calls something late has landed."""
    is_landing: bool = False
    """Whether what commits now was sent before, by somebody who no longer waits for it."""

    def clock(self) -> datetime:
        """The world's time, a little later at every question."""
        self.now += timedelta(milliseconds=1)
        return self.now

    def do(self, name: str, commit: Callable[[], T]) -> T:
        """Make one call, unless the plan says otherwise."""
        self.calls.append(name)
        number = len(self.calls)
        self.land(number)
        kind = self.fault.kind if self.fault and self.fault.at == number else None
        if kind == "crash before":
            raise Crash
        if kind in {"late", "crash, late"} and self.fault:
            self.late.append((number + self.fault.lands, commit))
            raise AnswerLostError if kind == "late" else Crash
        result = commit()
        self.after_each()
        if kind == "crash after":
            raise Crash
        if kind == "answer lost":
            raise AnswerLostError
        return result

    def land(self, number: int) -> None:
        """Commit what was late and is due now."""
        due = [commit for at, commit in self.late if at <= number]
        self.late = [(at, commit) for at, commit in self.late if at > number]
        for commit in due:
            self.landed.append(min(number, len(self.calls) + 1))
            self.is_landing = True
            try:
                commit()
            finally:
                self.is_landing = False
            self.after_each()

    def pass_time(self, by: timedelta) -> None:
        """Let time go by; whatever was late lands at its beginning."""
        self.land(10**9)
        self.now += by
