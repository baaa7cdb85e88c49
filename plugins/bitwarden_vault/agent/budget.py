"""Room in Bitwarden's rate limits, per verb and concrete path, with places that can be reserved.

Figures: the server's public settings (GET 200 a minute; writes 60 a minute and 5 a second). Its windows are
fixed; a window that slides over the same length is never more generous.

Rules this file keeps:
- Off until the server is Bitwarden's cloud or has answered 429 once: self-hosted servers have no limiter.
- A reserved place stays taken until it is used or its time is over. It is a place in the minute: the limit
  per second only spaces requests, by a second at most.
- It only counts; nobody sleeps here, and time comes in as `now` (seconds, monotonic).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

Window = tuple[str, str]

TRAVEL = 0.2
"""Seconds by which one request may travel longer than another: the server counts arrivals, we departures."""
MINUTE = 60.0 + TRAVEL
SECOND = 1.0 + TRAVEL
_LIMITS = {"GET": ((200, MINUTE),), "WRITE": ((60, MINUTE), (5, SECOND))}
_SWEEP = 0.1
"""Seconds between two looks for what is over; what is not swept yet is not counted either."""
RESERVED_FOR = 300.0
"""Seconds that a reservation lasts; an attempt that takes longer counts as everybody else again."""


@dataclass(slots=True, eq=False)
class _Reservation:
    """Places that an attempt holds, and until when."""

    places: Counter[Window]
    until: float


@dataclass(slots=True, eq=False)
class Budget:
    """What was sent lately and what is promised."""

    on: bool = False
    _sent: dict[Window, deque[float]] = field(default_factory=dict)
    _closed_until: dict[Window, float] = field(default_factory=dict)
    _reservations: dict[str, _Reservation] = field(default_factory=dict)
    _swept_at: float = -_SWEEP

    def wait(self, window: Window, now: float, *, reservation: str | None = None) -> float:
        """Seconds until one request fits; 0.0 is now."""
        closed = max(0.0, self._closed_until.get(window, 0.0) - now)
        if not self.on:
            return closed
        self._forget(now)
        held = self._holds(reservation, window, now)
        return max(closed, *(self._wait_in(window, limit, now, held=held) for limit in _limits(window)))

    def take(self, window: Window, now: float, *, reservation: str | None = None) -> None:
        """Count one request that is being sent."""
        self._forget(now)
        if self._holds(reservation, window, now) and reservation is not None:
            self._reservations[reservation].places[window] -= 1
        self._sent.setdefault(window, deque()).append(now)

    def reserve(self, name: str, places: Mapping[Window, int], now: float) -> float:
        """Promise all these places, or none: seconds until they might fit; 0.0 is done.

        It replaces what this name held before; no places at all give them back.
        """
        self._reservations.pop(name, None)
        self._forget(now)
        waits = [max(0.0, self._closed_until.get(window, 0.0) - now) for window in places]
        if self.on:
            waits += [
                self._wait_in(window, _limits(window)[0], now, count) for window, count in places.items()
            ]
        if max(waits, default=0.0) > 0.0:
            return max(waits)
        self._reservations[name] = _Reservation(Counter(places), now + RESERVED_FOR)
        return 0.0

    def slow_down(self, window: Window, until: float) -> None:
        """The server answered 429: it does have a limiter, and this window is closed until then."""
        self.on = True
        self._closed_until[window] = until

    def _holds(self, reservation: str | None, window: Window, now: float) -> bool:
        held = self._reservations.get(reservation or "")
        return held is not None and held.until > now and held.places[window] > 0

    def _wait_in(
        self, window: Window, limit: tuple[int, float], now: float, count: int = 1, *, held: bool = False
    ) -> float:
        most, length = limit
        promised = 0
        if length == MINUTE and not held:
            promised = sum(one.places[window] for one in self._reservations.values())
        return _wait(self._sent.get(window, deque()), count + promised, most, length, now)

    def _forget(self, now: float) -> None:
        if now - self._swept_at < _SWEEP:
            return
        self._swept_at = now
        for window in [window for window, until in self._closed_until.items() if until <= now]:
            del self._closed_until[window]
        for name in [name for name, held in self._reservations.items() if held.until <= now]:
            del self._reservations[name]
        for window in list(self._sent):
            while self._sent[window] and self._sent[window][0] <= now - MINUTE:
                self._sent[window].popleft()
            if not self._sent[window]:
                del self._sent[window]


def _limits(window: Window) -> tuple[tuple[int, float], ...]:
    return _LIMITS["GET" if window[0] == "GET" else "WRITE"]


def _wait(sent: deque[float], wanted: int, limit: int, length: float, now: float) -> float:
    """Seconds until `wanted` more fit below `limit` in one window of this length."""
    inside = [moment for moment in sent if moment > now - length]
    surplus = len(inside) + wanted - limit
    if surplus <= 0:
        return 0.0
    if surplus > len(inside):
        return length
    return inside[surplus - 1] + length - now
