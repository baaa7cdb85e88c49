"""What a failed login means for those who wait for it."""

from __future__ import annotations

from dataclasses import dataclass

from bitwarden_vault.errand import final_error
from bitwarden_vault.errors import Misconfigured, RefusedToken, VaultError
from bitwarden_vault.login import Login
from bitwarden_vault.retries import wait_before_next
from bitwarden_vault.wire import Message


@dataclass(slots=True)
class LoginAttempts:
    """Failures since the last login that succeeded."""

    login: Login
    last: VaultError | None = None
    _tries: int = 0

    def succeed(self, now: float) -> None:
        """Forget the failures."""
        self.login.succeed(now)
        self._tries, self.last = 0, None

    def fail(self, error: Message, now: float) -> VaultError | None:
        """None when it is tried again later, else what all who wait are told.

        Only what asking again cannot mend is remembered as a refusal.
        """
        self._tries += 1
        self.last = final_error(error)
        wait = wait_before_next(
            str(error.get("kind")),
            was_sent=False,
            is_write=False,
            tries=self._tries,
            told=error.get("retry_after"),
        )
        if wait is None:
            self._tries = 0
            lasting = isinstance(self.last, (RefusedToken, Misconfigured))
            self.login.fail(now, self.last if lasting else None)
            return self.last
        self.login.fail(now, None)
        self.login.not_before = now + wait
        return None
