"""A mutex in the vault, for targets without locks of their own: one claim is one secret in the journal.

Bitwarden has no compare-and-set, so that who creates a claim waits until every other one that may be older
can be seen, and then looks: the smallest (creation date, id) wins, all others withdraw.

Rules this file keeps:
- A claim whose create took longer than `delta` is withdrawn: others may have looked before it could be seen.
- `delta` exceeds what the clocks of Bitwarden's servers differ plus the time of a create.
- A claim lasts ten minutes, which a crash leaves over; its age is told by Bitwarden's dates, never by two
  hosts' clocks. Only what is over by more than `delta` is deleted by others.
- It is a mutex, no fence: whoever is stopped inside and goes on later is stopped by asking `still_held` only.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from bitwarden_vault.client import VaultClient
from bitwarden_vault.errors import NotFound, OutcomeUnknown, VaultError
from bitwarden_vault.nouns import VaultSecret
from credential_rotation.errors import AGAIN, Busy, VaultTrouble
from credential_rotation.journal.vault_complaints import in_rotation_words, translated

log = logging.getLogger(__name__)

PREFIX = "claim/"
LASTS = timedelta(minutes=10)
DELTA = timedelta(seconds=2)
MARGIN = timedelta(seconds=30)
"""Before its end nobody begins a request that could outlast it."""
TRIES = 3


def boot_clock() -> float:
    """Seconds that go on while the host sleeps, where the system can tell."""
    clock: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim that is held."""

    id: str
    key: str
    ends: float
    clock: Callable[[], float]

    def still_held(self) -> bool:
        """Whether one more request surely ends before somebody else may come in."""
        return self.clock() + MARGIN.total_seconds() < self.ends


@dataclass(frozen=True, slots=True)
class ClaimMutex:
    """The mutex of one credential; calling it gives a context that is entered by one at a time.

    Entering raises: Busy (somebody else is in it), VaultTrouble, VaultUnknown.
    """

    client: VaultClient = field(repr=False)
    project_id: str
    """The journal's."""
    name: str
    """The credential's."""
    now: Callable[[], datetime]
    """What the claim tells people; nothing is decided by it."""
    delta: timedelta = DELTA
    lasts: timedelta = LASTS
    clock: Callable[[], float] = boot_clock

    @contextmanager
    def __call__(self) -> Iterator[Claim]:
        """Claim, wait, look; leave by withdrawing the claim."""
        with in_rotation_words(self.name):
            claim = self._claim()
        try:
            with in_rotation_words(self.name):
                time.sleep(self.delta.total_seconds())
                self._insist_on_winning(claim)
            yield claim
        finally:
            self._withdraw(claim)

    # --- claiming --------------------------------------------------------------------------------------

    def _claim(self) -> Claim:
        """Create a claim fast enough to be seen by all who look after their own `delta`."""
        for _ in range(TRIES):
            self.client.reserve(creates=1)  # waiting for a login or the budget would count as slow
            began = self.clock()
            claim = self._create(began)
            if self.clock() - began <= self.delta.total_seconds():
                return claim
            self._withdraw(claim)
        raise VaultTrouble(
            f"{self.name}: Bitwarden needs longer than {self.delta.total_seconds():g} s to create a claim, "
            "so that nobody can be sure to be alone",
            next_step=f"Nothing was changed. {AGAIN}",
        )

    def _create(self, began: float) -> Claim:
        key = f"{PREFIX}{self.name}/{secrets.token_hex(6)}"
        value = {
            "expires": f"{self.now() + self.lasts:%Y-%m-%dT%H:%M:%SZ}",
            "seconds": int(self.lasts.total_seconds()),
            "holder": f"{socket.gethostname()} pid {os.getpid()}",
        }
        try:
            made = self.client.create_secret(
                key=key, value=json.dumps(value), note="", project_id=self.project_id
            )
        except OutcomeUnknown:
            self._withdraw_unseen(key)
            raise
        return Claim(made.id, key, began + self.lasts.total_seconds(), self.clock)

    def _withdraw(self, claim: Claim) -> None:
        """Where that fails it stays until it expires: what was done inside is not undone by it."""
        try:
            self.client.delete_secrets((claim.id,))
        except VaultError as error:
            told = translated(self.name, error)
            log.warning("%s: claim %s is left and expires by itself", told.what, claim.key)

    def _withdraw_unseen(self, key: str) -> None:
        """A create with an unknown outcome: whoever could have seen it loses at most ten minutes."""
        try:
            self.client.delete_secrets([one.id for one in self.client.list_secrets() if one.key == key])
        except VaultError as error:
            log.warning("%s: claim %s may be left and expires by itself", error.message, key)

    # --- looking ---------------------------------------------------------------------------------------

    def _insist_on_winning(self, claim: Claim) -> None:
        there = self._all()
        mine = next((one for one in there if one.id == claim.id), None)
        if mine is None:
            raise VaultTrouble(
                f"{self.name}: the claim {claim.key} is not to be seen right after it was created",
                next_step=f"Nothing was changed. See that nobody deletes from the journal. {AGAIN}",
            )
        over = [one for one in there if self._is_over(one, mine.creation_date)]
        winner = min((one for one in there if one not in over), key=lambda one: (one.creation_date, one.id))
        if winner.id != mine.id:
            raise Busy(
                f"{self.name}: {_holder(winner)} has claimed this credential "
                f"since {winner.creation_date:%H:%M:%S} UTC",
                next_step="It finishes by itself, or its claim expires within "
                f"{self.lasts.total_seconds() / 60:g} minutes; the next run looks again.",
            )
        if over:
            self.client.delete_secrets([one.id for one in over])

    def _all(self) -> tuple[VaultSecret, ...]:
        """Every claim on this credential; what vanishes between list and values is looked at again."""
        prefix = f"{PREFIX}{self.name}/"
        for left in reversed(range(TRIES)):
            listed = self.client.list_secrets()
            ids = [
                one.id for one in listed if one.key.startswith(prefix) and one.project_id == self.project_id
            ]
            try:
                return self.client.get_secrets(ids)
            except NotFound:
                if not left:
                    raise
        raise AssertionError  # the loop returns or raises

    def _is_over(self, claim: VaultSecret, bitwardens_now: datetime) -> bool:
        """Told by Bitwarden's own dates; the youngest claim is as good as a clock."""
        return claim.creation_date + timedelta(seconds=_seconds(claim)) + self.delta < bitwardens_now


def _seconds(claim: VaultSecret) -> float:
    """How long it lasts; one that cannot be read lasts as long as any of ours."""
    try:
        seconds = json.loads(claim.value)["seconds"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return LASTS.total_seconds()
    fits = isinstance(seconds, int) and 0 < seconds <= LASTS.total_seconds()
    return float(seconds) if fits else LASTS.total_seconds()


def _holder(claim: VaultSecret) -> str:
    try:
        holder = json.loads(claim.value)["holder"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "somebody"
    return holder[:100] if isinstance(holder, str) and holder.isprintable() else "somebody"
