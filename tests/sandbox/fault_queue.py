"""The faults that are switched on in a stand-in, and which of them a request gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Hits:
    """Of the requests that fit a fault, the first `skip` pass, then `times` are hit (None: all)."""

    skip: int = 0
    times: int | None = None


F = TypeVar("F", bound=Hits)


class FaultQueue(Generic[F]):
    """In order; the first that matches and is not used up is taken."""

    def __init__(self) -> None:
        self._active: list[F] = []

    def add(self, fault: F) -> None:
        """Switch one on."""
        self._active.append(fault)

    def clear(self) -> None:
        """Switch all off; what is already under way takes its course."""
        self._active.clear()

    def take(self, matches: Callable[[F], bool]) -> F | None:
        """The fault for this request, counted."""
        for index, fault in enumerate(self._active):
            if not matches(fault) or fault.times == 0:
                continue
            if fault.skip:
                self._active[index] = replace(fault, skip=fault.skip - 1)
                continue
            if fault.times is not None:
                self._active[index] = replace(fault, times=fault.times - 1)
            return fault
        return None
