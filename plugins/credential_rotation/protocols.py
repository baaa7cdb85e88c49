"""What the attempt needs from the world, as promises.

Rules this file keeps:
- Every method says which errors it raises; anything else that escapes is a bug or a crash.
- Every effect is safe to repeat.
- Implementations pass the same contract suite as the simulators (`tests/contracts`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from credential_rotation.errors import RotationError
from credential_rotation.model import (
    Consumer,
    Current,
    Ending,
    Intent,
    Key,
    Probe,
    Record,
    Secret,
    Stamp,
    Stored,
)
from credential_rotation.readership import Readership


class Vault(Protocol):
    """CURRENT and the journal of one credential."""

    @property
    def journal(self) -> str:
        """Identity of the journal (the id of its Bitwarden project), part of every stamp."""

    def look(self) -> Stored:
        """Everything stored on this credential, read now.

        Raises: VaultTrouble, NotOurs (CURRENT names a foreign principal or host).
        """

    def reserve(self, current: Current | None) -> None:
        """Make sure that one create, one update and one read-back will not have to wait, nor be too long.

        Called before the target is touched. Raises: VaultTrouble.
        """

    def record(
        self, *, epoch: int, attempt: str, written: datetime, secret: Secret, revokes: bool = False
    ) -> Record:
        """Write a version down, once, under a name of its own; `revokes` if it is made in compromise mode.

        An unknown outcome is resolved by looking; a record that cannot be seen is not there.
        Raises: VaultTrouble, VaultUnknown.
        """

    def intend(self, *, epoch: int, attempt: str, written: datetime, there: tuple[str, ...]) -> Intent:
        """Write down that the target is about to make a value. Raises: VaultTrouble, VaultUnknown."""

    def begin_ending(self, record: Record, *, now: datetime) -> Ending:
        """Write down that the record's value is about to be made inactive.

        Raises: VaultTrouble, VaultUnknown.
        """

    def promote(self, current: Current | None, record: Record, *, attempt: str, now: datetime) -> str:
        """Make the record's value CURRENT by one write and return CURRENT's id.

        Key, project and the person's text in the note survive. `None` creates CURRENT.
        An unknown outcome is resolved by reading back. Raises: VaultTrouble, VaultUnknown.
        """

    def read_back(self, current_id: str) -> Current:
        """CURRENT as Bitwarden answers now. Raises: VaultTrouble, NotOurs."""

    def delete(self, secret_ids: tuple[str, ...]) -> None:
        """Move records (or duplicates) to the trash; already gone is success.

        Raises: VaultTrouble, VaultUnknown.
        """


class Session(Protocol):
    """The locked session on the target: who holds it is the only one who applies."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the evidence has to say of the last change, tried or made, beside that it was."""

    def stamp(self, principal: str) -> Stamp | None:
        """Our mark on this principal; None where there is none, or the target cannot carry one.

        Raises: TargetUnknown, TargetRefused (the place for it cannot be read).
        """

    def apply(self, record: Record, *, found: Stamp | None, leave: Stamp) -> None:
        """Make the record's value valid and leave our stamp, both or neither.

        Refuses when the stamp is no longer the one that was found.
        Raises: TargetRefused (for certain not applied), ApplyUnknown (may be applied, now or later).
        """

    def differences(self, principal: str, other: str) -> tuple[str, ...]:
        """What `other` may do and this principal may not, each with its remedy: no pair takes turns so.

        Raises: TargetUnknown.
        """

    def kill(self, record: Record, *, found: Stamp | None, leave: Stamp) -> None:
        """End the record's value, which another one has replaced, and move the stamp on, both or neither.

        Refuses when the stamp is no longer the one that was found.
        Raises: TargetRefused (for certain not done), ApplyUnknown (may be done, now or later).
        """

    def restamp(self, principal: str, *, found: Stamp, leave: Stamp) -> None:
        """Put our stamp in the place of another journal's. Raises: TargetRefused, TargetUnknown."""

    def left_over(self, principal: str) -> str:
        """Who still has a session as the principal that was opened before this one; "" if nobody has.

        A changed password ends no session, and whoever reconnects with it is refused.
        Raises: TargetUnknown.
        """

    def disconnect(self, principal: str) -> int:
        """End the principal's open sessions but ours; how many. Raises: TargetRefused, TargetUnknown."""


