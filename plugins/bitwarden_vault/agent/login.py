"""The one login that all workers of an agent share.

Rules this file keeps:
- One worker logs in while the others wait; they then load its state, which makes no request.
- Renewed by us, before the SDK would: its own renewals are not written back, so each worker would make one.
- A refusal is remembered for a moment, so that a hundred tasks do not become a hundred refused logins.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from bitwarden_vault.errors import VaultError

RENEW_AFTER = 3000.0
"""Seconds; a bearer lives 3600 and the SDK renews in its last 300."""
REFUSAL_HOLDS = 20.0
"""Seconds; the identity service takes ten logins a minute from one address, whoever makes them."""
LOGINS = 4
"""In a minute: what goes on being answered with 401 after a new login is not mended by more of them."""
_MINUTE = 60.0


@dataclass(slots=True, eq=False)
class Login:
    """Whether the shared state can be used, and who may make a new one when."""

    state_age: float | None
    """Seconds since a state found on disk was written; None when there is none."""
    generation: int = 0
    count: int = 0
    """Logins made by this agent, those that failed included."""
    under_way: bool = False
    not_before: float = 0.0
    refusal: VaultError | None = None
    _usable: bool = False
    _made_at: float = 0.0
    _made: deque[float] = field(default_factory=lambda: deque(maxlen=LOGINS))

    def is_usable(self, now: float) -> bool:
        """Requests may be sent with it."""
        return self._usable and not self.under_way and now - self._made_at < RENEW_AFTER

    def may_begin(self, now: float) -> bool:
        """A worker may log in now."""
        return not self.under_way and not self.is_usable(now) and now >= self.not_before

    def begin(self) -> bool:
        """Begin a new generation; whether it must be a fresh login instead of a state that was found."""
        self.under_way, self._usable = True, False
        self.generation += 1
        fresh = self.state_age is None or self.state_age > RENEW_AFTER
        self.count += fresh
        return fresh

    def succeed(self, now: float) -> None:
        """All may use it."""
        self.under_way, self._usable, self.refusal = False, True, None
        self._made_at = now - (self.state_age or 0.0)
        self._made.append(now)
        if len(self._made) == LOGINS:
            self.not_before = max(self.not_before, self._made[0] + _MINUTE)
        self.state_age = None

    def fail(self, now: float, refusal: VaultError | None) -> None:
        """It did not succeed; a refused token is not asked about again at once."""
        self.under_way, self.state_age, self.refusal = False, None, refusal
        self.not_before = max(self.not_before, now + REFUSAL_HOLDS) if refusal else self.not_before

    def reject(self, generation: int) -> None:
        """The API answered 401 to this generation: the next request logs in anew."""
        if generation == self.generation and not self.under_way:
            self._usable, self.state_age = False, None
