"""The scene: PostgreSQL roles and an IAM user, their values in Bitwarden, the inventory that names them.

`warehouse-etl` and `orders-api` are changed by an admin, `reporting` changes itself; `billing` is a pair of
roles that take turns, `exports-uploader` an IAM user with two keys at a time.
"""

import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
    consumers: {etl_consumers}
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
  - name: billing
    engine: postgres
    strategy: alternating
    principal: [billing_a, billing_b]
    target: *warehouse
    admin: warehouse-admin
    vault: {{key: airflow/connections/billing, project: data-platform, format: airflow-connection}}
    policy: {{max_age: 30d, grace: 1m}}
    consumers: {billing_consumers}
    owner: finance
  - name: exports-uploader
    engine: aws_iam
    principal: exports-uploader
    target: {{region: {region}}}
    vault: {{key: exports/aws, project: data-platform, format: aws-credentials}}
    policy: {{max_age: 30d, grace: 1m}}
    consumers: [{{s3_bucket: exports}}]
    owner: data-platform
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
    key: str
    told: str
    lives_on: bool = False
    """The old value works beside the new one until its grace is over."""


@dataclass(frozen=True)
class Login:
    """What whoever reads Bitwarden logs in with."""

    user: str
    password: str = field(repr=False)


ROLES = (
    Role("warehouse-etl", "airflow/connections/warehouse_etl", "one role, changed by its admin"),
    Role("reporting", "reporting/database", "one role, which changes itself"),
    Role("orders-api", "orders/database", "one role, changed by its admin"),
    Role("billing", "airflow/connections/billing", "two roles that take turns", lives_on=True),
    Role("exports-uploader", "exports/aws", "an IAM user, which rotates its own keys", lives_on=True),
)
_FIELDS = (("login", "password"), ("username", "password"), ("aws_access_key_id", "aws_secret_access_key"))
_KEY_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "iam:ListAccessKeys",
                "iam:CreateAccessKey",
                "iam:UpdateAccessKey",
                "iam:DeleteAccessKey",
                "iam:GetAccessKeyLastUsed",
            ],
            "Resource": "arn:aws:iam::*:user/${aws:username}",
        },
        {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": "*"},
    ],
}


class Warehouse:
    """Roles, secrets and inventory; and the two questions that prove a rotation, asked of the target."""

    def __init__(self, sandbox: Sandbox, *, read_by_airflow: bool = False) -> None:
        """`read_by_airflow`: tasks get their connections from Bitwarden, and prove the new values by them."""
        self._sandbox, self._read_by_airflow = sandbox, read_by_airflow
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
            "BITWARDEN_AUDIT_PATH": str(self.trail),
            "ROTATION_JOURNAL_PROJECT": JOURNAL,
            "ROTATION_SETTLE": SETTLE,
            "AWS_ENDPOINT_URL": self._sandbox.start_aws().endpoint_url,
            "SLACK_BOT_TOKEN": slack.token,
            "SLACK_CHANNEL": slack.channel,
            "ROTATION_SLACK_API_URL": slack.api_url,
            **self._secrets_backend(),
        }

    def _secrets_backend(self) -> dict[str, str]:
        if not self._read_by_airflow:
            return {}
        return {
            "AIRFLOW__SECRETS__BACKEND": "bitwarden_vault.backend.BitwardenSecretsBackend",
            "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps({"projects": PROJECTS[:1]}),
            "PYTHONPATH": str(self._sandbox.run_directory / "airflow" / "plugins"),
        }

    @property
    def trail(self) -> Path:
        """Where the vault's agent writes who asked for what."""
        return self._sandbox.run_directory / "vault-audit"

    def stored(self, role: Role) -> Login:
        """What whoever reads Bitwarden now gets."""
        found = [one for one in self._sandbox.bitwarden.secrets(PROJECTS[0]) if one.key == role.key]
        [current] = [one for one in found if not one.deleted]
        value = json.loads(current.value)
        user, password = next(names for names in _FIELDS if names[0] in value)
        return Login(value[user], value[password])

    def in_journal(self, role: Role) -> Login | None:
        """The newest value in the journal."""
        prefix = f"rotation/{role.name}/"
        records = [one for one in self._sandbox.bitwarden.secrets(JOURNAL) if one.key.startswith(prefix)]
        kept = [one for one in records if not one.deleted]
        if not kept:
            return None
        value = json.loads(max(kept, key=lambda one: one.key).value)
        return Login(value["login"] or value["principal"], value["password"])

    def logs_in(self, role: Role, login: Login) -> bool:
        """Asked of PostgreSQL, or of the AWS stand-in, without the code that rotates."""
        if role.name == "exports-uploader":
            return self._sandbox.start_aws().works(login.user, login.password, "sts")
        try:
            self._sandbox.postgres.connect(login.user, login.password).close()
        except psycopg.OperationalError as refusal:
            if "password authentication failed" in str(refusal):
                return False
            raise
        return True

    def _create_roles(self) -> None:
        postgres = self._sandbox.postgres
        names = ("etl", "reporting", "orders", "billing_a", "billing_b", "rotator")
        first = {name: secrets.token_urlsafe(18) for name in names}
        for name in names[:-1]:
            postgres.create_role(name, first[name])
        postgres.execute("CREATE ROLE billing NOLOGIN")
        for name in ("billing_a", "billing_b"):
            postgres.execute(f"GRANT billing TO {name}")
            postgres.execute(f"ALTER ROLE {name} SET role = billing")
        postgres.create_rotator(first["rotator"], over=["etl", "orders", "billing_a", "billing_b"])
        postgres.execute("GRANT pg_signal_backend TO rotator")  # compromise mode ends open sessions
        place = {"conn_type": "postgres", "host": postgres.host, "port": postgres.port, "schema": "postgres"}
        self._put("airflow/connections/warehouse_etl", place | _login("login", "etl", first["etl"]))
        self._put("airflow/connections/billing", place | _login("login", "billing_a", first["billing_a"]))
        self._put("reporting/database", _login("username", "reporting", first["reporting"]))
        self._put("orders/database", _login("username", "orders", first["orders"]))
        self._put("exports/aws", self._create_user())
        admin = _login("username", "rotator", first["rotator"])
        self._put("rotation/warehouse_admin", admin, project="rotation-admin")

    def _create_user(self) -> dict[str, str]:
        aws = self._sandbox.start_aws()
        key_id, secret = aws.create_user("exports-uploader", _KEY_POLICY)
        aws.create_bucket("exports")
        return {"aws_access_key_id": key_id, "aws_secret_access_key": secret}

    def _put(self, key: str, value: dict[str, Any], *, project: str = PROJECTS[0]) -> None:
        self._sandbox.bitwarden.put_secret(project=project, key=key, value=json.dumps(value))

    def _write_inventory(self, shipped: Path) -> Path:
        include = self._sandbox.run_directory / "include"
        (include / "credentials").mkdir(parents=True)
        (include / "policies.yaml").write_text((shipped / "policies.yaml").read_text())
        text = _INVENTORY.format(
            port=self._sandbox.postgres.port,
            ca=self._sandbox.postgres.ca_file,
            region=self._sandbox.start_aws().region,
            etl_consumers="[{airflow_connection: warehouse_etl}]" if self._read_by_airflow else "[]",
            billing_consumers="[{airflow_connection: billing}]" if self._read_by_airflow else "[]",
        )
        (include / "credentials" / "warehouse.yaml").write_text(text)
        return include


def _login(user: str, name: str, password: str) -> dict[str, str]:
    return {user: name, "password": password}
