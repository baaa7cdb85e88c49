"""Names and texts that mean something to SQL, connection strings, shells, templates, Slack or a terminal.

`HOSTILE_EXAMPLES` makes more whole rotations with such names than an ordinary run of the tests does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from psycopg import sql

from sandbox.postgres import PostgresServer

LONGEST_NAME = 63
"""Bytes of a PostgreSQL name."""
PIECES = [
    *"'\"\\`;,=@:/?#%&|<>()[]{}$*~^!. ",
    *("--", "/*", "*/", "$$", "$1", "%s", "%(a)s", "{0}", "{{ ds }}", "{% raw %}", "''", '""', "\\'", "E'"),
    *("; DROP ROLE postgres; --", "' OR '1'='1", "host=evil", "postgresql://", "$(id)", "`id`"),
    *("<!channel>", "<@U0815>", "&amp;", "*b*", "null", "true", "0x1f", "é", "e\u0301", "ß", "עברית", "😀"),
]
CONTROL = [
    *("\n", "\r\n", "\t", "\x01", "\x1b[31m", "\x1b]8;;http://evil\x07", "\x7f", "\x85", "\x9b2J"),
    *("\u200b", "\u2028", "\u202e", "\ufeff", "\ufffe", "\U000e0041"),
]
HOSTILE = settings(
    max_examples=int(os.environ.get("HOSTILE_EXAMPLES", "6")),
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
OTHERS = sql.SQL(
    "SELECT rolname, rolpassword, shobj_description(oid, 'pg_authid') FROM pg_authid"
    " WHERE NOT rolname = ANY({}) ORDER BY 1"
)
DATABASES = "SELECT datname FROM pg_database ORDER BY 1"
ANY_CHARACTER = st.characters(exclude_characters="\0", exclude_categories=["Cs"])


def texts(*, control: bool, most: int = 12) -> st.SearchStrategy[str]:
    """Texts of such pieces and of any character; `control`: also of what nobody sees."""
    pieces = st.sampled_from(PIECES + CONTROL if control else PIECES)
    whole = st.lists(pieces | ANY_CHARACTER, min_size=1, max_size=most).map("".join)
    return whole if control else whole.map(_visible).filter(bool)


def role_names(*, control: bool) -> st.SearchStrategy[str]:
    """Names that PostgreSQL takes for a role, many of them as long as it takes."""
    names = st.builds(
        lambda text, times: fitting(text * times), texts(control=control), st.sampled_from([1, 1, 9])
    )
    return names.filter(
        lambda name: bool(name) and not name.startswith("pg_") and name not in {"public", "none"}
    )


def fitting(name: str) -> str:
    """The name as far as PostgreSQL would take it."""
    return name.encode()[:LONGEST_NAME].decode(errors="ignore").strip(" ")


def _visible(text: str) -> str:
    return "".join(one for one in text if one.isprintable()).strip()


@contextmanager
def roles(server: PostgresServer, admin: str, made: dict[str, str], comment: str = "") -> Iterator[None]:
    """These roles with these passwords, changed by this admin; nobody else is touched meanwhile."""
    others = OTHERS.format(sql.Literal([*made, admin]))
    before = server.execute(others), server.execute(DATABASES)
    try:
        for name, password in made.items():
            server.create_role(name, password)
            server.let_rotate(admin, name)
            if comment:
                on_role = sql.SQL("COMMENT ON ROLE {} IS {}")
                server.execute(on_role.format(sql.Identifier(name), sql.Literal(comment)))
        yield
        assert (server.execute(others), server.execute(DATABASES)) == before, "somebody else was touched"
    finally:
        for name in made:
            server.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))
