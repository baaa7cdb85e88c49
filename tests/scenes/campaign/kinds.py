"""The credentials of the campaign, each engine with each strategy, and the truth about their values.

A new engine adds a kind: its entry, what has to be there, and how to ask whether a value logs in.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from sandbox.aws import AwsStandIn
from scenes.aws_iam.user import POLICIES
from scenes.site.deployment import Site

FROM_NOTHING = "postgres in_place, nothing stored yet"

Value = tuple[str, str]
"""Who logs in (a role, a key's id), and the secret."""

_PAIR = """\
credentials:
  - name: pair
    engine: postgres
    strategy: alternating
    principal: [{a}, {b}]
    target: {target}
    admin: admin
    vault: {{key: pair/db, project: {data}, format: json}}
    policy: {{max_age: 90d, grace: 1d}}
    owner: data-platform
"""
_KEYS = """\
credentials:
  - name: keys
    engine: aws_iam
    principal: {user}
    target: {{region: {region}}}
{admin}    vault: {{key: keys/aws, project: {data}, format: aws-credentials}}
    policy: {{max_age: 90d, grace: 1d}}
    owner: data-platform
"""
_KEYS_ADMIN = """\
  - name: keys-admin
    engine: aws_iam
    principal: {rotator}
    target: {{region: {region}}}
    vault: {{key: rotation/keys_admin, project: {admins}, format: aws-credentials}}
    policy: manual
    owner: data-platform
"""


class Kind(Protocol):
    """An engine with a strategy, on one site."""

    name: str
    """The entry."""
    key: str
    """CURRENT's."""
    site: Site

    def set_up(self) -> None:
        """Make what has to be there before the first rotation."""

    def logs_in(self, value: Value) -> bool:
        """The truth, asked without the code under test."""

    def changed_by_hand(self) -> None:
        """A person sets another value on the target, and stores it as CURRENT."""

    def works_unstored(self) -> bool:
        """Whether a value from before the first rotation, that nobody stored, still logs in."""

    def strangers(self) -> object:
        """What is on the target and not ours, to compare before with after."""

    def beside(self, current: Value) -> str:
        """What is on the target beside CURRENT's value and should not be; "" where nothing is."""


@dataclass
class Role:
    """One PostgreSQL role, changed by its admin or by itself."""

    site: Site
    name: str = "etl"
    key: str = "airflow/connections/etl"
    is_stored: bool = True

    @property
    def principals(self) -> tuple[str, ...]:
        return (self.site.role(self.name),)

    def set_up(self) -> None:
        self._store()
        self.site.postgres.execute(f"CREATE ROLE {self._stranger} LOGIN PASSWORD 'not ours'")

    def _store(self) -> None:
        """Where an admin changes the role, it could also start from nothing."""
        if self.name == "etl" and self.is_stored:
            login = {"login": self.principals[0], "password": self.site.first["etl"], "conn_type": "postgres"}
            self.site.bitwarden.put_secret(
                project=self.site.projects["data"], key=self.key, value=json.dumps(login)
            )

    def logs_in(self, value: Value) -> bool:
        return self.site.role_logs_in(*value)

    def works_unstored(self) -> bool:
        return not self.is_stored and self.site.logs_in(self.name, self.site.first[self.name])

    def changed_by_hand(self) -> None:
        current = self.site.current(self.key)
        fields = json.loads(current.value)
        fields["password"] = "set by a person"
        role = fields.get("login") or fields["username"]
        self.site.postgres.execute(f"ALTER ROLE {role} PASSWORD 'set by a person'")
        self.site.bitwarden.edit_secret(current.id, value=json.dumps(fields))

    @property
    def _stranger(self) -> str:
        return f"stranger_{self.site.number}"

    def strangers(self) -> object:
        return self.site.postgres.execute(
            "SELECT rolname, rolpassword, rolcanlogin FROM pg_authid"  # noqa: S608 - a name of the test's own
            f" WHERE rolname = '{self._stranger}'"
        )

    def beside(self, current: Value) -> str:  # noqa: ARG002 - a role has one password, and logins tell which
        return ""


@dataclass
class Pair(Role):
    """Two roles that take turns."""

    name: str = "pair"
    key: str = "pair/db"

    @property
    def principals(self) -> tuple[str, ...]:
        return self.site.role("pair_a"), self.site.role("pair_b")

    def set_up(self) -> None:
        super().set_up()
        site, (a, b) = self.site, self.principals
        for role in (a, b):
            site.postgres.create_role(role, f"first of {role}")
            site.postgres.let_rotate(site.role("admin"), role)
        target = f"{{host: localhost, port: {site.postgres.port}, sslrootcert: {site.postgres.ca_file}}}"
        text = _PAIR.format(a=a, b=b, target=target, data=site.project("data"))
        site.write_entries(text, file="pair.yaml")
        login = json.dumps({"username": a, "password": f"first of {a}"})
        site.bitwarden.put_secret(project=site.projects["data"], key=self.key, value=login)

    def beside(self, current: Value) -> str:
        """A password that the idle role had before the first rotation ends with the first turn."""
        has_password = self.site.postgres.execute(
            "SELECT rolname FROM pg_authid WHERE rolpassword IS NOT NULL"  # noqa: S608 - names of the test's own
            f" AND rolname IN {self.principals} AND rolname <> '{current[0]}'"
        )
        return f"password of {has_password}" if has_password else ""


@dataclass
class Keys:
    """An IAM user's two keys, changed by an admin's or by the user itself."""

    site: Site
    aws: AwsStandIn
    has_admin: bool = False
    name: str = "keys"
    key: str = "keys/aws"

    @property
    def user(self) -> str:
        return f"campaign-exports-{self.site.number}"

    @property
    def _admin(self) -> str:
        return f"campaign-rotator-{self.site.number}"

    def set_up(self) -> None:
        site, text = self.site, _KEYS
        file = "admin.json" if self.has_admin else "self-rotating-user.json"
        policy = (POLICIES / file).read_text(encoding="utf-8")
        policy = policy.replace("ACCOUNT", self.aws.account_id).replace("PRINCIPAL", self.user)
        allowed: Mapping[str, object] = json.loads(policy)
        first = self.aws.create_user(self.user, None if self.has_admin else allowed)
        self._put("data", self.key, first)
        if self.has_admin:
            self._put("admins", "rotation/keys_admin", self.aws.create_user(self._admin, allowed))
            text += _KEYS_ADMIN
        self.aws.create_user(f"stranger-{site.number}")
        text = text.format(
            user=self.user,
            region=self.aws.region,
            admin="    admin: keys-admin\n" if self.has_admin else "",
            rotator=self._admin,
            admins=site.project("admins"),
            data=site.project("data"),
        )
        site.write_entries(text, file="keys.yaml")
        site.environ["AWS_ENDPOINT_URL"] = self.aws.endpoint_url

    def _put(self, project: str, key: str, made: Value) -> None:
        value = json.dumps({"aws_access_key_id": made[0], "aws_secret_access_key": made[1]})
        self.site.bitwarden.put_secret(project=self.site.projects[project], key=key, value=value)

    def logs_in(self, value: Value) -> bool:
        return self.aws.works(*value)

    def works_unstored(self) -> bool:
        return False

    def changed_by_hand(self) -> None:
        current = self.site.current(self.key)
        old = json.loads(current.value)["aws_access_key_id"]
        key_id, secret = self.aws.create_key(self.user)
        value = json.dumps({"aws_access_key_id": key_id, "aws_secret_access_key": secret})
        self.site.bitwarden.edit_secret(current.id, value=value)
        self.aws.delete_key(self.user, old)

    def strangers(self) -> object:
        return self.aws.keys(f"stranger-{self.site.number}")

    def beside(self, current: Value) -> str:
        others = [key.id for key in self.aws.keys(self.user) if key.id != current[0]]
        return f"keys {', '.join(others)}" if others else ""


def make(kind: str, site: Site, aws: AwsStandIn) -> Kind:
    """The kind of this name."""
    kinds: Mapping[str, Kind] = {
        "postgres in_place, by an admin": Role(site),
        FROM_NOTHING: Role(site, is_stored=False),
        "postgres in_place, by itself": Role(site, "reporting", "reporting/db"),
        "postgres alternating": Pair(site),
        "aws_iam overlapping, by an admin": Keys(site, aws, has_admin=True),
        "aws_iam overlapping, by itself": Keys(site, aws),
    }
    return kinds[kind]


KINDS = (
    "postgres in_place, by an admin",
    FROM_NOTHING,
    "postgres in_place, by itself",
    "postgres alternating",
    "aws_iam overlapping, by an admin",
    "aws_iam overlapping, by itself",
)
