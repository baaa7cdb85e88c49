"""`VALID UNTIL`: it is absolute, and nothing on the server moves it when the password changes.

Rules this file keeps:
- An entry that says nothing is only told; `valid_until: extend` moves the end, and never to an earlier day.
- The end is counted from now by the server's clock, not from when the version was minted: one that is applied
  again after a long outage must not be born expired.
- A role that has no end gets none.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone

from psycopg import sql

from credential_rotation.engines.postgres.complaints import quoted
from credential_rotation.engines.postgres.connection import Connection
from credential_rotation.model import Credential
from credential_rotation.times.schedule import in_use_until

OPTION = "valid_until"
SECONDS = 15
_NEVER = "9999-01-01 00:00:00+00:00"  # Python 3.10 reads no shorter zone
_ENDS = sql.SQL(
    "SELECT pg_catalog.date_part('epoch', GREATEST('1970-01-01 00:00:00+00'::pg_catalog.timestamptz, "
    "LEAST(COALESCE(rolvaliduntil, 'infinity'), {})))::pg_catalog.text "
    "FROM pg_catalog.pg_roles WHERE rolname = {}"
)
_NOW = sql.SQL("SELECT pg_catalog.date_part('epoch', pg_catalog.clock_timestamp())::pg_catalog.text")


def extends(credential: Credential) -> bool:
    """Whether a new version moves the role's end."""
    return credential.options.get(OPTION) == "extend"


def extension(connection: Connection, credential: Credential, principal: str) -> sql.Composable:
    """What the ALTER of a version says of the end, often nothing. Raises: Refused, Lost."""
    if not extends(credential):
        return sql.SQL("")
    [(now,)] = connection.ask(_NOW, seconds=SECONDS)
    until = in_use_until(credential.policy, _moment(now))
    if until is None or _ends(connection, principal) >= until:
        return sql.SQL("")
    return sql.SQL(" VALID UNTIL {}").format(sql.Literal(until.isoformat(" ", "seconds")))


def expiry(
    connection: Connection, credential: Credential, *, in_use: str | None, due: datetime | None, now: datetime
) -> Iterator[str]:
    """Roles that end too early, each with its remedy; `due` is when the value of `in_use` is replaced.

    Raises: Refused, Lost.
    """
    for principal in credential.principals:
        ends, enough = _ends(connection, principal), in_use_until(credential.policy, now)
        if ends <= now:
            why = "has passed, and the server answers as for a wrong password"
        elif extends(credential):
            if principal != in_use or due is None or ends >= due:
                continue
            why = f"comes before the next version is due ({_day(due)}), which would move it; rotate it now"
        elif enough is not None and ends < enough:
            why = f"comes before {_day(enough)}: until then a version of today may be in use"
        else:
            continue
        yield f"VALID UNTIL {_day(ends)} of role {principal} {why}. {_remedy(credential, principal, enough)}"


def _remedy(credential: Credential, principal: str, enough: datetime | None) -> str:
    until = sql.Literal(f"{enough + timedelta(days=1):%Y-%m-%d}" if enough else "infinity").as_string(None)
    run = f"Run: ALTER ROLE {quoted(principal)} VALID UNTIL {until};"
    if extends(credential) or enough is None:
        return run
    needs = "" if credential.admin else " and an admin, as no role extends its own"
    return f"{run} or give the entry `{OPTION}: extend`{needs}."


def _ends(connection: Connection, principal: str) -> datetime:
    """When the role ends; a day that nobody sees where it never does, or where there is no such role."""
    rows = connection.ask(_ENDS.format(sql.Literal(_NEVER), sql.Literal(principal)), seconds=SECONDS)
    return _moment(rows[0][0]) if rows else datetime.fromisoformat(_NEVER)


def _moment(epoch: str | None) -> datetime:
    return datetime.fromtimestamp(float(epoch or 0), timezone.utc)


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
