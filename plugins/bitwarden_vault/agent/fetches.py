"""Reads that several may wait for: however many need the same answer at once, Bitwarden is asked once.

Rules this file keeps:
- Who joins a request hears of its progress like the first, and gives up at its own time; when all have gone,
  it is not sent.
- An answer that a write may have overtaken goes to those who asked before it, and to nobody else.
- Only of an id is "not found" an answer; that there is no list is an error.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bitwarden_vault.agent.request import Request
from bitwarden_vault.errors import NotFound, VaultError, to_wire
from bitwarden_vault.operations import window_of_request
from bitwarden_vault.untyped import Any
from bitwarden_vault.wire import Message

Place = tuple[str, str]
"""An operation and the id it is about; empty where it is about none."""


@dataclass(frozen=True, slots=True, eq=False)
class Asker:
    """One who waits, how long it will, and how to tell it."""

    caller: dict[str, Any]
    deadline: float
    give_up_at: float
    tell: Callable[[Message], bool]


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What Bitwarden said."""

    result: Any = field(repr=False)
    """None where there is nothing with that id."""
    begun_at: float
    """When the request was begun: nothing in the answer is older."""
    is_overtaken: bool
    """A write went through this agent meanwhile."""


Then = Callable[[Answer], None]


@dataclass(slots=True, eq=False)
class _Fetch:
    """One value that is being fetched, and who waits for it."""

    place: Place
    begun_at: float
    waiting: list[tuple[Asker, Then]]
    request: Request = field(init=False)


class Fetches:
    """The requests that are under way."""

    def __init__(self, organization_id: str, send: Callable[[Request], None]) -> None:
        self._organization_id, self._send = organization_id, send
        self._open: dict[Place, _Fetch] = {}

    def ask(self, place: Place, asker: Asker, then: Then) -> None:
        """Ask Bitwarden, or join who does; `then` hears what is or is not there, the asker any error."""
        asker.tell({"waiting": True})
        fetch = self._open.get(place)
        if fetch is not None:
            fetch.waiting.append((asker, then))
            fetch.request.give_up_at = max(fetch.request.give_up_at, asker.give_up_at)
            fetch.request.impatient_at = min(fetch.request.impatient_at, asker.give_up_at)
            return
        fetch = self._open[place] = _Fetch(place, time.monotonic(), [(asker, then)])
        fetch.request = self._request(fetch, asker)
        self._send(fetch.request)

    def overtake(self, place: Place) -> None:
        """A write began or ended: whoever asks from now on needs a request of its own."""
        self._open.pop(place, None)

    def _request(self, fetch: _Fetch, asker: Asker) -> Request:
        operation, about = fetch.place
        arguments = {"id": about} if about else {}
        return Request(
            operation=operation,
            arguments=arguments,
            caller=asker.caller,
            reservation=None,
            window=window_of_request(operation, self._organization_id, arguments),
            deadline=asker.deadline,
            give_up_at=asker.give_up_at,
            tell=lambda message: self._hear(fetch, message),
            impatient_at=asker.give_up_at,
            dismiss=lambda end, error: self._dismiss(fetch, end, error),
        )

    def _dismiss(self, fetch: _Fetch, end: float, error: VaultError) -> None:
        """Whoever has no patience until then is told, and waits no longer."""
        over = [asker for asker, _ in fetch.waiting if asker.give_up_at <= end]
        fetch.waiting = [(asker, then) for asker, then in fetch.waiting if asker.give_up_at > end]
        left = (asker.give_up_at for asker, _ in fetch.waiting)
        fetch.request.impatient_at = min(left, default=math.inf)
        for asker in over:
            asker.tell({"error": to_wire(error)})

    def _hear(self, fetch: _Fetch, message: Message) -> bool:
        """Something about a request; whether anybody still waits for it."""
        _, about = fetch.place
        is_nothing = bool(about) and "error" in message and message["error"]["kind"] == NotFound.kind
        if "result" in message or is_nothing:
            answer = Answer(message.get("result"), fetch.begun_at, self._open.get(fetch.place) is not fetch)
            self._close(fetch)
            for _, then in fetch.waiting:
                then(answer)
            return True
        fetch.waiting = [(asker, then) for asker, then in fetch.waiting if asker.tell(message)]
        if "error" in message or "moved" in message or not fetch.waiting:
            self._close(fetch)
        return bool(fetch.waiting)

    def _close(self, fetch: _Fetch) -> None:
        if self._open.get(fetch.place) is fetch:
            del self._open[fetch.place]
