"""Bitwarden, PostgreSQL and an inventory on both, driven through the command line.

Servers and agent are shared by all tests; each gets projects, roles and entries of its own:
`etl` is changed by the admin and not stored yet, `reporting` changes itself, `admin` changes when asked.
"""

from __future__ import annotations

import io
import json
import logging
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from click.testing import CliRunner
from psycopg import sql

from bitwarden_vault.settings import PASSED_ON
from credential_rotation.cli.main import main
from credential_rotation.wiring import Deployment, open_deployment
from sandbox.bitwarden.stand_in import BitwardenStandIn, StoredSecret
from sandbox.places import PLUGINS
from sandbox.postgres import PostgresServer
from scenes.site.ground import ACCOUNT, Ground

POLICIES = "policies:\n  weekly: {max_age: 1w}\n"
ENTRIES = """\
credentials:
  - name: etl
    engine: postgres
    principal: {etl}
    target: {target}
    admin: admin
    vault: {{key: airflow/connections/etl, project: {data}, format: airflow-connection}}
    policy: weekly
    owner: data-platform
  - name: reporting
    engine: postgres
    principal: {reporting}
    target: {target}
    vault: {{key: reporting/db, project: {data}, format: json}}
    policy: weekly
    owner: analytics
  - name: admin
    engine: postgres
    principal: {admin}
    target: {target}
    vault: {{key: rotation/admin, project: {admins}, format: json}}
    policy: manual
    owner: data-platform
"""
LINES = {"etl": 2, "reporting": 10, "admin": 17}
"""Where the entries begin in `credentials/all.yaml`."""


@dataclass(frozen=True)
class Ran:
    """One command that is over."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Standard output, which is one JSON document and nothing else."""
        document: dict[str, Any] = json.loads(self.out)
        return document

    @property
    def outcomes(self) -> dict[str, dict[str, Any]]:
        """What became of each credential, by name."""
        return {one["name"]: one for one in self.json["credentials"]}

    @property
    def words(self) -> dict[str, str]:
        """The outcomes' own words, by name."""
        return {name: one["outcome"] for name, one in self.outcomes.items()}

    def told(self, name: str) -> str:
        """What a person reads about one credential, and what to do next."""
        return f"{self.outcomes[name]['reason']}. {self.outcomes[name]['next_step']}"

    @property
    def flat(self) -> str:
        """All that was printed, as if the terminal had no end."""
        return " ".join((self.out + self.err).split())


