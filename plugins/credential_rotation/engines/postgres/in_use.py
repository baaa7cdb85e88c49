"""Who has a session open as a role: whoever keeps its password in memory fails at the next connect.

Rules this file keeps:
- The server shows names of applications to everybody; client and age only to members of the role and of
  `pg_read_all_stats`. What is not seen is said, never taken for nothing.
- Our own sessions do not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from psycopg import sql

from credential_rotation.engines.postgres.connection import APPLICATION, Connection, Row
from credential_rotation.model import Credential, Strategy
from credential_rotation.times.durations import write_duration

SHOWN = 5
"""Groups of sessions in one message; nobody reads more."""
SECONDS = 15
_SESSIONS = sql.SQL(
    "SELECT application_name, COALESCE(pg_catalog.host(client_addr), 'a local socket'), "
    "pg_catalog.count(*)::pg_catalog.text, "
    "pg_catalog.max(pg_catalog.date_part('epoch', pg_catalog.now() - backend_start))::pg_catalog.text, "
    "pg_catalog.bool_and(pg_catalog.pg_has_role(usesysid, 'USAGE') "
    "OR pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE'))::pg_catalog.text "
    "FROM pg_catalog.pg_stat_activity WHERE usename = {} AND application_name <> {} "
    "AND pid <> pg_catalog.pg_backend_pid(){} GROUP BY 1, 2 ORDER BY pg_catalog.count(*) DESC, 1, 2"
)
_ANY = sql.SQL("")
_OLDER_THAN_OURS = sql.SQL(
    " AND (backend_start IS NULL OR backend_start < (SELECT ours.backend_start "
    "FROM pg_catalog.pg_stat_activity AS ours WHERE ours.pid = pg_catalog.pg_backend_pid()))"
)
"""And those whose age is not shown."""
_END = sql.SQL(
    "SELECT pg_catalog.pg_terminate_backend(pid)::text FROM pg_catalog.pg_stat_activity "
    "WHERE usename = {} AND pid <> pg_catalog.pg_backend_pid()"
)
UNSEEN = "cannot see their clients and ages (that needs membership in the role or in pg_read_all_stats)"


def sessions(connection: Connection, credential: Credential) -> Iterator[str]:
    """Live sessions of a role whose password is about to change under them. Raises: Refused, Lost."""
    if credential.strategy is not Strategy.IN_PLACE:
        return
    [principal] = credential.principals
    live = _told(connection, principal, _ANY)
    if live:
        yield (
            f"role {principal} has {live}. These will fail at their next connect "
            "after a rotation, unless they read the value anew; strategy alternating keeps the old one alive."
        )


def left_over(connection: Connection, principal: str) -> str:
    """The role's sessions that are older than the one that asks or may be, in words; "" where there are none.

    Raises: Refused, Lost.
    """
    return _told(connection, principal, _OLDER_THAN_OURS)


def would_end(connection: Connection, principal: str) -> str:
    """The role's sessions that ending them would end; "" where there are none. Raises: Refused, Lost."""
    live = _told(connection, principal, _ANY)
    return f"role {principal} has {live}; they would be ended" if live else ""


def end_sessions(connection: Connection, principal: str) -> int:
    """End the role's sessions but ours; how many. Raises: Refused, Lost."""
    return len(connection.ask(_END.format(sql.Literal(principal)), seconds=SECONDS))


def _told(connection: Connection, principal: str, which: sql.SQL) -> str:
    query = _SESSIONS.format(sql.Literal(principal), sql.Literal(APPLICATION), which)
    groups = connection.ask(query, seconds=SECONDS)
    if not groups:
        return ""
    total = sum(int(group[2] or 0) for group in groups)
    unseen = "" if all(group[4] == "true" for group in groups) else f"; {UNSEEN}"
    more = f" and {len(groups) - SHOWN} more" if len(groups) > SHOWN else ""
    named = ", ".join(map(_group, groups[:SHOWN]))
    return f"{total} live session{'' if total == 1 else 's'}: {named}{more}{unseen}"


def _group(group: Row) -> str:
    application, client, count, age, is_seen = group
    who = f"{count} of {application or 'no application name'}"
    if is_seen != "true":
        return who
    return f"{who} from {client} (up to {_age(float(age or 0))} old)"


def _age(seconds: float) -> str:
    """In one unit, cut off."""
    for unit in (timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)):
        if seconds >= unit.total_seconds():
            return write_duration(timedelta(seconds=seconds) // unit * unit)
    return f"{int(seconds)}s"
