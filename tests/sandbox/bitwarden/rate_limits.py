"""Fixed windows per client address, verb and concrete path, as the cloud has them.

Self-hosted servers have none. The window begins with its first request. The shortest rule is asked first, and
a request that it blocks does not count for the longer one.
"""

from dataclasses import dataclass

from sandbox.bitwarden.clock import TICKS_PER_SECOND, Clock, wire_date
from sandbox.bitwarden.identity import TOKEN_PATH
from sandbox.bitwarden.messages import Reply, error


@dataclass(frozen=True, slots=True)
class Rule:
    """At most so many requests per period."""

    period: str
    seconds: int
    limit: int


_IDENTITY = (Rule("1s", 1, 5), Rule("1m", 60, 10))
_WRITING = (Rule("1s", 1, 5), Rule("1m", 60, 60))
_READING = (Rule("1m", 60, 200),)


@dataclass(slots=True)
class _Window:
    began: int
    count: int = 0


class RateLimits:
    """Counts requests while it is switched on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._windows: dict[tuple[str, str, str, str], _Window] = {}
        self.on = False

    def switch(self, *, on: bool) -> None:
        """On or off; either way every window starts anew."""
        self.on = on
        self._windows.clear()

    def count(self, address: str, verb: str, path: str) -> Reply | tuple[tuple[str, str], ...]:
        """A 429, or the headers that a successful reply carries."""
        if not self.on:
            return ()
        headers: tuple[tuple[str, str], ...] = ()
        for rule in _rules(verb, path):
            window = self._window((address, verb, path, rule.period), rule)
            window.count += 1
            reset = window.began + rule.seconds * TICKS_PER_SECOND
            if window.count > rule.limit:
                return self._slow_down(rule, reset)
            headers = (
                ("X-Rate-Limit-Limit", rule.period),
                ("X-Rate-Limit-Remaining", str(rule.limit - window.count)),
                ("X-Rate-Limit-Reset", wire_date(reset)),
            )
        return headers

    def _window(self, key: tuple[str, str, str, str], rule: Rule) -> _Window:
        now = self._clock.ticks()
        window = self._windows.get(key)
        if window is None or window.began + rule.seconds * TICKS_PER_SECOND <= now:
            window = self._windows[key] = _Window(now)
        return window

    def _slow_down(self, rule: Rule, reset: int) -> Reply:
        wait = max(round((reset - self._clock.ticks()) / TICKS_PER_SECOND), 1)
        body = error(429, f"Slow down! Too many requests. Try again in {rule.period}.")
        return Reply(429, body.body, headers=(("Retry-After", str(wait)),))


def _rules(verb: str, path: str) -> tuple[Rule, ...]:
    if path == TOKEN_PATH:
        return _IDENTITY
    return _READING if verb == "GET" else _WRITING
