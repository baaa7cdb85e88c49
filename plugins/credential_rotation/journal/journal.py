"""CURRENT and the journal of one credential in Bitwarden: implements `protocols.Vault`.

Rules this file keeps:
- A write whose outcome is unknown is resolved by reading; what cannot be seen is not there, and said so.
- CURRENT's key, project, foreign fields and the person's text in its note survive every write.
- Whatever would make promote fail for its length is found out before the target is touched.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bitwarden_vault.client import VaultClient
from bitwarden_vault.errors import NotFound, OutcomeUnknown
from bitwarden_vault.formats import Server
from bitwarden_vault.nouns import SecretName, VaultSecret
from credential_rotation.journal import vault_complaints as complaints
from credential_rotation.journal.current_note import Marks, NoteDoesNotFit, with_marks
from credential_rotation.journal.entries import (
    current_from,
    ending_from,
    host_of,
    intent_from,
    next_value,
    record_from,
)
from credential_rotation.journal.reader_notes import fields_for_readers, first_fields
from credential_rotation.journal.records import (
    ENDING,
    INTENT,
    LAST_EPOCH,
    RecordName,
    intent_value,
    key_of,
    read_key,
    value_of,
)
from credential_rotation.journal.vault_complaints import in_rotation_words
from credential_rotation.model import Credential, Current, Ending, Intent, Record, Secret, Stored, Strategy

MOST_CHARACTERS = 25_000
MOST_BYTES = 26_100
"""Bitwarden's limits for a value: what the SDK counts, and what its ciphertext may hold as UTF-8."""
LOOKS = 3
"""A list and the values that it names are two requests; what vanishes between them is looked at again."""


