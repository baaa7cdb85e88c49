"""The locked session on PostgreSQL: who holds it is the only one who applies.

Rules this file keeps:
- The advisory lock and every change are on one session of the server itself. A pooler is recognised
  by the backend's PID, which must be the one that libpq was told, before and after.
- Missing privileges are found before anything is written anywhere: the change is rehearsed with a
  throw-away value and rolled back.
- The fence: ALTER first, which makes a rival wait or fail, then read the stamp, then COMMENT and COMMIT.
  Reading first would let a second transaction win over the first (measured, even REPEATABLE READ).
- The server gets a SCRAM verifier, unless the entry says that it hashes itself. From ALTER on, a lost
  session is an unknown outcome.
"""

from __future__ import annotations

import secrets

from psycopg import sql

from credential_rotation.engines.postgres import complaints, hashing
from credential_rotation.engines.postgres.connection import TO_THE_BYTE, Connection, Lost, Refused
from credential_rotation.engines.postgres.expiry import extends, extension
from credential_rotation.engines.postgres.in_use import end_sessions, left_over
from credential_rotation.engines.postgres.login import WHO_AM_I
from credential_rotation.engines.postgres.stamp import stamp_in, with_stamp
from credential_rotation.engines.postgres.target import Place
from credential_rotation.engines.postgres.twins import differences
from credential_rotation.errors import RotationError, TargetRefused, TargetUnknown
from credential_rotation.model import Credential, Record, Secret, Stamp

