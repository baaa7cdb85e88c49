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
from bitwarden_vault.formats import Login, Server, Unreadable, first_value, read_login, write_login
from bitwarden_vault.nouns import SecretName, VaultSecret
from credential_rotation import vault_complaints as complaints
from credential_rotation.current_note import NoteDoesNotFit, read_marks, with_marks
from credential_rotation.model import Credential, Current, Record, Secret, Stored
from credential_rotation.records import UnreadableRecord, key_of, read_key, read_value, value_of
from credential_rotation.vault_complaints import in_rotation_words

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
        """Everything stored on this credential, read now. Raises: VaultTrouble, NotOurs."""
        with in_rotation_words(self.credential.name):
            for left in reversed(range(LOOKS)):
                try:
                    return self._look()
                except NotFound:
                    if not left:
                        raise
        raise AssertionError  # the loop returns or raises

    def reserve(self, current: Current | None) -> None:
        """Room for one create, one update and one read-back, and a CURRENT that can be written.

        Raises: VaultTrouble.
        """
        longest = Secret(max(self.credential.principals, key=len), "x" * 128)
        if current is not None:
            self._next_texts(current, longest, epoch=10**6, attempt="x" * 12, now=current.revised)
        ids = (current.id,) if current is not None else ()
        with in_rotation_words(self.credential.name):
            self.client.reserve(creates=1 if ids else 2, updates=ids, reads=ids)

    def record(self, *, epoch: int, attempt: str, written: datetime, secret: Secret) -> Record:
        """Write a version down, once. Raises: VaultTrouble, VaultUnknown."""
        host = self.credential.target.host
        key = key_of(self.credential.name, epoch=epoch, written=written, attempt=attempt)
        value = value_of(secret, epoch=epoch, attempt=attempt, host=host)
        with in_rotation_words(self.credential.name):
            try:
                made = self.client.create_secret(key=key, value=value, note="", project_id=self.journal)
            except OutcomeUnknown:
                made = self._found(key, self.journal, value)
        return self._record(made)

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
            return self._current(self.client.get_secret(current_id))

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
        records = [name for name in names if self._is_ours(name)]
        candidates = self._candidates(names)
        secrets = self.client.get_secrets([name.id for name in (*candidates, *records)])
        by_id = {secret.id: secret for secret in secrets}
        currents = sorted(
            (self._current(by_id[name.id]) for name in candidates),
            key=lambda current: (by_id[current.id].creation_date, current.id),
        )
        if any(current.secret != currents[0].secret or not current.epoch for current in currents[1:]):
            raise complaints.ambiguous(self.credential, [current.id for current in currents])
        written_down = [self._record(by_id[name.id]) for name in records]
        return Stored(
            current=currents[0] if currents else None,
            records=tuple(sorted(written_down, key=lambda record: record.order, reverse=True)),
            duplicates=tuple(currents[1:]),
        )

    def _is_ours(self, name: SecretName) -> bool:
        key = read_key(name.id, name.key)
        return key is not None and key.name == self.credential.name and name.project_id == self.journal

    def _candidates(self, names: tuple[SecretName, ...]) -> list[SecretName]:
        """The secrets that the entry's `vault` can mean: none, CURRENT, or CURRENT and its duplicates."""
        place = self.credential.vault
        if place.id is not None:
            found = [name for name in names if name.id == place.id and name.project_id == self.project_id]
            if not found:
                raise complaints.no_such_id(self.credential)
            return found
        return [name for name in names if name.key == place.key and name.project_id == self.project_id]

    def _current(self, secret: VaultSecret) -> Current:
        form = self.credential.vault.format
        try:
            login = read_login(form, secret.value)
        except Unreadable as wrong:
            raise complaints.wrong_form(self.credential, str(wrong)) from None
        if login.username is not None and login.username not in self.credential.principals:
            raise complaints.foreign_login(self.credential)
        if login.host is not None and not _is_same_host(login.host, self.credential.target.host):
            raise complaints.foreign_host(self.credential, "CURRENT")
        marks = read_marks(secret.note)
        return Current(
            id=secret.id,
            key=secret.key,
            secret=Secret(login.username or self.credential.principals[0], login.password),
            revised=secret.revision_date,
            epoch=marks.epoch if marks else None,
            attempt=marks.attempt if marks else None,
            value=secret.value,
            note=secret.note,
        )

    def _record(self, stored: VaultSecret) -> Record:
        key = read_key(stored.id, stored.key)
        if key is None:
            raise complaints.bad_record(self.credential, stored.key, "its key is not a record's")
        try:
            secret, host = read_value(stored.value)
        except UnreadableRecord as wrong:
            raise complaints.bad_record(self.credential, stored.key, str(wrong)) from None
        if secret.principal not in self.credential.principals:
            why = "it is for none of the entry's principals"
            raise complaints.bad_record(self.credential, stored.key, why)
        if not _is_same_host(host, self.credential.target.host):
            raise complaints.foreign_host(self.credential, f"the record {stored.key}")
        return Record(
            id=stored.id,
            epoch=key.epoch,
            attempt=key.attempt,
            written=key.written,
            revised=stored.revision_date,
            secret=secret,
            host=host,
        )

    # --- writing ---------------------------------------------------------------------------------------

    def _next_texts(
        self, current: Current | None, secret: Secret, *, epoch: int, attempt: str, now: datetime
    ) -> tuple[str, str]:
        """Value and note of CURRENT with this secret in it. Raises: VaultTrouble (they do not fit)."""
        login = Login(secret.principal, secret.password)
        form = self.credential.vault.format
        try:
            value = (
                write_login(form, current.value, login) if current else first_value(form, login, self.server)
            )
        except Unreadable as wrong:
            raise complaints.wrong_form(self.credential, str(wrong)) from None
        if len(value) > MOST_CHARACTERS or len(value.encode()) > MOST_BYTES:
            why = f"its value would have {len(value)} characters in {len(value.encode())} bytes"
            raise complaints.too_long(self.credential, why)
        try:
            note = with_marks(current.note if current else "", epoch=epoch, attempt=attempt, now=now)
        except NoteDoesNotFit as wrong:
            raise complaints.too_long(self.credential, str(wrong)) from None
        return value, note

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


def _is_same_host(one: str, other: str) -> bool:
    return one.lower().rstrip(".") == other.lower().rstrip(".")