@dataclass(frozen=True, slots=True)
class Journal:
    """One credential's part of the vault; project names are resolved already."""

    credential: Credential
    client: VaultClient = field(repr=False)
    project_id: str
    """CURRENT's project."""
    journal: str
    """The journal's project."""
    server: Server
    """What a first CURRENT says besides the login."""

    def look(self) -> Stored:
        """Everything stored on this credential, read now: CURRENT last, for records never change.

        Raises: VaultTrouble, NotOurs.
        """
        with in_rotation_words(self.credential.name):
            for left in reversed(range(LOOKS)):
                try:
                    return self._look()
                except NotFound:
                    if not left:
                        raise
        raise AssertionError  # the loop returns or raises

    def reserve(self, current: Current | None) -> None:
        """Room for one create, one update and what is read around it, and a CURRENT that can be written.

        Raises: VaultTrouble.
        """
        longest = Secret(max(self.credential.principals, key=len), "x" * 128)
        if current is not None:
            self._next_texts(current, longest, epoch=10**6, attempt="x" * 12, now=current.revised)
        ids = (current.id,) if current is not None else ()
        with in_rotation_words(self.credential.name):
            self.client.reserve(creates=self._creates + (not ids), updates=ids, reads=ids * self._reads)

    def record(
        self, *, epoch: int, attempt: str, written: datetime, secret: Secret, revokes: bool = False
    ) -> Record:
        """Write a version down, once. Raises: VaultTrouble, VaultUnknown, NotOurs (no number is left)."""
        self._insist_on_number(epoch)
        key = key_of(self.credential.name, epoch=epoch, written=written, attempt=attempt)
        host = host_of(self.credential)
        value = value_of(secret, epoch=epoch, written=written, attempt=attempt, host=host, revokes=revokes)
        return record_from(self.credential, self._write_down(key, value))

    def intend(self, *, epoch: int, attempt: str, written: datetime, there: tuple[str, ...]) -> Intent:
        """Write down that the target is about to make a value. Raises: as `record`."""
        self._insist_on_number(epoch)
        key = key_of(self.credential.name, epoch=epoch, written=written, attempt=attempt, kind=INTENT)
        return intent_from(self.credential, self._write_down(key, intent_value(there, written)))

    def begin_ending(self, record: Record, *, now: datetime) -> Ending:
        """Write down that a value is about to be made inactive. Raises: VaultTrouble, VaultUnknown."""
        key = key_of(
            self.credential.name, epoch=record.epoch, written=now, attempt=record.attempt, kind=ENDING
        )
        told = f"the value of version {record.epoch} was made inactive; keep this until it is gone"
        return ending_from(self.credential, self._write_down(key, told))

    def promote(self, current: Current | None, record: Record, *, attempt: str, now: datetime) -> str:
        """Make the record's value CURRENT by one write. Raises: VaultTrouble, VaultUnknown."""
        value, note = self._next_texts(current, record.secret, epoch=record.epoch, attempt=attempt, now=now)
        with in_rotation_words(self.credential.name):
            if current is None:
                return self._create(value, note)
            try:
                self.client.update_secret(
                    current.id, key=current.key, value=value, note=note, project_id=self.project_id
                )
            except OutcomeUnknown:
                if self.client.get_secret(current.id).value != value:
                    raise
            return current.id

    def read_back(self, current_id: str) -> Current:
        """CURRENT as Bitwarden answers now. Raises: VaultTrouble, NotOurs."""
        with in_rotation_words(self.credential.name):
            return current_from(self.credential, self.client.get_secret(current_id))

    def delete(self, secret_ids: tuple[str, ...]) -> None:
        """Move records (or duplicates) to the trash. Raises: VaultTrouble, VaultUnknown."""
        with in_rotation_words(self.credential.name):
            try:
                self.client.delete_secrets(secret_ids)
            except OutcomeUnknown:
                if any(name.id in secret_ids for name in self.client.list_secrets()):
                    raise

    # --- reading ---------------------------------------------------------------------------------------

    def _look(self) -> Stored:
        names = self.client.list_secrets()
        ours = self._ours(names)
        candidates = self._candidates(names)
        ids = [key.id for key in ours] + [name.id for name in candidates]
        secrets = self.client.get_secrets(ids)
        by_id = {secret.id: secret for secret in secrets}
        currents = sorted(
            (current_from(self.credential, by_id[name.id]) for name in candidates),
            key=lambda current: (by_id[current.id].creation_date, current.id),
        )
        if any(current.secret != currents[0].secret or not current.epoch for current in currents[1:]):
            raise complaints.ambiguous(self.credential, [current.id for current in currents])

        def of(kind: str) -> list[VaultSecret]:
            return [by_id[key.id] for key in ours if key.kind == kind]

        records = [record_from(self.credential, one) for one in of("")]
        intents = [intent_from(self.credential, one) for one in of(INTENT)]
        return Stored(
            current=currents[0] if currents else None,
            records=tuple(sorted(records, key=lambda record: record.order, reverse=True)),
            duplicates=tuple(currents[1:]),
            intents=tuple(sorted(intents, key=lambda intent: intent.written, reverse=True)),
            endings=tuple(ending_from(self.credential, one) for one in of(ENDING)),
        )

    def _ours(self, names: tuple[SecretName, ...]) -> list[RecordName]:
        keys = (read_key(name.id, name.key) for name in names if name.project_id == self.journal)
        return [key for key in keys if key is not None and key.name == self.credential.name]

    def _candidates(self, names: tuple[SecretName, ...]) -> list[SecretName]:
        """The secrets that the entry's `vault` can mean: none, CURRENT, or CURRENT and its duplicates."""
        place = self.credential.vault
        if place.id is not None:
            found = [name for name in names if name.id == place.id and name.project_id == self.project_id]
            if not found:
                raise complaints.no_such_id(self.credential)
            return found
        return [name for name in names if name.key == place.key and name.project_id == self.project_id]

    # --- writing ---------------------------------------------------------------------------------------

    @property
    def _reads(self) -> int:
        """Of CURRENT: after its write, and where the value before lives on, right before it too."""
        return 1 if self.credential.strategy is Strategy.IN_PLACE else 2

    @property
    def _creates(self) -> int:
        """What one rotation creates: a record, and an intent before it where the target makes the value."""
        return 2 if self.credential.strategy is Strategy.OVERLAPPING else 1

    def _next_texts(
        self, current: Current | None, secret: Secret, *, epoch: int, attempt: str, now: datetime
    ) -> tuple[str, str]:
        """Value and note of CURRENT with this secret in it. Raises: VaultTrouble (they do not fit)."""
        value = next_value(self.credential, current, secret, self.server)
        if len(value) > MOST_CHARACTERS or len(value.encode()) > MOST_BYTES:
            why = f"its value would have {len(value)} characters in {len(value.encode())} bytes"
            raise complaints.too_long(self.credential, why)
        before = current.note if current else ""
        try:
            note = with_marks(
                before,
                Marks(epoch, attempt),
                now=now,
                first=first_fields(self.credential, self.server),
                always=fields_for_readers(self.credential, secret, before),
            )
        except NoteDoesNotFit as wrong:
            raise complaints.too_long(self.credential, str(wrong)) from None
        return value, note

    def _insist_on_number(self, epoch: int) -> None:
        """A record that could not be read again would be a value that nobody finds."""
        if epoch > LAST_EPOCH:
            raise complaints.no_number_left(self.credential, LAST_EPOCH)

    def _write_down(self, key: str, value: str) -> VaultSecret:
        with in_rotation_words(self.credential.name):
            try:
                return self.client.create_secret(key=key, value=value, note="", project_id=self.journal)
            except OutcomeUnknown:
                return self._found(key, self.journal, value)

    def _create(self, value: str, note: str) -> str:
        key = self.credential.vault.key or ""
        try:
            return self.client.create_secret(key=key, value=value, note=note, project_id=self.project_id).id
        except OutcomeUnknown:
            return self._found(key, self.project_id, value).id

    def _found(self, key: str, project_id: str, value: str) -> VaultSecret:
        """The secret that a create with an unknown outcome made. Raises: OutcomeUnknown (not to be seen)."""
        ids = [n.id for n in self.client.list_secrets() if n.key == key and n.project_id == project_id]
        made = [secret for secret in self.client.get_secrets(ids) if secret.value == value] if ids else []
        if not made:
            raise OutcomeUnknown(f"a new secret was sent to Bitwarden and is not to be seen there ({key})")
        return min(made, key=lambda secret: (secret.creation_date, secret.id))