class KeySession(Protocol):
    """The locked session where the target makes the values: keys of one principal, at most two of them.

    It holds a mutex, not a fence: whoever is stopped past its deadline is not kept from going on.
    """

    def keys(self) -> tuple[Key, ...]:
        """All keys of the principal, oldest first. Raises: TargetUnknown, TargetRefused."""

    def mint(self, intent: Intent) -> Secret:
        """Have the target make a key; the request carries the intent's attempt, to be proved ours by.

        Raises: TargetRefused (for certain none was made), ApplyUnknown (one may be there, now or later).
        """

    def is_ours(self, key: Key, intent: Intent) -> bool | None:
        """Whether the target's own records prove that this intent made the key, or that it did not.

        None: there is no evidence yet, or nobody may look. Raises: TargetUnknown.
        """

    def deactivate(self, login: str) -> None:
        """Make a key inactive; already so, or gone, is success. Raises: TargetRefused, ApplyUnknown."""

    def activate(self, login: str) -> None:
        """Let an inactive key log in again; already so is success. Raises: TargetRefused, ApplyUnknown."""

    def remove(self, login: str) -> None:
        """Delete a key that is inactive; gone already is success. Raises: TargetRefused, ApplyUnknown."""


class Prober(Protocol):
    """Asks a target about values; what all drivers have."""

    @property
    def changes_itself(self) -> bool:
        """Whether the lock session must log in as the principal, with a value that works."""

    def probe(self, secret: Secret) -> Probe:
        """Ask the primary whether this value logs in, by strict authentication.

        Never raises for what the target answers: what cannot be told is `UNKNOWN`.
        """

    def endpoints(self, secret: Secret) -> tuple[Probe, ...]:
        """The same question to every further endpoint of the entry, in the entry's order."""

    def known_at_endpoints(self, secret: Secret) -> tuple[Probe, ...]:
        """As `endpoints`, of a value that was just set: what lags is given a moment to hear of it."""

    def ended_at_endpoints(self, secret: Secret, *, current: Secret) -> tuple[Probe, ...]:
        """Whether every further endpoint refuses a value that the primary refuses already.

        One that lags behind the primary is given a moment; `REFUSED` is the answer only of one that follows.
        `current` is the value that it should take.
        """


class Rotator(Prober, Protocol):
    """The driver of an engine to which we bring the values."""

    def mint(self, principal: str) -> Secret:
        """A new value for this principal, made locally; nothing is sent anywhere. Raises: BadInput."""

    def lock(self, login: Secret | None, *, changing: str) -> AbstractContextManager[Session]:
        """Take the credential's lock on the session that will also apply.

        `login` is the value to log in with where the principal changes itself; an admin ignores it.
        `changing` is the principal whose value is going to change: the privilege for that is proved first.
        Leaving the context releases the lock whatever happened.
        Raises: Busy, TargetUnknown, TargetRefused (admin refused, missing privilege, a pooler in between).
        """

    def disconnect_at_endpoints(self, login: Secret | None) -> Iterator[tuple[str, int | RotationError]]:
        """End the principals' open sessions at further endpoints; of each its name, and how many or why not.

        `login` as for `lock`. One that has no sessions beside the primary's is left out. Never raises.
        """


class KeyRotator(Prober, Protocol):
    """The driver of an engine that makes the values itself."""

    def wait_until_valid(self, secret: Secret) -> None:
        """Wait, within the engine's deadline, until a key that was just made is known wherever it is used.

        Returns in any case: whether it works is `probe`'s to say.
        """

    def wait_until_dead(self, secret: Secret) -> None:
        """Wait, within the engine's deadline, until a key that was just removed is refused everywhere."""

    def lock(self, login: Secret | None, *, changing: str) -> AbstractContextManager[KeySession]:
        """Take the credential's mutex; as `Rotator.lock`, the privileges for a key's whole life are proved.

        Raises: Busy, TargetUnknown, TargetRefused.
        """


class Consumers(Protocol):
    """Asks those who use the credential whether it works for them."""

    def check(self, current: Current, own: Record | None) -> tuple[Probe, ...]:
        """One answer per consumer of the entry about this value, as Bitwarden just answered it.

        `own` is CURRENT's own version, for which people give their word; None where it has none yet.
        Never raises for what a consumer does or lacks: what cannot be told is `UNKNOWN`.
        """

    def awaited(self, own: Record) -> tuple[Consumer, ...]:
        """Who takes values by hand, and of whom nobody has said that they have this version.

        Never raises, and answers in bounded time: of whom nothing can be told is awaited.
        """


class Readers(Protocol):
    """Knows which processes were given which version."""

    def of(self, current: Current) -> Readership:
        """Everybody who was given a version of CURRENT's secret.

        Never raises, and answers in bounded time: what cannot be told is said in `unknown`.
        """
