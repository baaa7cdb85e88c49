"""A process that rotates a role again and again, as it is told: `python -m bench.rotating ours|bare`.

The first line of standard input is the credential as JSON. Each further line is a wish: `once` is answered by
the milliseconds of one rotation and of its outage (from before the role is changed until CURRENT has the new
value), `for SECONDS` by how many rotations ended in that time.

`bare` makes the calls that a rotation in place by an admin makes (tests/scenes/campaign counts them), in the
same order, with the SDK in its own process, a login of its own and nothing else: what the protocol costs.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import psycopg
from psycopg import sql

DEADLINE = 15


@dataclass
class Bare:
    """The calls, and what they need."""

    environ: dict[str, str]
    target: dict[str, Any]
    role: str
    admin: str
    key: str
    admins_key: str
    journal: str
    project: str
    """CURRENT's."""
    admins: str
    _ids: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Log in once."""
        from bitwarden_sdk import (  # type: ignore[import-untyped]  # noqa: PLC0415 - not where ours runs
            BitwardenClient,
            client_settings_from_dict,
        )

        urls = {"apiUrl": self.environ["BWS_API_URL"], "identityUrl": self.environ["BWS_IDENTITY_URL"]}
        client = BitwardenClient(client_settings_from_dict(urls))
        client.auth().login_access_token(self.environ["BWS_ACCESS_TOKEN"], None)
        self._secrets, self._organization = client.secrets(), self.environ["BWS_ORGANIZATION_ID"]
        client.projects().list(self._organization)
        ours = [(self.key, self.project), (self.admins_key, self.admins)]
        for one in self._secrets.list(self._organization).data.data:
            if one.key not in (self.key, self.admins_key):
                continue  # somebody's record, perhaps gone by now
            found = self._secrets.get(str(one.id)).data
            if (found.key, str(found.project_id)) in ours:
                self._ids[found.key] = str(found.id)
        self._record = self._create("{}")

    def rotate(self) -> float:
        """All of it; the outage, in milliseconds."""
        current = self._read(self.key, self._record)
        old = json.loads(current.value)["password"]
        admin = self._read(self.admins_key)
        with self._log_in(self.admin, json.loads(admin.value)["password"]) as conn:
            for text in _LOOKS:
                conn.execute(text, prepare=False)
            self._alter(conn, old, commit=False)
            self._read(self.key, self._record)
            self._log_in(self.role, old).close()
            new = secrets.token_urlsafe(24)
            record = self._create(json.dumps({"password": new}))
            began = time.perf_counter()
            self._alter(conn, new, commit=True)
            self._log_in(self.role, new).close()
            value = json.dumps({**json.loads(current.value), "password": new})
            self._secrets.update(
                self._organization, str(current.id), self.key, value, current.note, [self.project]
            )
            outage = (time.perf_counter() - began) * 1000
            stored = json.loads(self._secrets.get(str(current.id)).data.value)["password"]
            self._log_in(self.role, stored).close()
            conn.execute("SELECT application_name FROM pg_stat_activity WHERE usename = %s", [self.role])
            try:
                self._log_in(self.role, old).close()
            except psycopg.OperationalError:
                self._secrets.delete([self._record])
            self._record = record
            conn.execute("SELECT pg_advisory_unlock_all()")
        return outage

    def _read(self, key: str, record: str = "") -> Any:  # noqa: ANN401 - the SDK has no types
        self._secrets.list(self._organization)
        found = self._secrets.get(self._ids[key]).data
        if record:
            self._secrets.get(record)
        return found

    def _create(self, value: str) -> str:
        name = f"bare/{secrets.token_hex(6)}"
        return str(self._secrets.create(self._organization, name, value, "", [self.journal]).data.id)

    def _log_in(self, user: str, password: str) -> psycopg.Connection[Any]:
        conn = psycopg.connect(**self.target, user=user, password=password, autocommit=True)
        conn.execute("SELECT session_user::text, inet_server_addr()")
        return conn

    def _alter(self, conn: psycopg.Connection[Any], password: str, *, commit: bool) -> None:
        verifier = conn.pgconn.encrypt_password(password.encode(), self.role.encode(), b"scram-sha-256")
        role = sql.Identifier(self.role)
        conn.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
        conn.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, sql.Literal(verifier.decode())))
        conn.execute("SELECT shobj_description(%s::regrole, 'pg_authid')", [self.role])
        conn.execute(sql.SQL("COMMENT ON ROLE {} IS 'bare'").format(role))
        conn.execute("COMMIT" if commit else "ROLLBACK")


_LOOKS = (
    "SELECT set_config('statement_timeout', '15s', false)",
    "SELECT pg_try_advisory_lock(hashtextextended('bare', 0))",
    "SELECT session_user::text, pg_backend_pid()",
    "SELECT current_setting('password_encryption')",
    "SELECT has_table_privilege('pg_authid', 'SELECT')",
    "SELECT shobj_description(session_user::text::regrole, 'pg_authid')",
)


def _ours(environ: dict[str, str], name: str) -> Callable[[], float]:
    from credential_rotation.policy import Request  # noqa: PLC0415 - not where the bare calls run
    from credential_rotation.wiring import open_deployment  # noqa: PLC0415 - as above

    def rotate() -> float:
        deployment = open_deployment(environ)
        wish = Request(at=datetime.now(timezone.utc), by="the bench", now=True)
        ended = deployment.rotate(deployment.entry(name), wish)
        assert ended.outcome == "rotated", ended.reason
        at = {step.name: step.at for step in ended.steps}
        return (at["promoted"] - at["recorded"]).total_seconds() * 1000

    return rotate


def main(kind: str) -> None:
    """Until standard input ends."""
    told = json.loads(sys.stdin.readline())
    os.environ |= told["environ"]
    environ = told["environ"]
    rotate = _ours(environ, told["name"]) if kind == "ours" else Bare(environ, **told["bare"]).rotate
    rotate()  # what is loaded late is loaded now
    for wish in sys.stdin:
        word, _, seconds = wish.strip().partition(" ")
        began = time.perf_counter()
        count, outage = 0, 0.0
        while not count or (word == "for" and time.perf_counter() - began < float(seconds)):
            outage = rotate()
            count += 1
        answer = [(time.perf_counter() - began) * 1000, outage] if word == "once" else [count]
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
