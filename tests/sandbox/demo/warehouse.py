"""The scene: three roles on one PostgreSQL, their passwords in Bitwarden, and the inventory that names them.

`warehouse-etl` and `orders-api` are changed by an admin, `reporting` changes itself.
"""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

import psycopg

from sandbox.sandbox import Sandbox

JOURNAL = "rotation-journal"
PROJECTS = ("data-platform", "rotation-admin", JOURNAL)
SETTLE = "5s"
"""How long a lost write may still land; 15 minutes where it is not a demo."""

_INVENTORY = """\
# The demo's inventory: what `include/credentials/warehouse.yaml` could look like.
credentials:
  - name: warehouse-etl
    engine: postgres
    principal: etl
    target: &warehouse {{host: localhost, port: {port}, sslrootcert: {ca}}}
    admin: warehouse-admin
    vault: {{key: airflow/connections/warehouse_etl, project: data-platform, format: airflow-connection}}
    policy: monthly
    owner: data-platform
  - name: reporting
    engine: postgres
    principal: reporting
    target: *warehouse
    vault: {{key: reporting/database, project: data-platform, format: json}}
    policy: monthly
    owner: analytics
  - name: orders-api
    engine: postgres
    principal: orders
    target: *warehouse
    admin: warehouse-admin
    vault: {{key: orders/database, project: data-platform, format: json}}
    policy: monthly
    owner: orders
  - name: warehouse-admin
    engine: postgres
    principal: rotator
    target: *warehouse
    vault: {{key: rotation/warehouse_admin, project: rotation-admin, format: json}}
    policy: manual
    owner: data-platform
"""


@dataclass(frozen=True)
class Role:
    """A credential as the demo knows it from outside."""

    name: str
    role: str
    project: str
    key: str
    told: str


ROLES = (
    Role(
        "warehouse-etl",
        "etl",
        "data-platform",
        "airflow/connections/warehouse_etl",
        "an Airflow connection; its admin changes it",
    ),
    Role("reporting", "reporting", "data-platform", "reporting/database", "JSON; the role changes itself"),
    Role("orders-api", "orders", "data-platform", "orders/database", "JSON; its admin changes it"),
)


class Warehouse:
    """Roles, secrets and inventory; and the two questions that prove a rotation, asked of the target."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._token = ""

    def build(self, root: Path) -> Path:
        """Make roles and secrets as people would; the folder with the inventory."""
        for project in PROJECTS:
            self._sandbox.bitwarden.create_project(project)
        self._token = self._sandbox.bitwarden.create_machine_account(
            "rotation", dict.fromkeys(PROJECTS, "write")
        )
        self._create_roles()
        return self._write_inventory(root / "include")

    def environment(self) -> dict[str, str]:
        """What the README tells people to set."""
        bitwarden, slack = self._sandbox.bitwarden, self._sandbox.slack
        token_file = self._sandbox.run_directory / "access-token"
        token_file.touch(mode=0o600)
        token_file.write_text(self._token)
        return {
            "BWS_ACCESS_TOKEN_FILE": str(token_file),
            "BWS_ORGANIZATION_ID": bitwarden.organization_id,
            "BWS_API_URL": bitwarden.api_url,
            "BWS_IDENTITY_URL": bitwarden.identity_url,
            "SSL_CERT_FILE": str(bitwarden.ca_file),
            "BITWARDEN_SOCKET_DIR": str(self._sandbox.short_folder()),
            "ROTATION_JOURNAL_PROJECT": JOURNAL,
            "ROTATION_SETTLE": SETTLE,
            "SLACK_BOT_TOKEN": slack.token,
            "SLACK_CHANNEL": slack.channel,
            "ROTATION_SLACK_API_URL": slack.api_url,
        }

    def stored(self, role: Role) -> str:
        """The password that whoever reads Bitwarden now gets."""
        found = [one for one in self._sandbox.bitwarden.secrets(role.project) if one.key == role.key]
        [current] = [one for one in found if not one.deleted]
        return str(json.loads(current.value)["password"])

    def in_journal(self, role: Role) -> str | None:
        """The newest password in the journal."""
        prefix = f"rotation/{role.name}/"
        records = [one for one in self._sandbox.bitwarden.secrets(JOURNAL) if one.key.startswith(prefix)]
        kept = [one for one in records if not one.deleted]
        return str(json.loads(max(kept, key=lambda one: one.key).value)["password"]) if kept else None

    def logs_in(self, role: Role, password: str) -> bool:
        """Asked of PostgreSQL itself, without the code that rotates."""
        try:
            self._sandbox.postgres.connect(role.role, password).close()
        except psycopg.OperationalError as refusal:
            if "password authentication failed" in str(refusal):
                return False
            raise
        return True

    def _create_roles(self) -> None:
        postgres, bitwarden = self._sandbox.postgres, self._sandbox.bitwarden
        first = {name: secrets.token_urlsafe(18) for name in ("etl", "reporting", "orders", "rotator")}
        for name in ("etl", "reporting", "orders"):
            postgres.create_role(name, first[name])
        postgres.create_rotator(first["rotator"], over=["etl", "orders"])
        connection = {
            "conn_type": "postgres",
            "host": postgres.host,
            "port": postgres.port,
            "login": "etl",
            "password": first["etl"],
        }
        values = {
            ("data-platform", "airflow/connections/warehouse_etl"): connection,
            ("data-platform", "reporting/database"): {
                "username": "reporting",
                "password": first["reporting"],
            },
            ("data-platform", "orders/database"): {"username": "orders", "password": first["orders"]},
            ("rotation-admin", "rotation/warehouse_admin"): {
                "username": "rotator",
                "password": first["rotator"],
            },
        }
        for (project, key), value in values.items():
            bitwarden.put_secret(project=project, key=key, value=json.dumps(value))

    def _write_inventory(self, shipped: Path) -> Path:
        include = self._sandbox.run_directory / "include"
        (include / "credentials").mkdir(parents=True)
        (include / "policies.yaml").write_text((shipped / "policies.yaml").read_text())
        text = _INVENTORY.format(port=self._sandbox.postgres.port, ca=self._sandbox.postgres.ca_file)
        (include / "credentials" / "warehouse.yaml").write_text(text)
        return include
