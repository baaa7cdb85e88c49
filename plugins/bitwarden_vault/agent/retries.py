"""Whether and when a request that failed is sent again.

Not a retry library: those sleep in the caller, and here one loop waits for all callers at once.

Rules this file keeps:
- 429 and 401 mean "not done" for certain: reads and writes wait as told, within the caller's patience.
- No connection, or 5xx: reads only, a few times, so that a wrong address is said in seconds.
- A write whose outcome is unknown is never sent again.
"""

from __future__ import annotations

from bitwarden_vault.errors import UNAUTHORIZED, RateLimited, RefusedToken, Unreachable

_CONNECTION_TRIES = 4
_AFTER_401 = (0.0, 5.0, 20.0, 60.0)


def wait_before_next(
    kind: str, *, was_sent: bool, is_write: bool, tries: int, told: float | None
) -> float | None:
    """Seconds to wait before try number `tries + 1` after a failure of this kind; None is never."""
    if kind == RateLimited.kind:
        base = told if told is not None else min(60.0, 2.0**tries)
        return base + _jitter(0.05, 0.5)
    if kind == UNAUTHORIZED:
        base = _AFTER_401[min(tries, len(_AFTER_401)) - 1]
        return base * _jitter(1.0, 1.2)
    if kind == RefusedToken.kind and not was_sent:  # over a torn state: the agent logs in anew, as it can
        return 0.0 if tries == 1 else None
    may_repeat = not (is_write and was_sent)
    if kind == Unreachable.kind and may_repeat and tries < _CONNECTION_TRIES:
        return 0.2 * float(2**tries) * _jitter(0.5, 1.0)
    return None


def _jitter(low: float, high: float) -> float:
    import random  # noqa: PLC0415 - few requests fail, and the first lookup waits for imports

    return random.SystemRandom().uniform(low, high)
