"""What an entry may say about a PostgreSQL role, and what the rotator makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from credential_rotation.engines.postgres.rotator import PostgresRotator
from credential_rotation.engines.postgres.target import place
from credential_rotation.errors import BadInput
from credential_rotation.model import Answer, Secret, Strategy, Target
from scenes.postgres.role import Scene


def test_without_a_word_the_server_is_proved() -> None:
    """The defaults: port 5432, database postgres, certificate and name checked against the system's CAs."""
    where = place(Target("db", {}), "x")
    assert (where.port, where.dbname, where.connect_timeout) == (5432, "postgres", 10)
    assert (where.sslmode, where.sslrootcert) == ("verify-full", "system")


@pytest.mark.parametrize(
    ("host", "settings", "named"),
    [
        ("db", {"sslmode": "prefer"}, "sslmode"),
        ("db", {"sslmode": "allow"}, "sslmode"),
        ("db", {"sslmode": "verify-ca"}, "sslrootcert"),
        ("db", {"sslmode": "require", "sslrootcert": "system"}, "sslrootcert"),
        ("db", {"port": "0"}, "port"),
        ("db", {"port": "5432 "}, "port"),
        ("db", {"connect_timeout": "300"}, "connect_timeout"),
        ("db", {"dbname": ""}, "dbname"),
        ("db", {"database": "x"}, "database"),
        ("db", {"dbname": "é" * 32}, "dbname"),
        ("a,b", {}, "host"),
        ("", {}, "host"),
    ],
)
def test_a_target_that_cannot_be_meant_is_bad_input(host: str, settings: dict[str, str], named: str) -> None:
    """Every mistake is named with the entry's line before anything is connected to."""
    with pytest.raises(BadInput, match=named) as error:
        place(Target(host, settings), "x.yaml:3")
    assert "x.yaml:3" in str(error.value)


@pytest.mark.parametrize(
    "change",
    [
        {"strategy": Strategy.ALTERNATING},
        {"principals": ("a", "b")},
        {"principals": ("",)},
        {"principals": ("é" * 32,)},
        {"options": {"owner_role": "é" * 32}},
        {"options": {"password_hashing": "server"}, "target": Target("h", {"sslmode": "require"})},
        {"options": {"password_hashing": "md5"}},
        {"options": {"stamp": "always"}},
        {"options": {"valid_until": "move"}},
        {"options": {"valid_until": "extend"}},
        {"options": {"password_symbols": "a"}},
        {"endpoints": (Target("h", {"sslmode": "prefer"}),)},
    ],
)
def test_what_the_engine_cannot_do_is_refused_at_once(scene: Scene, change: dict[str, Any]) -> None:
    """An entry that asks for more than there is, is refused when the rotator is made."""
    with pytest.raises(BadInput):
        PostgresRotator(replace(scene.credential(), **change), admin=None)


def test_the_admin_is_asked_for_only_at_the_lock(scene: Scene) -> None:
    """Probing and minting need no admin secret, so none is fetched."""

    def unreachable() -> Secret:
        pytest.fail("the admin was asked for")

    rotator = PostgresRotator(scene.credential(), admin=unreachable)
    assert rotator.probe(scene.first).answer is Answer.WORKS
    assert rotator.mint(scene.role).principal == scene.role
    assert not rotator.changes_itself


def test_endpoints_answer_in_the_entrys_order(scene: Scene) -> None:
    """Each endpoint is asked with its own settings, and a broken one does not hide the next."""
    endpoints = (Target("127.0.0.1", {"port": "1"}), scene.target())
    probes = scene.rotator(endpoints=endpoints).endpoints(scene.first)
    assert [probe.answer for probe in probes] == [Answer.UNKNOWN, Answer.WORKS]


def test_no_value_shows_in_what_is_told(scene: Scene) -> None:
    """Neither answer nor repr carries the password that was asked about."""
    secret = Secret(scene.role, "very-visible-value")
    for target in (scene.target(), Target("127.0.0.1", {"port": "1"}), scene.target(dbname="nowhere")):
        probe = scene.rotator(target=target).probe(secret)
        assert secret.password not in repr(probe)
