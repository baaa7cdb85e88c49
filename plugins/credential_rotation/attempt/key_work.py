"""The steps of an attempt where the target makes the values: keys of one principal, at most two at a time.

Rules this file keeps:
- An intent is written before a key is asked for; it names the keys that were there, which are never ours.
- A key goes only when a record names it, or when the target's own records prove that an intent made it.
- A third key is never asked for, and none is deleted or made inactive by guess: a person decides. Their force
  includes a recorded key that is inactive already.
- A replaced key is made inactive first, and deleted only after it has soaked: until then it can come back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from credential_rotation.attempt.complaints import inactive_key, no_slot, no_slot_beside, unknown_key
from credential_rotation.attempt.look import Look
from credential_rotation.attempt.promotion import promote
from credential_rotation.attempt.retirement import retire, speaks_against_end
from credential_rotation.attempt.turn import Turn
from credential_rotation.errors import VaultTrouble, VaultUnknown
from credential_rotation.model import Intent, Key, Record
from credential_rotation.protocols import KeyRotator, KeySession

CLOCKS_DIFFER = timedelta(minutes=15)
"""The target's clock and ours; a key that was made earlier than this before an intent is not its."""
MOST_KEYS = 2
"""What AWS allows a user; others have room for more, and two are enough."""


@dataclass(slots=True)
class KeyWork:
    """Implements `work.Work` for strategy overlapping."""

    turn: Turn
    look: Look
    rotator: KeyRotator
    session: KeySession
    keys: tuple[Key, ...]
    """Those that were there before the records were read: one that no record names is nobody's version."""

    def prepare(self) -> None:
        """Keys carry no marks."""

    def finish(self) -> None:
        """Promote a version whose key was made and recorded; then settle what became of each intent."""
        if self.look.newer:
            self._finish_newest(self.look.newer[0])
        for intent in self.look.stored.intents:
            self._settle(intent)

    def retire(self) -> None:
        """Make the replaced key inactive, let it soak, delete it."""
        retire(self.turn, self.look, self._end)

    def begin(self) -> None:
        """Intent, mint, record, wait until it is known everywhere, promote, forget the intent."""
        turn, look = self.turn, self.look
        self.keys = self.session.keys()
        if len(self.keys) >= MOST_KEYS and turn.nothing_works:
            turn.vault.reserve(look.stored.current)
            self._make_room()
        if len(self.keys) >= MOST_KEYS:
            unknown = self._unknown(self.keys)
            raise no_slot(turn.credential, unknown) if unknown else no_slot_beside(turn.credential, self.keys)
        turn.vault.reserve(look.stored.current)
        intent = turn.vault.intend(
            epoch=(look.newest_epoch or 0) + 1,
            attempt=turn.id,
            written=turn.clock(),
            there=tuple(key.login for key in self.keys),
        )
        turn.account.step("intended", f"version {intent.epoch}")
        record = self._minted(intent)
        turn.account.recorded(record)
        look.add(record)
        self._promote(record)
        self._forget(intent)
        turn.account.rotated(record)

    def _make_room(self) -> None:
        """Delete a recorded key that is inactive: a person wants a new one where no stored value works."""
        unknown = self._unknown(self.keys)
        idle = next((key for key in self.keys if not key.is_active and key not in unknown), None)
        if idle is not None:
            self.session.remove(idle.login)
            self.turn.account.step("removed", f"key {idle.login}, which was inactive, to make room")
            self.keys = self.session.keys()

    def disconnect(self) -> None:
        """A key opens no sessions: each request is signed anew."""

    # --- a new key -------------------------------------------------------------------------------------

    def _minted(self, intent: Intent) -> Record:
        """A key and its record, or neither."""
        secret = self.session.mint(intent)
        try:
            return self.turn.vault.record(
                epoch=intent.epoch,
                attempt=intent.attempt,
                written=intent.written,
                secret=secret,
                revokes=self.turn.asks_to_revoke,
            )
        except (VaultTrouble, VaultUnknown):
            self.session.deactivate(secret.login)  # ours for certain: nobody else has seen it
            self.session.remove(secret.login)
            self.turn.account.step("taken back", f"key {secret.login}, which could not be recorded")
            raise

    def _promote(self, record: Record) -> None:
        self.look.forget()
        self.rotator.wait_until_valid(record.secret)
        promote(self.turn, self.look, record, gated=True)

    def _finish_newest(self, record: Record) -> None:
        """Promote it; where its key is gone there is nothing to come back to, and the record goes."""
        key = self._key_of(record)
        if key is None:
            self.keys = self.session.keys()  # it may have been made after they were listed
            key = self._key_of(record)
        if key is not None and not key.is_active:
            raise inactive_key(self.turn.credential, key, record)
        if key is None:
            self.turn.vault.delete((record.id,))
            self.look.remove((record,))
            self.turn.account.step("dropped", f"version {record.epoch}, whose key is gone")
            return
        self._promote(record)
        self.turn.account.recovered(f"version {record.epoch} had been begun and is finished")

    # --- intents ---------------------------------------------------------------------------------------

    def _settle(self, intent: Intent) -> None:
        """Find out what an intent has made, once its request can no longer be on its way."""
        made = any((r.epoch, r.attempt) == (intent.epoch, intent.attempt) for r in self.look.stored.records)
        if made:
            self._forget(intent)
            return
        if self.turn.is_settling:
            return
        for key in self._unknown(self.keys):
            if key.login not in intent.there and key.created >= intent.written - CLOCKS_DIFFER:
                self._judge(key, intent)
        self._forget(intent)

    def _judge(self, key: Key, intent: Intent) -> None:
        """Remove a key that is proved to be this intent's; its secret is lost. Raises: NotOurs (no proof)."""
        ours = self.session.is_ours(key, intent)
        if ours is None:
            raise unknown_key(self.turn.credential, key, intent)
        if not ours:
            return
        self.session.deactivate(key.login)
        self.session.remove(key.login)
        self.keys = tuple(one for one in self.keys if one != key)
        self.turn.account.recovered(f"key {key.login}, made by a run that was killed, is removed")

    def _forget(self, intent: Intent) -> None:
        """Delete an intent that is over; where that fails the next attempt does it."""
        try:
            self.turn.vault.delete((intent.id,))
        except (VaultTrouble, VaultUnknown) as error:
            self.turn.account.retire_failed(error)
        else:
            self.look.forget_intent(intent)

    # --- an old key ------------------------------------------------------------------------------------

    def _end(self, record: Record) -> bool:
        """One step nearer to the end of a replaced key; whether it can be asked for its death now."""
        current, key = self.look.stored.current, self._key_of(record)
        if key is None or current is None:
            return True
        if speaks_against_end(self.turn, self.look, record, is_alive=key.is_active):
            return False
        soaked_at = self._soaked_at(record)
        if key.is_active:
            if soaked_at is None:
                self._begin_ending(record)
            self.session.deactivate(key.login)
            self.turn.account.step("inactive", f"version {record.epoch}, key {key.login}")
            soaked_at = self.turn.clock() + self._soak
        elif soaked_at is None:
            self._begin_ending(record)
            soaked_at = self.turn.clock() + self._soak
        if soaked_at > self.turn.clock():
            self.turn.account.step(
                "soaks", f"key {key.login} can come back until {soaked_at:%Y-%m-%d %H:%M} UTC"
            )
            return False
        self.session.remove(key.login)
        self.look.forget()
        self.rotator.wait_until_dead(record.secret)
        self.turn.account.ended(record, f"key {key.login} is deleted")
        return True

    def _begin_ending(self, record: Record) -> None:
        self.look.add_ending(self.turn.vault.begin_ending(record, now=self.turn.clock()))

    @property
    def _soak(self) -> timedelta:
        """A key that may be in wrong hands is not kept to come back."""
        return timedelta(0) if self.turn.revokes else self.turn.credential.policy.soak

    def _soaked_at(self, record: Record) -> datetime | None:
        ending = self.look.ending_of(record)
        return None if ending is None else ending.written + self._soak

    # --- keys ------------------------------------------------------------------------------------------

    def _key_of(self, record: Record) -> Key | None:
        return next((key for key in self.keys if key.login == record.secret.login), None)

    def _unknown(self, keys: tuple[Key, ...]) -> tuple[Key, ...]:
        return unknown_keys(self.look, keys)


def unknown_keys(look: Look, keys: tuple[Key, ...]) -> tuple[Key, ...]:
    """Keys that neither CURRENT nor a record names."""
    known = {record.secret.login for record in look.stored.records}
    if look.stored.current is not None:
        known.add(look.stored.current.secret.login)
    return tuple(key for key in keys if key.login not in known)
