"""What PostgreSQL's answers mean to the person who has to act.

Rules this file keeps:
- An SQLSTATE decides the class and the advice; no text of the server's is passed on.
- A missing privilege comes with the statement that grants it.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from credential_rotation.engines.postgres.target import Place
from credential_rotation.errors import (
    ApplyUnknown,
    Busy,
    OnlyByHand,
    RotationError,
    TargetRefused,
    TargetUnknown,
)
from credential_rotation.model import Answer, Credential, Probe

NOTHING_CHANGED = "Nothing was changed."
MOMENTARY = ("55P03", "57014", "XX000", "40001", "40P01", "53000", "53100", "53200", "53300")
"""Somebody else is changing the role just now, or the server is short of something: a retry may do."""
PERMISSION_DENIED = "42501"
BUSY_ROLE = "Somebody else is changing the role, or the server is short of something"
HOOK = (
    "A hook of the server's (passwordcheck and the like) seems to refuse passwords that arrive hashed. "
    "Exempt the role from it; or say `password_hashing: server` in the entry: the password itself is sent "
    "then, with logging turned off for that statement as far as the admin may."
)
RULES = (
    "The server's own rules for passwords refuse the value. See which they are in its log, and let the "
    "entry's password_symbols keep to them, or exempt the role."
)
REMEDIES = {
    "25006": "The server takes no writes: give the primary as target, not a replica.",
    "42704": "There is no such role: create it, or mend the entry's principal.",
    "22023": HOOK,
    "28P01": HOOK,
    "0A000": HOOK,
    "P0001": HOOK,
}
NO_TEXT = ("22021", "22P05")
"""Bytes that are no text in this database, or none in ours: it was written in one of another encoding."""
ROLES_HAVE_ADMIN_OPTIONS = 160000
"""Since PostgreSQL 16, CREATEROLE alone no longer reaches every role."""


def not_logged_in(name: str, who: str, probe: Probe) -> RotationError:
    """The session that should hold the lock did not come about."""
    if probe.answer is Answer.REFUSED:
        return TargetRefused(
            f"{name}: {probe.where} refuses {who} ({probe.why})",
            next_step=f"{NOTHING_CHANGED} See that the stored password of {who} is right.",
        )
    return TargetUnknown(
        f"{name}: no session as {who} on {probe.where}: {probe.why}",
        next_step=f"{NOTHING_CHANGED} See that the target can be reached; the next run tries again.",
    )


def session_lost(name: str, where: Place) -> TargetUnknown:
    """The session ended before anything was sent that could last."""
    return TargetUnknown(
        f"{name}: the session on {where} was lost", next_step=f"{NOTHING_CHANGED} The next run tries again."
    )


def pooler(name: str, where: Place) -> TargetRefused:
    """A lock taken through a pooler is neither exclusive nor released."""
    return TargetRefused(
        f"{name}: {where} is a pooler, and a lock taken through one cannot be trusted",
        next_step="Give the direct host as target, and put the pooler under endpoints.",
    )


def replica(name: str, where: Place) -> TargetUnknown:
    """A role is changed on the primary."""
    return TargetUnknown(
        f"{name}: {where} is a replica just now",
        next_step="Give the primary as target, and put replicas under endpoints.",
    )


def locked(name: str) -> Busy:
    """Another session holds the advisory lock."""
    return Busy(
        f"{name}: another session holds this credential's lock",
        next_step="It finishes by itself; the next run looks again.",
    )


@dataclass(frozen=True, slots=True)
class Denial:
    """The server said no to changing a role, and what is needed to say why."""

    credential: Credential
    principal: str
    admin: str | None
    sqlstate: str
    server_version: int
    is_restricted: bool
    """rds.restrict_password_commands was found on."""

    @property
    def is_momentary(self) -> bool:
        """Whether the same may go through when tried again."""
        return self.sqlstate in MOMENTARY

    def for_now(self) -> TargetUnknown:
        """The rehearsal met somebody who is at it just now."""
        return TargetUnknown(
            f"{self.credential.name}: role {self.principal} cannot be changed at this moment "
            f"(SQLSTATE {self.sqlstate})",
            next_step=f"{NOTHING_CHANGED} {BUSY_ROLE}; the next run tries again.",
        )

    def for_certain(self) -> TargetRefused:
        """It did not happen, and why it did not needs a person, or another run."""
        return TargetRefused(
            f"{self.credential.name}: the server does not change the password of {self.principal} "
            f"(SQLSTATE {self.sqlstate})",
            next_step=self._remedy(),
        )

    def _remedy(self) -> str:
        if self.is_restricted:
            return (
                "rds.restrict_password_commands is on: only members of rds_password may change passwords. "
                f"Run: GRANT rds_password TO {quoted(self.admin or self.principal)}; or name another admin."
            )
        if self.sqlstate == PERMISSION_DENIED:
            return self._grants()
        if self.is_momentary:
            return f"{BUSY_ROLE}. Run again: the same version is tried."
        if self.sqlstate in NO_TEXT:
            return (
                "The role's comment, where the stamp goes, was written in a database of another encoding "
                f"and is no text here. Write it anew: COMMENT ON ROLE {quoted(self.principal)} IS "
                "'…'; or say `stamp: none` in the entry."
            )
        remedy = REMEDIES.get(self.sqlstate)
        if remedy is HOOK and self.credential.options.get("password_hashing") == "server":
            return RULES
        return remedy or "Look the SQLSTATE up in the server's log, mend it, and run again."

    def _grants(self) -> str:
        if self.admin is None:
            return "The role may not change itself here: give the entry an admin."
        grants = f"ALTER ROLE {quoted(self.admin)} CREATEROLE;"
        if self.server_version >= ROLES_HAVE_ADMIN_OPTIONS:
            options = "WITH ADMIN TRUE, INHERIT FALSE, SET FALSE"
            grants += f" GRANT {quoted(self.principal)} TO {quoted(self.admin)} {options};"
        return f"As a superuser run: {grants} (A role that is a superuser itself needs an admin that is one.)"


def stamp_moved(credential: Credential) -> TargetRefused:
    """The fence: another runner applied since we looked."""
    return TargetRefused(
        f"{credential.name}: another runner changed the role meanwhile; ours was rolled back",
        next_step="Run again: it looks at what the other one left and goes on from there.",
    )


def not_this_role(credential: Credential, principal: str) -> TargetRefused:
    """A record of a role that the entry does not have."""
    return TargetRefused(
        f"{credential.name}: the record is for role {principal}, which is none of the entry's principals",
        next_step="Nothing was sent. Mend the entry, or remove the record that does not belong to it.",
    )


def apply_lost(credential: Credential) -> ApplyUnknown:
    """The change was on its way, and the session ended or gave no answer in time."""
    return ApplyUnknown(
        f"{credential.name}: the change was sent and its answer lost; it may be valid, now or later",
        next_step="Run again: the record holds the value, and the target is asked before it is set again.",
    )


def would_change_kind(credential: Credential) -> TargetRefused:
    """md5 would become SCRAM without anybody having asked for it."""
    return TargetRefused(
        f"{credential.name}: the server keeps md5 verifiers, and a rotation would make this role's SCRAM",
        next_step="Clients and poolers that know only md5 would be locked out. Where all of them speak "
        "SCRAM, say `password_hashing: scram` in the entry.",
    )


def server_makes_md5(credential: Credential) -> TargetRefused:
    """A login by md5 proves nothing, so that the new value could never become CURRENT."""
    return TargetRefused(
        f"{credential.name}: the entry leaves hashing to the server, and the server makes md5 of passwords",
        next_step=f"{NOTHING_CHANGED} Only SCRAM is taken as proof: set password_encryption = "
        "'scram-sha-256' for the admin's sessions, or leave password_hashing out.",
    )


def may_not_disconnect(
    credential: Credential, who: str, principal: str, sqlstate: str, *, at: Place | None = None
) -> TargetRefused:
    """The sessions that are open under the old password go on."""
    whose = f"role {principal} at {at}" if at else f"role {principal}"
    return TargetRefused(
        f"{credential.name}: open sessions of {whose} could not be ended (SQLSTATE {sqlstate})",
        next_step=f"End them by hand as a superuser (pg_terminate_backend); for the next time run: "
        f"GRANT pg_signal_backend TO {quoted(who)}.",
    )


def not_ended(credential: Credential, at: Place, why: str) -> TargetUnknown:
    """Nobody could look at the sessions of an endpoint."""
    roles = ", ".join(sql.Literal(one).as_string(None) for one in credential.principals)
    return TargetUnknown(
        f"{credential.name}: open sessions at {at} could not be ended: {why}",
        next_step=f"As a superuser at {at} run: SELECT pg_terminate_backend(pid) FROM "  # noqa: S608 - for a person
        f"pg_stat_activity WHERE usename IN ({roles}); at a pooler, on its admin console (PgBouncer): "
        f"KILL {at.dbname}; RESUME {at.dbname};",
    )


def pooler_keeps_clients(credential: Credential, at: Place) -> OnlyByHand:
    """Who is connected to the pooler is given another session of the server's."""
    return OnlyByHand(
        f"{credential.name}: {at} is a pooler that shares its sessions, and who is connected to it with the "
        "old value goes on",
        next_step=f"On its admin console run (PgBouncer; it ends everybody's connections to that database): "
        f"KILL {at.dbname}; RESUME {at.dbname};",
    )


def quoted(role: str) -> str:
    """A role's name for a statement that a person copies."""
    return sql.Identifier(role).as_string(None)
