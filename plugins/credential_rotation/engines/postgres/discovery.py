"""Which roles of a server may log in with a password, as one that is logged in there sees it.

Rules this file keeps:
- Only looks. Verifiers are not read: whether there is one is asked, and only where that may be seen.
- PostgreSQL does not keep when a role last logged in, and nothing here pretends it does.
"""

from __future__ import annotations

from psycopg import sql

from credential_rotation.discovered import Login
from credential_rotation.engines.postgres.connection import Lost, NoLogin, Refused, connect
from credential_rotation.engines.postgres.target import place
from credential_rotation.errors import TargetUnknown
from credential_rotation.model import Credential, Secret

_SECONDS = 10.0
_MAY_SEE = sql.SQL("SELECT has_table_privilege('pg_catalog.pg_authid', 'SELECT')")
_ROLES = sql.SQL(
    "SELECT r.rolname, r.rolsuper, r.rolvaliduntil::text, count(a.pid), {has_password} FROM {roles} r "
    "LEFT JOIN pg_catalog.pg_stat_activity a ON a.usesysid = r.oid AND a.pid <> pg_backend_pid() "
    "WHERE r.rolcanlogin AND r.rolname !~ '^pg_'{with_password} GROUP BY 1, 2, 3, 5 ORDER BY 1"
)


def logins(credential: Credential, admin: Secret) -> list[Login]:
    """All that may log in. Raises: TargetUnknown (not reached, not let in)."""
    server = place(credential.target, credential.source)
    try:
        with connect(server, admin) as connection:
            may_see = connection.ask(_MAY_SEE, seconds=_SECONDS) == [("t",)]
            rows = connection.ask(_question(may_see=may_see), seconds=_SECONDS)
    except (NoLogin, Refused, Lost) as wrong:
        raise TargetUnknown(
            f"{server}: its roles could not be listed ({wrong})",
            next_step=f"`verify` on the admin of {credential.name} says whether it logs in.",
        ) from None
    return [
        Login(
            engine="postgres",
            where=str(server),
            principal=name or "",
            has_password=True if may_see else None,
            is_superuser=is_superuser == "t",
            valid_until=until or "",
            connections=int(connections or 0),
        )
        for name, is_superuser, until, connections, _ in rows
    ]


def _question(*, may_see: bool) -> sql.Composed:
    """`pg_authid` tells who has a password at all, and is for few to see."""
    return _ROLES.format(
        has_password=sql.SQL("true" if may_see else "NULL::boolean"),
        roles=sql.SQL("pg_catalog.pg_authid" if may_see else "pg_catalog.pg_roles"),
        with_password=sql.SQL(" AND r.rolpassword IS NOT NULL" if may_see else ""),
    )
