"""What one role of a pair may do and the other may not, told by the catalogs that every role can read.

Rules this file keeps:
- Nothing but `pg_catalog` views that managed services leave open: no `pg_authid`, no superuser.
- The best pair has nothing of its own: both are members of one owner role, and `SET role` to it. Where the
  entry names that role, whoever takes over has to have both.
- Only what the role in use has and its twin lacks is told; a twin may do more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import sql

from credential_rotation.engines.postgres.complaints import quoted
from credential_rotation.engines.postgres.connection import Connection, Row

SHOWN = 3
"""Names in one message; nobody reads more."""
SECONDS = 15
ROLES_HAVE_GRANT_OPTIONS = 160000

_ATTRIBUTES = (
    "SUPERUSER",
    "INHERIT",
    "CREATEROLE",
    "CREATEDB",
    "LOGIN",
    "REPLICATION",
    "BYPASSRLS",
)
_ROLE = sql.SQL(
    "SELECT rolconnlimit::text, rolsuper::text, rolinherit::text, rolcreaterole::text, rolcreatedb::text, "
    "rolcanlogin::text, rolreplication::text, rolbypassrls::text "
    "FROM pg_catalog.pg_roles WHERE rolname = {}"
)
_EXPIRES_BEFORE = sql.SQL(
    "SELECT (COALESCE(a.rolvaliduntil, 'infinity') < COALESCE(b.rolvaliduntil, 'infinity'))::text "
    "FROM pg_catalog.pg_roles a, pg_catalog.pg_roles b WHERE a.rolname = {} AND b.rolname = {}"
)
_MEMBERSHIPS = sql.SQL(
    "SELECT g.rolname || {options} FROM pg_catalog.pg_auth_members m "
    "JOIN pg_catalog.pg_roles g ON g.oid = m.roleid JOIN pg_catalog.pg_roles w ON w.oid = m.member "
    "WHERE w.rolname = {role} AND g.rolname <> {other}"
)
_OLD_OPTIONS = sql.SQL("CASE WHEN m.admin_option THEN ' with admin' ELSE '' END")
_NEW_OPTIONS = sql.SQL(
    "CASE WHEN m.admin_option THEN ' with admin' ELSE '' END || "
    "CASE WHEN m.inherit_option THEN '' ELSE ' without inherit' END || "
    "CASE WHEN m.set_option THEN '' ELSE ' without set' END"
)
_IS_MEMBER = sql.SQL(
    "SELECT 'true' FROM pg_catalog.pg_roles g, pg_catalog.pg_roles w "
    "WHERE w.rolname = {} AND g.rolname = {} AND pg_catalog.pg_has_role(w.oid, g.oid, 'MEMBER')"
)
_SETTINGS = sql.SQL(
    "SELECT COALESCE('in ' || d.datname || ': ', '') || setting FROM pg_catalog.pg_db_role_setting s "
    "JOIN pg_catalog.pg_roles r ON r.oid = s.setrole "
    "LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase, "
    "unnest(s.setconfig) AS setting WHERE r.rolname = {}"
)
_GRANTS = sql.SQL(
    "SELECT a.privilege_type || ' on ' || what FROM ("
    "SELECT oid::pg_catalog.regclass::text, relacl FROM pg_catalog.pg_class WHERE relacl IS NOT NULL "
    "UNION ALL SELECT 'schema ' || nspname, nspacl FROM pg_catalog.pg_namespace WHERE nspacl IS NOT NULL "
    "UNION ALL SELECT 'database ' || datname, datacl FROM pg_catalog.pg_database WHERE datacl IS NOT NULL "
    "UNION ALL SELECT 'function ' || oid::pg_catalog.regprocedure::text, proacl "
    "FROM pg_catalog.pg_proc WHERE proacl IS NOT NULL"
    ") AS granted(what, acl), pg_catalog.aclexplode(acl) AS a, pg_catalog.pg_roles r "
    "WHERE a.grantee = r.oid AND r.rolname = {}"
)
_DEPENDS = sql.SQL(
    "SELECT d.classid::pg_catalog.regclass::text || ' ' || d.objid || COALESCE(' in ' || b.datname, '') "
    "FROM pg_catalog.pg_shdepend d JOIN pg_catalog.pg_roles r ON r.oid = d.refobjid "
    "LEFT JOIN pg_catalog.pg_database b ON b.oid = d.dbid "
    "WHERE d.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass AND r.rolname = {} AND d.deptype = {}"
)


def differences(
    connection: Connection,
    principal: str,
    other: str,
    *,
    owner: str | None = None,
    ends_later: bool = False,
) -> tuple[str, ...]:
    """What `other`, or the entry, has it that `principal` has and it lacks, each in words.

    `owner`: the role that everything belongs to. `ends_later`: the end of `principal` is about to be moved.
    Raises: Refused, Lost.
    """
    return tuple(_Twins(connection, principal, other, owner, ends_later).all())


@dataclass(frozen=True, slots=True)
class _Twins:
    connection: Connection
    principal: str
    other: str
    owner: str | None
    ends_later: bool

    def all(self) -> Iterator[str]:
        mine, theirs = (self._ask(_ROLE, name) for name in (self.principal, self.other))
        if not mine or not theirs:
            yield f"there is no role {self.other if mine else self.principal}"
            return
        yield from self._attributes(mine[0], theirs[0])
        if not self.ends_later and self._ask(_EXPIRES_BEFORE, self.principal, self.other) == [("true",)]:
            yield f"VALID UNTIL of {self.principal} is before that of {self.other}"
        if self.owner is not None:
            yield from self._of_the_owner(self.owner)
        yield from self._lacking("membership in", *self._memberships())
        yield from self._lacking("setting", *self._both(_SETTINGS))
        yield from self._lacking("", *self._both(_GRANTS))
        yield from self._lacking("grant on", *self._both(_DEPENDS, "a"))
        yield from self._lacking("ownership of", *self._both(_DEPENDS, "o"))

    def _of_the_owner(self, owner: str) -> Iterator[str]:
        """A role that is no member cannot use what is there; one that does not become it makes its own."""
        if self._ask(_IS_MEMBER, self.principal, owner) != [("true",)]:
            yield (
                f"membership in {owner}, the entry's owner_role "
                f"(GRANT {quoted(owner)} TO {quoted(self.principal)})"
            )
        settings = [str(row[0]) for row in self._ask(_SETTINGS, self.principal)]
        wanted = f"role={owner}"
        if not any(
            one == wanted or (one.startswith("in ") and one.endswith(f": {wanted}")) for one in settings
        ):
            yield (
                f"setting role={owner}, so that what it makes belongs to the entry's owner_role "
                f"(ALTER ROLE {quoted(self.principal)} SET role = {quoted(owner)})"
            )
        for role in (self.principal, self.other):
            if self._ask(_DEPENDS, role, "o"):
                yield (
                    f"an owner in common: {role} owns things itself "
                    f"(REASSIGN OWNED BY {quoted(role)} TO {quoted(owner)}, in each database)"
                )

    def _attributes(self, mine: Row, theirs: Row) -> Iterator[str]:
        if mine[0] != theirs[0]:
            yield f"CONNECTION LIMIT is {mine[0]} for {self.principal} and {theirs[0]} for {self.other}"
        for name, has, needed in zip(_ATTRIBUTES, mine[1:], theirs[1:], strict=True):
            if needed == "true" and has != "true":
                yield name

    def _memberships(self) -> tuple[set[str], set[str]]:
        knows_options = self.connection.server_version >= ROLES_HAVE_GRANT_OPTIONS
        options = _NEW_OPTIONS if knows_options else _OLD_OPTIONS

        def of(role: str, other: str) -> set[str]:
            query = _MEMBERSHIPS.format(options=options, role=sql.Literal(role), other=sql.Literal(other))
            return {str(row[0]) for row in self.connection.ask(query, seconds=SECONDS)}

        return of(self.principal, self.other), of(self.other, self.principal)

    def _both(self, query: sql.SQL, *more: str) -> tuple[set[str], set[str]]:
        mine, theirs = (self._ask(query, name, *more) for name in (self.principal, self.other))
        return {str(row[0]) for row in mine}, {str(row[0]) for row in theirs}

    def _ask(self, query: sql.SQL, *literals: str) -> list[Row]:
        return self.connection.ask(query.format(*map(sql.Literal, literals)), seconds=SECONDS)

    @staticmethod
    def _lacking(what: str, mine: set[str], theirs: set[str]) -> Iterator[str]:
        names = sorted(theirs - mine)
        if names:
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            yield f"{what} {', '.join(names[:SHOWN])}{more}".strip()
