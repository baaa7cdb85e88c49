"""A reader that polls CURRENT and logs in while it is rotated: who reads a pair or a key is never refused.

Of one role (in_place) some are, between the change and the write to Bitwarden: counted, and the time told.
`READER_ROTATIONS` makes more of them than an ordinary run of the tests does.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

import psycopg
import pytest

from bitwarden_vault.client import VaultClient
from bitwarden_vault.settings import read_settings
from credential_rotation.policy import Request
from sandbox.aws import AwsStandIn
from scenes.site.deployment import Site

pytest_plugins = ["scenes.site.fixtures", "sandbox.aws.fixtures"]

ROTATIONS = int(os.environ.get("READER_ROTATIONS", "5"))
REST = 0.3
"""Seconds between promote and retire, longer than any reader holds on to a value here."""
LATER = timedelta(days=3)

ENTRIES = """\
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
  - name: keys
    engine: aws_iam
    principal: reader-{number}
    target: {{region: {region}}}
    vault: {{key: keys/aws, project: {data}, format: aws-credentials}}
    policy: {{max_age: 90d, grace: 1d}}
    owner: data-platform
"""
LIFE = ["ListAccessKeys", "CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey", "GetAccessKeyLastUsed"]


@dataclass
class Reader:
    """Reads a secret as the backend does, logs in with it at once, and counts who was refused."""

    client: VaultClient
    secret_id: str
    log_in: Callable[[dict[str, str]], bool]
    asked: int = 0
    refused: list[float] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    """Seconds from the first refusal of a row to the login that ended it."""
    _row_began: float | None = None
    _is_over: threading.Event = field(default_factory=threading.Event)

    def poll(self) -> None:
        """Until it is over."""
        try:
            while not self._is_over.is_set():
                value = json.loads(self.client.get_secret(self.secret_id).value)
                self.asked += 1
                if not self.log_in(value):
                    self.refused.append(time.monotonic())
                    self._row_began = self._row_began or self.refused[-1]
                elif self._row_began is not None:
                    self.gaps.append(time.monotonic() - self._row_began)
                    self._row_began = None
        except BaseException as failure:  # noqa: BLE001 - told by the test's own thread
            self.failures.append(failure)

    @contextmanager
    def polling(self) -> Iterator[None]:
        """In a thread of its own."""
        thread = threading.Thread(target=self.poll)
        thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            thread.join()
        assert not self.failures


def rotate(site: Site, name: str, *, later: timedelta = timedelta(0), begin: bool = True) -> str:
    deployment = site.deployment()
    deployment.clock = lambda: datetime.now(timezone.utc) + later
    request = Request(at=deployment.clock(), by="the test", now=True) if begin else None
    return deployment.rotate(deployment.entry(name), request).outcome


def secret_id(site: Site, key: str) -> str:
    [found] = [one.id for one in site.secrets() if one.key == key and not one.deleted]
    return found


def reader(site: Site, key: str, log_in: Callable[[dict[str, str]], bool]) -> Reader:
    return Reader(VaultClient(read_settings(site.environ)), secret_id(site, key), log_in)


def at_postgres(site: Site) -> Callable[[dict[str, str]], bool]:
    def log_in(value: dict[str, str]) -> bool:
        try:
            site.postgres.connect(value["username"], value["password"]).close()
        except psycopg.OperationalError as error:
            if "password authentication failed" in str(error):
                return False
            raise
        return True

    return log_in


@pytest.fixture
def with_pair(site: Site, aws: AwsStandIn, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A pair of roles, and an IAM user whose new keys are known late."""
    a, b = site.role("pair_a"), site.role("pair_b")
    for role in (a, b):
        site.postgres.create_role(role, f"first of {role}")
        site.postgres.let_rotate(site.role("admin"), role)
    user = f"reader-{site.number}"
    allow = {"Effect": "Allow", "Action": [f"iam:{one}" for one in LIFE], "Resource": "*"}
    key_id, secret = aws.create_user(user, {"Version": "2012-10-17", "Statement": [allow]})
    target = f"{{host: localhost, port: {site.postgres.port}, sslrootcert: {site.postgres.ca_file}}}"
    text = ENTRIES.format(
        a=a, b=b, target=target, data=site.project("data"), number=site.number, region=aws.region
    )
    site.write_entries(text, file="pairs.yaml")
    login = json.dumps({"username": a, "password": f"first of {a}"})
    site.bitwarden.put_secret(project=site.projects["data"], key="pair/db", value=login)
    keys = json.dumps({"aws_access_key_id": key_id, "aws_secret_access_key": secret})
    site.bitwarden.put_secret(project=site.projects["data"], key="keys/aws", value=keys)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint_url)
    return site


def test_a_reader_of_a_pair_is_never_refused(with_pair: Site) -> None:
    """Whoever reads CURRENT logs in with it, before, while and after the roles take turns."""
    polls = reader(with_pair, "pair/db", at_postgres(with_pair))
    with polls.polling():
        for _ in range(ROTATIONS):
            assert rotate(with_pair, "pair") == "rotated"
            time.sleep(REST)
            assert rotate(with_pair, "pair", later=LATER, begin=False) == "retired"
    assert polls.asked > 10 * ROTATIONS
    assert polls.refused == []


def test_a_reader_of_keys_is_never_refused_though_services_learn_late(
    with_pair: Site, aws: AwsStandIn
) -> None:
    """CURRENT is written only when every service knows the key; the old one outlives its last reader."""
    aws.lag(new={"sts": 1, "iam": 2}, flapping=1)
    polls = reader(
        with_pair,
        "keys/aws",
        lambda value: aws.works(value["aws_access_key_id"], value["aws_secret_access_key"], "sts"),
    )
    with polls.polling():
        for _ in range(max(1, ROTATIONS // 2)):
            assert rotate(with_pair, "keys") == "rotated"
            time.sleep(REST)
            rotate(with_pair, "keys", later=LATER, begin=False)
            assert rotate(with_pair, "keys", later=2 * LATER, begin=False) == "retired"
    assert polls.asked > 10
    assert polls.refused == []


def test_of_one_role_the_gap_is_counted_and_short(site: Site) -> None:
    """The old value dies when it is replaced; until CURRENT is written its readers are refused."""
    site.run("rotate", "reporting")
    polls = reader(site, "reporting/db", at_postgres(site))
    with polls.polling():
        for _ in range(ROTATIONS):
            assert rotate(site, "reporting") == "rotated"
            time.sleep(REST)
    assert polls.asked > ROTATIONS
    told = f"{len(polls.refused)} of {polls.asked} refused, gaps in s: {sorted(polls.gaps)}"
    print(told)  # noqa: T201 - with `pytest -s` the figure that the documentation tells
    assert len(polls.gaps) <= ROTATIONS
    assert max(polls.gaps, default=0.0) < 2.0, told
