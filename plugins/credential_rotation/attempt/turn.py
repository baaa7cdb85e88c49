"""What the steps of one attempt share: the credential, who takes part, and what is known so far."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from credential_rotation.attempt.account import Account
from credential_rotation.attempt.look import Look
from credential_rotation.model import Consumer, Credential, Record, Stamp, Strategy
from credential_rotation.policy import Request
from credential_rotation.protocols import Consumers, KeyRotator, Readers, Rotator, Vault
from credential_rotation.readership import UNWATCHED, Reader

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Parties:
    """Who takes part in a credential's rotation."""

    vault: Vault
    rotator: Rotator | KeyRotator
    consumers: Consumers
    readers: Readers = UNWATCHED


class Turn:
    """One attempt's own state; `account` keeps what was done for those who read it later."""

    def __init__(
        self,
        credential: Credential,
        parties: Parties,
        *,
        begin: Request | None,
        clock: Clock,
        settle: timedelta,
    ) -> None:
        self.credential = credential
        self.vault = parties.vault
        self.rotator = parties.rotator
        self.consumers = parties.consumers
        self.readers = parties.readers
        self.read_by: tuple[Reader, ...] = ()
        """Who reads what CURRENT has replaced, as far as it was asked."""
        self.read_by_asked_of: int | None = None
        """The version that was CURRENT when it was asked."""
        self.awaited: tuple[Consumer, ...] = ()
        """Who takes CURRENT by hand and was not said to have it, as far as it was asked."""
        self.awaited_asked_of: int | None = None
        """The version that was CURRENT when it was asked."""
        self.request = begin
        self.revokes = self.asks_to_revoke
        """Compromise mode: no grace, no soak, no waiting, and never back to a value from before.

        Also where an earlier attempt of it was not seen to end: every run goes on with that.
        """
        self.revokes_since = begin.at if begin is not None else clock()
        """What is younger than this is not in wrong hands."""
        self.clock = clock
        self.settle = settle
        self.id = secrets.token_hex(6)
        self.account = Account(credential, self.id, clock)
        self.look: Look | None = None
        self.stamps: dict[str, Stamp | None] = {}
        self.settles_at: datetime | None = None
        self.seen_at = clock()
        self.nothing_works = False
        self.dead_at_primary: set[str] = set()
        """Records whose values the primary refuses, and some endpoint does not refuse yet."""
        self.over: tuple[Record, ...] = ()
        """Of a revocation, what is proved dead: the records go once sessions are ended."""

    def see(self) -> Look:
        """Look again, and keep what a second question would only repeat."""
        self.seen_at = self.clock()
        before, self.look = self.look, Look(self.credential, self.vault.look(), self.rotator)
        if before is not None:
            self.look.carry_refusals(before)
        self.settles_at = self.look.settles_at(self.settle)
        revoking = self.look.revoking
        self.revokes = self.asks_to_revoke or revoking is not None
        if revoking is not None and not self.asks_to_revoke:
            self.revokes_since = revoking.written
        return self.look

    @property
    def is_settling(self) -> bool:
        """Whether writes of an earlier attempt could still land when we looked: time alone shows none."""
        if self.asks_to_revoke:
            return False
        return self.settles_at is not None and self.settles_at > self.seen_at

    @property
    def asks_to_revoke(self) -> bool:
        """Whether a person wants it now: then nothing settles either."""
        return self.request is not None and self.request.revoke

    @property
    def is_overlapping(self) -> bool:
        """Whether the old value lives on beside the new one, so that proofs can come before promote."""
        return self.credential.strategy is not Strategy.IN_PLACE

    def is_in_grace(self, look: Look) -> bool:
        """Whether a replaced value is to be left as it is for now: alive in grace, or inactive in soak."""
        ends = look.rests_until
        return not self.revokes and ends is not None and ends > self.clock()
