"""Secrets of the vault as the nouns of a rotation, and back: pure, for one credential.

Rules this file keeps:
- What is for another user, host or form than the entry's is refused, never guessed at.
- A record, intent or note that a person edited is refused by name.
"""

from __future__ import annotations

from bitwarden_vault.formats import Login, Server, Unreadable, first_value, read_login, write_login
from bitwarden_vault.nouns import VaultSecret
from credential_rotation.journal import vault_complaints as complaints
from credential_rotation.journal.current_note import read_marks
from credential_rotation.journal.records import (
    RecordName,
    UnreadableRecord,
    read_intent,
    read_key,
    read_revokes,
    read_value,
    read_written,
)
from credential_rotation.model import Credential, Current, Ending, Intent, Record, Secret, Strategy


def host_of(credential: Credential) -> str:
    """What records name as their host: where there is none, the engine stands for its one service."""
    return credential.target.host or credential.engine


def is_same_host(one: str, other: str) -> bool:
    """Whether both are the name of one host, as DNS has it."""
    return one.lower().rstrip(".") == other.lower().rstrip(".")


def current_from(credential: Credential, secret: VaultSecret) -> Current:
    """CURRENT. Raises: NotOurs (another form, user or host)."""
    try:
        login = read_login(credential.vault.format, secret.value)
    except Unreadable as wrong:
        raise complaints.wrong_form(credential, str(wrong)) from None
    host = credential.target.host
    if host and login.host is not None and not is_same_host(login.host, host):
        raise complaints.foreign_host(credential, "CURRENT")
    marks = read_marks(secret.note)
    return Current(
        id=secret.id,
        key=secret.key,
        secret=_secret_of(credential, login),
        revised=secret.revision_date,
        epoch=marks.epoch if marks else None,
        attempt=marks.attempt if marks else None,
        value=secret.value,
        note=secret.note,
    )


def next_value(credential: Credential, current: Current | None, secret: Secret, server: Server) -> str:
    """CURRENT's value with this secret in it. Raises: NotOurs (another form)."""
    login = Login(secret.login or secret.principal, secret.password)
    form = credential.vault.format
    try:
        return write_login(form, current.value, login) if current else first_value(form, login, server)
    except Unreadable as wrong:
        raise complaints.wrong_form(credential, str(wrong)) from None


def record_from(credential: Credential, stored: VaultSecret) -> Record:
    """A version's record. Raises: NotOurs."""
    key = _key_of(credential, stored)
    try:
        secret, host = read_value(stored.value)
    except UnreadableRecord as wrong:
        raise complaints.bad_record(credential, stored.key, str(wrong)) from None
    if secret.principal not in credential.principals:
        raise complaints.bad_record(credential, stored.key, "it is for none of the entry's principals")
    if not is_same_host(host, host_of(credential)):
        raise complaints.foreign_host(credential, f"the record {stored.key}")
    return Record(
        id=stored.id,
        epoch=key.epoch,
        attempt=key.attempt,
        written=read_written(stored.value, key=key),
        revised=stored.revision_date,
        secret=secret,
        revokes=read_revokes(stored.value),
    )


def intent_from(credential: Credential, stored: VaultSecret) -> Intent:
    """An intent. Raises: NotOurs."""
    key = _key_of(credential, stored)
    try:
        there = read_intent(stored.value)
    except UnreadableRecord as wrong:
        raise complaints.bad_record(credential, stored.key, str(wrong)) from None
    written = read_written(stored.value, key=key)
    return Intent(stored.id, key.epoch, key.attempt, written, stored.revision_date, there)


def ending_from(credential: Credential, stored: VaultSecret) -> Ending:
    """The note that a version's value was made inactive. Raises: NotOurs."""
    key = _key_of(credential, stored)
    return Ending(stored.id, key.epoch, key.attempt, key.written)


def _secret_of(credential: Credential, login: Login) -> Secret:
    """Who logs in: of a key the user is the entry's, and what is sent as name is the key's id."""
    principals = credential.principals
    if credential.strategy is Strategy.OVERLAPPING:
        return Secret(principals[0], login.password, login.username or "")
    if login.username is not None and login.username not in principals:
        raise complaints.foreign_login(credential)
    return Secret(login.username or principals[0], login.password)


def _key_of(credential: Credential, stored: VaultSecret) -> RecordName:
    key = read_key(stored.id, stored.key)
    if key is None:
        raise complaints.bad_record(credential, stored.key, "its key is not a record's")
    return key
