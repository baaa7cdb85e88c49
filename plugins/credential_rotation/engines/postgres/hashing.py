"""How a new password gets to the server: as a verifier made here, or, if the entry says so, for it to hash.

Rules this file keeps:
- The server gets a SCRAM verifier. `password_hashing: server` is for servers whose password rules refuse
  what arrives hashed; nothing falls back to it.
- Where the password itself is sent, everything that could keep it is turned off for that transaction, as far
  as the role may; what was not is told.
- md5 becomes SCRAM only where the entry says how passwords are hashed, and `check` announces it.
"""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import sql

from credential_rotation.engines.postgres.complaints import quoted
from credential_rotation.engines.postgres.connection import Connection, Refused
from credential_rotation.model import Credential, Secret

OPTION = "password_hashing"
SECONDS = 15
QUIET = {
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_min_duration_sample": "-1",
    "log_transaction_sample_rate": "0",
    "log_min_error_statement": "panic",
    "track_activities": "off",
    "pg_stat_statements.track_utility": "off",
    "pgaudit.log": "none",
}
"""What may keep a statement's text, and the setting with which it does not."""
SCRAM = "scram-sha-256"


def sends_password(credential: Credential) -> bool:
    """Whether the entry says that the server hashes."""
    return credential.options.get(OPTION) == "server"


def sent(connection: Connection, credential: Credential, secret: Secret) -> str:
    """What stands in ALTER ROLE: the verifier, or the password itself."""
    return secret.password if sends_password(credential) else connection.verifier(secret)


def hush(connection: Connection) -> tuple[str, ...]:
    """Turn off, in the open transaction, what would keep its text; the settings that this role may not.

    Raises: Refused, Lost.
    """
    names = ", ".join(f"pg_catalog.current_setting('{name}', true)" for name in QUIET)
    [found] = connection.ask(_sql(f"SELECT {names}"), seconds=SECONDS)
    loud = []
    for (name, quiet), now in zip(QUIET.items(), found, strict=True):
        if now is None or now == quiet:
            continue
        connection.ask(_sql("SAVEPOINT hush"), seconds=SECONDS)
        try:
            connection.ask(_sql(f"SELECT pg_catalog.set_config('{name}', '{quiet}', true)"), seconds=SECONDS)
        except Refused:
            connection.ask(_sql("ROLLBACK TO SAVEPOINT hush"), seconds=SECONDS)
            loud.append(name)
    return tuple(loud)


def note(principal: str, who: str, loud: tuple[str, ...]) -> str:
    """What the evidence says of a password that was sent."""
    told = f"the password of {principal} was sent for the server to hash, as the entry says"
    if not loud:
        return f"{told}; nothing that keeps statements was on"
    names = ", ".join(loud)
    return (
        f"{told}; {who} may not turn off {names}, which may have kept it: "
        f"GRANT SET ON PARAMETER {names} TO {quoted(who)}"
    )


def changes_kind(connection: Connection, principal: str) -> bool:
    """Whether md5 would become SCRAM. Only a superuser can see the role's own verifier.

    Raises: Refused, Lost.
    """
    look = "pg_catalog.has_table_privilege('pg_catalog.pg_authid', 'SELECT')::pg_catalog.text"
    if keeps_md5(connection):
        return True
    if connection.ask(_sql(f"SELECT {look}"), seconds=SECONDS) != [("true",)]:
        return False
    kind = sql.SQL("SELECT rolpassword LIKE 'md5%' FROM pg_catalog.pg_authid WHERE rolname = {}")
    return connection.ask(kind.format(sql.Literal(principal)), seconds=SECONDS) == [("t",)]


def keeps_md5(connection: Connection) -> bool:
    """Whether the server itself makes md5 of passwords for this role. Raises: Refused, Lost."""
    setting = _sql("SELECT pg_catalog.current_setting('password_encryption')")
    return connection.ask(setting, seconds=SECONDS) != [(SCRAM,)]


def announced(connection: Connection, credential: Credential) -> Iterator[str]:
    """A change of kind that the entry asks for. Raises: Refused, Lost."""
    if OPTION not in credential.options:
        return
    for principal in credential.principals:
        if changes_kind(connection, principal):
            yield (
                f"md5 → SCRAM: the next rotation changes the kind of {principal}'s verifier, as "
                f"{OPTION}: {credential.options[OPTION]} says. Clients and poolers that know only md5 are "
                "locked out by it."
            )


def _sql(text: str) -> sql.Composed:
    """A statement of ours that holds no value."""
    return sql.Composed([sql.SQL(text)])
