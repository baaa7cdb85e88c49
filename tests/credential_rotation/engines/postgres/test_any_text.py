"""What a server answers need not be text: comments and names may come from a database of another encoding."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from credential_rotation.attempt.attempt import attempt
from credential_rotation.attempt.turn import Parties
from credential_rotation.model import Answer
from credential_rotation.outcome import Outcome
from credential_rotation.policy import Request
from sandbox.postgres import PostgresServer
from scenes.postgres.role import Scene
from simulators.scene import SETTLE, SimConsumers
from simulators.vault import SimVault
from simulators.world import World

COMMENT = (
    "SELECT encode(textsend(shobj_description(oid, 'pg_authid')), 'hex') FROM pg_roles WHERE rolname = '{}'"
)
LATIN1 = "r\u00f4le de l'ETL".encode("latin-1")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """One of its own: nobody can read all roles' names on it any more."""
    with PostgresServer(tmp_path_factory.mktemp("postgres")) as running:
        yield running


@pytest.fixture(scope="module")
def elsewhere(server: PostgresServer) -> dict[str, str]:
    """Databases of other encodings on the same server, whose roles are the server's."""
    names = {encoding: f"in_{encoding.lower()}" for encoding in ("LATIN1", "SQL_ASCII")}
    for encoding, name in names.items():
        locale = "LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        server.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' {locale}")
    return names


def rotate(scene: Scene, dbname: str = "postgres", **options: str) -> tuple[SimVault, Outcome]:
    vault = SimVault(World())
    vault.put_current(scene.first)
    rotator = scene.rotator(target=scene.target(dbname=dbname), options=options)
    begin = Request(at=vault.world.now, by="someone", now=True)
    parties = Parties(vault, rotator, SimConsumers())
    return vault, attempt(rotator.credential, parties, begin=begin, clock=vault.world.clock, settle=SETTLE)


def comment(scene: Scene) -> bytes:
    [(found,)] = scene.sql(COMMENT.format(scene.role))
    return bytes.fromhex(found)


@pytest.mark.parametrize("asked_in", ["UTF8", "SQL_ASCII"])
def test_a_comment_that_is_no_text_here_is_left_alone_and_told(
    scene: Scene, elsewhere: dict[str, str], asked_in: str
) -> None:
    """The server takes such bytes from nobody, so that no stamp fits beside them: nothing begins, and why."""
    scene.server.execute(f"COMMENT ON ROLE {scene.role} IS 'r\u00f4le de l''ETL'", dbname=elsewhere["LATIN1"])
    vault, told = rotate(scene, elsewhere.get(asked_in, "postgres"))
    assert (told.outcome, told.old_value) == ("failed", Answer.WORKS)
    assert "22021" in told.reason
    assert f'COMMENT ON ROLE "{scene.role}"' in told.next_step
    assert (vault.records, comment(scene), scene.logs_in(scene.first)) == ({}, LATIN1, True)


def test_such_a_comment_survives_where_no_stamp_goes_into_it(scene: Scene, elsewhere: dict[str, str]) -> None:
    """`stamp: none`, which the message names as the other way out: to the byte."""
    scene.server.execute(f"COMMENT ON ROLE {scene.role} IS 'r\u00f4le de l''ETL'", dbname=elsewhere["LATIN1"])
    _, told = rotate(scene, stamp="none")
    assert (told.outcome, comment(scene)) == ("rotated", LATIN1)


def test_where_it_is_text_it_survives_beside_the_stamp(scene: Scene, elsewhere: dict[str, str]) -> None:
    """An entry whose dbname is the database of that encoding: to the byte, and rotated."""
    scene.server.execute(f"COMMENT ON ROLE {scene.role} IS 'r\u00f4le de l''ETL'", dbname=elsewhere["LATIN1"])
    _, told = rotate(scene, elsewhere["LATIN1"])
    assert told.outcome == "rotated"
    assert comment(scene).startswith(LATIN1 + b"\ncredential-rotation: epoch=")


def test_a_name_that_is_no_text_here_is_told_as_far_as_it_can_be(
    scene: Scene, elsewhere: dict[str, str]
) -> None:
    """Membership that one of a pair lacks, in a role of another encoding: in words that can be printed."""
    server, other = scene.server, f"{scene.role}_b"
    server.create_role(other, "never told")
    server.execute(f'CREATE ROLE "r\u00f4le_{scene.role}"', dbname=elsewhere["LATIN1"])
    server.execute(f'GRANT "r\u00f4le_{scene.role}" TO {scene.role}', dbname=elsewhere["LATIN1"])
    with scene.rotator().lock(None, changing=scene.role) as session:
        [told] = session.differences(other, scene.role)
    assert told == rf"membership in r\xf4le_{scene.role}"
    assert json.dumps(told, ensure_ascii=False).encode()