PATIENCE = 15
"""Seconds that we wait for one answer; the server gives up on its own before that."""
SETTINGS = {
    "search_path": "pg_catalog",
    "standard_conforming_strings": "on",
    "statement_timeout": "10s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "20s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
BEGIN = sql.SQL("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
ROLLBACK = sql.SQL("ROLLBACK")
COMMIT = sql.SQL("COMMIT")
COMMENT_OF = sql.SQL(
    "SELECT pg_catalog.shobj_description(oid, 'pg_authid') FROM pg_catalog.pg_roles WHERE rolname = {}"
)


class LockSession:
    """Implements `protocols.Session`; `admin` is None where the role changes itself."""

    def __init__(
        self, connection: Connection, credential: Credential, place: Place, *, admin: str | None
    ) -> None:
        self.connection = connection
        self.credential = credential
        self.place = place
        self.admin = admin
        self.notes: tuple[str, ...] = ()

    @property
    def carries_stamp(self) -> bool:
        """A role cannot comment on itself, so only an admin leaves a stamp."""
        return self.admin is not None and self.credential.options.get("stamp", "auto") != "none"

    # --- taking it -------------------------------------------------------------------------------------

    def take(self) -> None:
        """Take the lock, or say why not. Raises: Busy, TargetUnknown, TargetRefused."""
        try:
            self._stand_on_the_primary()
            self._settle_in()
            self._lock()
            self._stand_on_the_primary()
        except Lost:
            raise complaints.session_lost(self.credential.name, self.place) from None
        except Refused as error:
            raise TargetUnknown(
                f"{self.credential.name}: the session on {self.place} could not be prepared "
                f"(SQLSTATE {error.sqlstate})",
                next_step=f"{complaints.NOTHING_CHANGED} The next run tries again.",
            ) from None

    def release(self) -> None:
        """Give the lock back at once; where the session is gone, the server does it when it notices."""
        try:
            self.connection.ask(sql.SQL("SELECT pg_catalog.pg_advisory_unlock_all()"), seconds=PATIENCE)
        except (Lost, Refused):
            return

    def _stand_on_the_primary(self) -> None:
        [(_, in_recovery, backend_pid)] = self.connection.ask(WHO_AM_I, seconds=PATIENCE)
        if backend_pid != str(self.connection.backend_pid):
            raise complaints.pooler(self.credential.name, self.place)
        if in_recovery != "false":
            raise complaints.replica(self.credential.name, self.place)

    def _settle_in(self) -> None:
        """Bound what the server does for us; a role's or database's own settings do not matter here."""
        wanted = dict(SETTINGS)
        if self.connection.server_version >= 140000:  # noqa: PLR2004 - the release that brought it
            wanted["idle_session_timeout"] = "0"
        calls = (
            sql.SQL("pg_catalog.set_config({}, {}, false)").format(sql.Literal(name), sql.Literal(value))
            for name, value in wanted.items()
        )
        self.connection.ask(sql.SQL("SELECT ") + sql.SQL(", ").join(calls), seconds=PATIENCE)
        if self.admin is None:
            self._run(sql.SQL("SET ROLE NONE"))

    def _lock(self) -> None:
        key = f"credential_rotation/{self.credential.principals[0]}"
        statement = sql.SQL(
            "SELECT pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended({}, 0))::pg_catalog.text"
        )
        [(got,)] = self.connection.ask(statement.format(sql.Literal(key)), seconds=PATIENCE)
        if got != "true":
            raise complaints.locked(self.credential.name)

    # --- rehearsing ------------------------------------------------------------------------------------

    def rehearse(self, principal: str) -> None:
        """Make the change with a throw-away value and roll it back. Raises: TargetUnknown, TargetRefused."""
        throw_away = Secret(principal, secrets.token_urlsafe(30))
        try:
            self._mind_the_kind(principal)
            self._run(BEGIN)
            try:
                self._alter(principal, throw_away)
                if self.carries_stamp:
                    self._comment(principal, self._comment_of(principal))
            finally:
                self._run(ROLLBACK)
        except Lost:
            raise complaints.session_lost(self.credential.name, self.place) from None
        except Refused as error:
            denial = self._denial(principal, error)
            raise (denial.for_now() if denial.is_momentary else denial.for_certain()) from None

    def _mind_the_kind(self, principal: str) -> None:
        """Refuse to change the kind of verifier unasked, or to what cannot be proved."""
        if hashing.sends_password(self.credential) and hashing.keeps_md5(self.connection):
            raise complaints.server_makes_md5(self.credential)
        if hashing.OPTION not in self.credential.options and hashing.changes_kind(self.connection, principal):
            raise complaints.would_change_kind(self.credential)

    def _is_restricted(self, error: Refused) -> bool:
        """Whether the managed service keeps password changes to the members of one role."""
        if error.sqlstate != complaints.PERMISSION_DENIED:
            return False
        setting = "SELECT pg_catalog.current_setting('rds.restrict_password_commands', true)"
        try:
            return self.connection.ask(sql.SQL(setting), seconds=PATIENCE) == [("on",)]
        except (Lost, Refused):
            return False

    # --- the promises of protocols.Session -------------------------------------------------------------

    def stamp(self, principal: str) -> Stamp | None:
        """Our mark on this role. Raises: TargetUnknown, TargetRefused."""
        if not self.carries_stamp:
            return None
        try:
            return stamp_in(self._comment_of(principal))
        except Lost:
            raise complaints.session_lost(self.credential.name, self.place) from None
        except Refused as error:
            raise self._denial(principal, error).for_certain() from None

    def apply(self, record: Record, *, found: Stamp | None, leave: Stamp) -> None:
        """Set the record's value and leave the stamp, both or neither.

        Raises: TargetRefused, ApplyUnknown.
        """
        self._change(record.secret.principal, record.secret, found, leave)

    def differences(self, principal: str, other: str) -> tuple[str, ...]:
        """What the other role of the pair has and this one lacks. Raises: TargetUnknown."""
        try:
            return differences(
                self.connection,
                principal,
                other,
                owner=self.credential.options.get("owner_role"),
                ends_later=extends(self.credential),
            )
        except (Lost, Refused):
            raise complaints.session_lost(self.credential.name, self.place) from None

    def kill(self, record: Record, *, found: Stamp | None, leave: Stamp) -> None:
        """Take the role's password away and move the stamp on, both or neither.

        Raises: TargetRefused, ApplyUnknown.
        """
        self._change(record.secret.principal, None, found, leave)

    def restamp(self, principal: str, *, found: Stamp, leave: Stamp) -> None:
        """Put our stamp in the place of another journal's. Raises: TargetRefused, TargetUnknown."""
        try:
            comment = self._comment_of(principal)
            if stamp_in(comment) != found:
                raise complaints.stamp_moved(self.credential)
            self._comment(principal, with_stamp(comment, leave))
        except Lost:
            raise complaints.session_lost(self.credential.name, self.place) from None
        except Refused as error:
            raise self._denial(principal, error).for_certain() from None

    def left_over(self, principal: str) -> str:
        """Who still has a session from before this one, in words. Raises: TargetUnknown."""
        try:
            return left_over(self.connection, principal)
        except (Lost, Refused):
            raise complaints.session_lost(self.credential.name, self.place) from None

    def disconnect(self, principal: str) -> int:
        """End the role's open sessions, ours excepted. Raises: TargetRefused, TargetUnknown."""
        try:
            return end_sessions(self.connection, principal)
        except Lost:
            raise complaints.session_lost(self.credential.name, self.place) from None
        except Refused as error:
            raise complaints.may_not_disconnect(
                self.credential, self.admin or principal, principal, error.sqlstate
            ) from None

    def _change(self, principal: str, secret: Secret | None, found: Stamp | None, leave: Stamp) -> None:
        if principal not in self.credential.principals:
            raise complaints.not_this_role(self.credential, principal)
        try:
            self._begin()
            self._transact(principal, secret, found, leave)
        except Lost:
            raise complaints.apply_lost(self.credential) from None
        except Refused as error:
            raise self._undone(principal, error) from None

    def _begin(self) -> None:
        """Open the transaction, on the session that still is the one that locked."""
        try:
            self._run(BEGIN)
            self._stand_on_the_primary()
        except (Lost, RotationError):
            self.connection.close()
            raise TargetRefused(
                f"{self.credential.name}: the session that holds the lock was lost before anything was sent",
                next_step="Run again: the record is kept, and the same version is applied under a new lock.",
            ) from None

    def _transact(self, principal: str, secret: Secret | None, found: Stamp | None, leave: Stamp) -> None:
        self._alter(principal, secret, is_noted=True)
        if self.carries_stamp:
            comment = self._comment_of(principal)
            if stamp_in(comment) != found:
                self._roll_back()
                raise complaints.stamp_moved(self.credential)
            self._comment(principal, with_stamp(comment, leave))
        self._run(COMMIT)

    def _undone(self, principal: str, error: Refused) -> TargetRefused:
        self._roll_back()
        return self._denial(principal, error).for_certain()

    def _denial(self, principal: str, error: Refused) -> complaints.Denial:
        return complaints.Denial(
            credential=self.credential,
            principal=principal,
            admin=self.admin,
            sqlstate=error.sqlstate,
            server_version=self.connection.server_version,
            is_restricted=self._is_restricted(error),
        )

    def _roll_back(self) -> None:
        """Where even this is lost, the server rolls back by itself: no COMMIT was sent."""
        try:
            self._run(ROLLBACK)
        except (Lost, Refused):
            self.connection.close()

    # --- statements ------------------------------------------------------------------------------------

    def _alter(self, principal: str, secret: Secret | None, *, is_noted: bool = False) -> None:
        """Set the role's password, or take it away."""
        statement = sql.SQL("ALTER ROLE {} PASSWORD {}{}")
        if secret and hashing.sends_password(self.credential):
            loud = hashing.hush(self.connection)
            self.notes = (hashing.note(principal, self.admin or principal, loud),) if is_noted else ()
        verifier = sql.Literal(hashing.sent(self.connection, self.credential, secret) if secret else None)
        until = extension(self.connection, self.credential, principal) if secret else sql.SQL("")
        self._run(statement.format(sql.Identifier(principal), verifier, until))

    def _comment_of(self, principal: str) -> str | None:
        query = COMMENT_OF.format(sql.Literal(principal))
        rows = self.connection.ask(query, seconds=PATIENCE, no_text=TO_THE_BYTE)
        return rows[0][0] if rows else None

    def _comment(self, principal: str, comment: str | None) -> None:
        statement = sql.SQL("COMMENT ON ROLE {} IS {}")
        self._run(statement.format(sql.Identifier(principal), sql.Literal(comment)))

    def _run(self, statement: sql.Composable) -> None:
        self.connection.ask(statement, seconds=PATIENCE)
