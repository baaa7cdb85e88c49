"""What a failed login means for those who wait for it."""

from __future__ import annotations

from dataclasses import dataclass, field

from bitwarden_vault.agent.login import REFUSAL_HOLDS, Login
from bitwarden_vault.agent.request import final_error
from bitwarden_vault.agent.retries import wait_before_next
from bitwarden_vault.agent.token_slots import TokenSlots
from bitwarden_vault.errors import Misconfigured, NoToken, RefusedToken, VaultError
from bitwarden_vault.wire import Message


@dataclass(slots=True, eq=False)
class LoginAttempts:
    """Failures since the last login that succeeded."""

    login: Login
    slots: TokenSlots = field(default_factory=TokenSlots)
    last: VaultError | None = None
    _tries: int = 0

    def succeed(self, now: float) -> None:
        """Forget the failures."""
        self.login.succeed(now)
        self.slots.accept()
        self._tries, self.last = 0, None

    def fail(self, error: Message, now: float) -> VaultError | None:
        """None when it is tried again later, else what all who wait are told.

        Only what asking again cannot mend is remembered as a refusal.
        """
        self._tries += 1
        self.last = final_error(error)
        if isinstance(self.last, (RefusedToken, NoToken)):
            return self._refused(self.last, now)
        wait = wait_before_next(
            str(error.get("kind")),
            was_sent=False,
            is_write=False,
            tries=self._tries,
            told=error.get("retry_after"),
        )
        if wait is None:
            self._tries = 0
            self.login.fail(now, self.last if isinstance(self.last, Misconfigured) else None)
            return self.last
        self.login.fail(now, None)
        self.login.not_before = now + wait
        return None

    def _refused(self, error: VaultError, now: float) -> VaultError | None:
        """Go on with the token after this one, at once; where there is none, all who wait are told."""
        self._tries = 0
        self.last = self.slots.refuse(error)
        self.login.fail(now, self.last)
        self.login.state_age = self.slots.ages[self.slots.current]
        if self.last is not None:  # as many logins a minute as with one token
            self.login.not_before = max(self.login.not_before, now + REFUSAL_HOLDS * len(self.slots.ages))
        return self.last