@dataclass
class Site:
    """One test's projects, roles and entries."""

    ground: Ground
    folder: Path
    number: int
    environ: dict[str, str] = field(init=False, repr=False)
    first: dict[str, str] = field(init=False, repr=False)
    """Each role's first password."""
    said: list[str] = field(default_factory=list)
    """All that any command printed or logged."""
    further_secrets: list[str] = field(default_factory=list, repr=False)
    projects: dict[str, str] = field(default_factory=dict)
    """Ids, by the short names that the tests use."""

    # --- what is there before the first command --------------------------------------------------------

    def set_up(self) -> None:
        """Projects, roles, secrets and inventory, as people would make them."""
        for name in ("data", "journal", "admins"):
            self.projects[name] = self.bitwarden.create_project(self.project(name))
            self.bitwarden.grant(ACCOUNT, self.projects[name], "write")
        self.first = {name: secrets.token_urlsafe(18) for name in ("etl", "reporting", "admin")}
        for name in ("etl", "reporting"):
            self.postgres.create_role(self.role(name), self.first[name])
        self.postgres.create_rotator(self.first["admin"], over=[self.role("etl")], name=self.role("admin"))
        for name, project, key in (
            ("reporting", "data", "reporting/db"),
            ("admin", "admins", "rotation/admin"),
        ):
            login = {"username": self.role(name), "password": self.first[name]}
            self.bitwarden.put_secret(project=self.projects[project], key=key, value=json.dumps(login))
        self.environ = {
            **self.ground.environ(),
            "ROTATION_INCLUDE": str(self.folder),
            "ROTATION_JOURNAL_PROJECT": self.project("journal"),
        }
        (self.folder / "credentials").mkdir(parents=True)
        (self.folder / "policies.yaml").write_text(POLICIES)
        self.write_entries()

    @property
    def bitwarden(self) -> BitwardenStandIn:
        return self.ground.bitwarden

    @property
    def postgres(self) -> PostgresServer:
        return self.ground.postgres

    def project(self, name: str) -> str:
        return f"{name}-{self.number}"

    def role(self, name: str) -> str:
        return f"{name}_{self.number}"

    # --- the inventory ---------------------------------------------------------------------------------

    def entries(self) -> str:
        """The inventory's text."""
        target = f"{{host: localhost, port: {self.postgres.port}, sslrootcert: {self.postgres.ca_file}}}"
        roles = {name: self.role(name) for name in ("etl", "reporting", "admin")}
        places = {"data": self.project("data"), "admins": self.project("admins")}
        return ENTRIES.format(target=target, **roles, **places)

    def write_entries(self, text: str | None = None, *, file: str = "all.yaml") -> None:
        (self.folder / "credentials" / file).write_text(self.entries() if text is None else text)

    def change_entries(self, old: str, new: str) -> None:
        """Replace a text in the inventory, which must be there."""
        text = (self.folder / "credentials" / "all.yaml").read_text()
        assert old in text
        self.write_entries(text.replace(old, new))

    # --- commands --------------------------------------------------------------------------------------

    def run(self, *arguments: str, **environ: str | None) -> Ran:
        """Run a command in this process; `environ` sets, or with None removes, variables."""
        with _listening() as log:
            result = CliRunner().invoke(
                main, arguments, env=self._environ(environ), catch_exceptions=False, prog_name="rotation"
            )
        self.said += [result.stdout, result.stderr, log.getvalue()]
        return Ran(result.exit_code, result.stdout, result.stderr)

    def run_process(self, *arguments: str) -> Ran:
        """Run a command as an operator does."""
        return self._process("-m", "credential_rotation", *arguments)

    def run_python(self, code: str) -> Ran:
        """Run code in a process of its own, in the deployment's environment."""
        return self._process("-c", code)

    def _process(self, *arguments: str) -> Ran:
        environ = {**self.environ, "PYTHONPATH": str(PLUGINS), "PATH": os.defpath}
        result = subprocess.run(
            [sys.executable, *arguments],
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=self.folder,
        )
        self.said += [result.stdout, result.stderr]
        return Ran(result.returncode, result.stdout, result.stderr)

    def deployment(self, **environ: str) -> Deployment:
        """The same settings, for a test that asks in Python."""
        return open_deployment({**self.environ, **environ})

    def _environ(self, changed: Mapping[str, str | None]) -> dict[str, str | None]:
        ours = ("BWS_", "BITWARDEN_", "ROTATION_", "SLACK_")
        unset = {name: None for name in os.environ if name.startswith(ours) or name in PASSED_ON}
        return {**unset, **self.environ, **changed}

    # --- the truth, asked without the code under test --------------------------------------------------

    def secrets(self) -> list[StoredSecret]:
        """Everything in this test's projects except what `check` keeps there."""
        found = self.bitwarden.secrets(*self.projects.values())
        return [one for one in found if one.key != "rotation/check"]

    def current(self, key: str = "airflow/connections/etl") -> StoredSecret:
        [found] = [one for one in self.secrets() if one.key == key and not one.deleted]
        return found

    def password(self, key: str = "airflow/connections/etl") -> str:
        """What whoever reads CURRENT gets."""
        return str(json.loads(self.current(key).value)["password"])

    def records(self, name: str) -> list[str]:
        """The keys of a credential's records."""
        return [
            one.key for one in self.secrets() if one.key.startswith(f"rotation/{name}/") and not one.deleted
        ]

    def roles(self) -> list[tuple[Any, ...]]:
        """Each of its own roles' verifier and comment; other tests have theirs on the same server."""
        own = sorted(self.role(name) for name in self.first)
        asked = sql.SQL(
            "SELECT rolname, rolpassword, shobj_description(oid, 'pg_authid') FROM pg_authid"
            " WHERE rolname IN ({}) ORDER BY 1"
        )
        return self.postgres.execute(asked.format(sql.SQL(", ").join(map(sql.Literal, own))))

    def everything(self) -> tuple[list[StoredSecret], list[tuple[Any, ...]]]:
        """Vault and target, to compare before with after."""
        return self.secrets(), self.roles()

    def logs_in(self, name: str, password: str) -> bool:
        return self.role_logs_in(self.role(name), password)

    def role_logs_in(self, role: str, password: str) -> bool:
        try:
            self.postgres.connect(role, password).close()
        except psycopg.OperationalError:
            return False
        return True

    def values(self) -> set[str]:
        """Every value that nobody may ever read in a message."""
        stored = re.findall(r'"password": ?"([^"]+)"', "".join(one.value for one in self.secrets()))
        verifiers = [row[1] for row in self.roles() if row[1]]
        return {*self.first.values(), *stored, *verifiers, self.ground.token, *self.further_secrets}

    def leaked(self) -> set[str]:
        """Values that were said all the same."""
        said = "".join(self.said)
        return {value for value in self.values() if value in said}


@contextmanager
def _listening() -> Iterator[io.StringIO]:
    """All that is logged."""
    heard = io.StringIO()
    handler = logging.StreamHandler(heard)
    logging.getLogger().addHandler(handler)
    try:
        yield heard
    finally:
        logging.getLogger().removeHandler(handler)
