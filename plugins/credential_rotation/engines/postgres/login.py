"""The three-valued answer of one PostgreSQL server, pooler or replica to one value.

Rules this file keeps:
- `REFUSED` needs the server's own 28P01 after an exchange about the password. Every other no (28000 for a
  role that may not log in or a missing pg_hba line, 3D000, 53300, 57P03, …) says nothing about the value.
- `WORKS` needs a finished SCRAM exchange and an answered query; from the primary also the right
  session user, no recovery, and no pooler in between.
- Nothing is raised for what the place answers.
- That a value has ended is proved by an endpoint that takes CURRENT: one that does not is behind, and may
  come to where the value was new. Of a pooler that takes CURRENT a no without a reason is a no to the value.
"""

from __future__ import annotations

import time

from psycopg import sql

from credential_rotation.engines.postgres.connection import Connection, Lost, NoLogin, Refused, connect
from credential_rotation.engines.postgres.target import Place
from credential_rotation.model import Answer, Probe, Secret

WRONG_PASSWORD = "28P01"  # noqa: S105 - an SQLSTATE
NO_REASON = "08P01"
"""What PgBouncer says to a wrong password, and to much else."""
LAG, AGAIN_AFTER = 3.0, 0.25
"""Seconds that a healthy replica may be behind the primary, and how often it is asked meanwhile."""
REASONS = {
    NO_REASON: "a pooler in between refuses the login, and does not say why: where PgBouncer has its "
    "auth_file, that has to be written anew, then RELOAD",
    "28000": "the role may not log in, or no pg_hba.conf line admits it from here",
    "3D000": "the database does not exist",
    "42501": "the role may not connect to the database",
    "53300": "too many connections",
    "55000": "the database accepts no connections",
    "57P01": "the server is shutting down",
    "57P02": "the server has crashed and recovers",
    "57P03": "the server is starting, stopping or recovering",
}
_LOCKED = "the role seems to be banned or locked out: after the exchange about the password the server said"
LOCKED_OUT = {
    "28000": f"{_LOCKED} 28000 (SQLSTATE 28000), or it has NOLOGIN",
    "P0001": f"{_LOCKED} no by an extension (SQLSTATE P0001)",
    "XX000": f"{_LOCKED} no by an extension (SQLSTATE XX000)",
}
"""What extensions that count wrong logins answer, to the right value too."""
LIFT = (
    "Nothing follows for the value. Let the role in again on the server (credcheck: "
    "pg_banned_role_reset; or ALTER ROLE … LOGIN), and give the entry max_wrong_logins: 0."
)
WHO_AM_I = sql.SQL(
    "SELECT session_user::pg_catalog.text, pg_catalog.pg_is_in_recovery()::pg_catalog.text, "
    "pg_catalog.pg_backend_pid()::pg_catalog.text"
)


def ask(place: Place, secret: Secret, *, primary: bool) -> Probe:
    """Log in with this value and say what came of it."""
    try:
        return _asked(place, secret, primary=primary)
    except NoLogin as error:
        return not_in(place, error)


def ask_for_news(place: Place, secret: Secret) -> Probe:
    """Whether an endpoint accepts what the primary was given just now; a moment later, if need be."""
    ends = time.monotonic() + LAG
    while True:
        probe = ask(place, secret, primary=False)
        if probe.answer is not Answer.REFUSED or time.monotonic() > ends:
            return probe
        time.sleep(AGAIN_AFTER)


def ask_for_end(place: Place, secret: Secret, *, current: Secret) -> Probe:
    """Whether an endpoint refuses a value that the primary refuses; a moment later than that, if need be."""
    ends, has_refused = time.monotonic() + LAG, False
    try:
        while (probe := _asked(place, secret, primary=False)).answer is Answer.WORKS:
            if time.monotonic() > ends:
                return probe
            time.sleep(AGAIN_AFTER)
    except NoLogin as error:
        probe = not_in(place, error)
        has_refused = error.asked_password and error.sqlstate in {WRONG_PASSWORD, NO_REASON}
    if not has_refused:
        return probe
    if ask(place, current, primary=False).answer is Answer.WORKS:
        return Probe(Answer.REFUSED, str(place), "it takes CURRENT and refuses this value")
    return Probe(Answer.UNKNOWN, str(place), f"{probe.why}; it does not take CURRENT either")


def _asked(place: Place, secret: Secret, *, primary: bool) -> Probe:
    """Raises: NoLogin."""
    if not secret.password or "\0" in secret.password:
        return Probe(Answer.REFUSED, str(place), "PostgreSQL accepts no empty password, and none with a NUL")
    if not secret.principal or "\0" in secret.principal:
        return Probe(Answer.UNKNOWN, str(place), "the value has no usable role name")
    try:
        with connect(place, secret) as connection:
            doubt = _doubt(connection, secret, place, primary=primary)
    except Refused as error:
        doubt = f"logged in, but a query was refused (SQLSTATE {error.sqlstate})"
    except Lost as error:
        doubt = f"logged in, but {error}"
    return Probe(Answer.UNKNOWN, str(place), doubt) if doubt else Probe(Answer.WORKS, str(place))


def _doubt(connection: Connection, secret: Secret, place: Place, *, primary: bool) -> str:
    """Why a login that went through still proves nothing; empty where it does."""
    [(user, in_recovery, backend_pid)] = connection.ask(WHO_AM_I, seconds=place.connect_timeout)
    if not connection.used_password:
        return "the server let the role in without its password"
    if not primary:
        return ""
    if user != secret.principal:
        return "the session belongs to another role: something in between logs in for itself"
    if backend_pid != str(connection.backend_pid):
        return "a pooler answers, not the primary itself; give the direct host as target"
    if in_recovery != "false":
        return "this is a replica"
    return ""


def not_in(place: Place, error: NoLogin) -> Probe:
    """What a login that failed says about the value."""
    if error.sqlstate == WRONG_PASSWORD and error.asked_password:
        return Probe(
            Answer.REFUSED,
            str(place),
            "wrong password; the server says the same of a role that has expired (VALID UNTIL), "
            "does not exist, or has no SCRAM verifier",
        )
    if error.sqlstate is None:
        return Probe(Answer.UNKNOWN, str(place), error.why)
    if error.asked_password and error.sqlstate in LOCKED_OUT:
        return Probe(Answer.UNKNOWN, str(place), LOCKED_OUT[error.sqlstate], LIFT)
    reason = REASONS.get(error.sqlstate, "no statement about the password")
    if error.asked_password and error.sqlstate != WRONG_PASSWORD:
        reason += "; the password had been asked for by then"
    return Probe(Answer.UNKNOWN, str(place), f"{reason} (SQLSTATE {error.sqlstate})")
