"""Names and texts full of SQL, markup, escapes and control characters: whole rotations, to the byte.

What is met by smaller tests: YAML of any kind (`inventory/test_yaml_text.py`), Slack's limits and markup
(`alerts/test_any_text.py`), the note's and the stamp's grammar (`test_note.py`, `postgres/test_stamp.py`),
the forms of a value (`test_formats.py`, `test_json_members.py`), words on the agent's socket
(`agent/test_rubbish.py`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import count

from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql

from credential_rotation.attempt.attempt import attempt
from credential_rotation.attempt.turn import Parties
from credential_rotation.engines.postgres.rotator import PostgresRotator
from credential_rotation.engines.postgres.stamp import stamp_in
from credential_rotation.model import Credential, Policy, Secret, Strategy
from credential_rotation.policy import Request
from sandbox.postgres import PostgresServer
from scenes.hostile import HOSTILE, role_names, roles, texts
from scenes.postgres.role import Scene
from scenes.site.ground import Ground
from simulators.scene import SETTLE, SimConsumers
from simulators.vault import SimVault
from simulators.world import World

pytest_plugins = ["scenes.site.fixtures"]

_numbers = count(1)
COMMENT = sql.SQL("SELECT shobj_description(oid, 'pg_authid') FROM pg_authid WHERE rolname = {}")


def comment_of(server: PostgresServer, role: str) -> str:
    [(comment,)] = server.execute(COMMENT.format(sql.Literal(role)))
    return str(comment)


# --- through the attempt: whatever PostgreSQL takes ----------------------------------------------------


def scene_of(ground: Ground, role: str, admin: str, password: str) -> Scene:
    scene = Scene(ground.postgres, role=role, admin=admin)
    scene.first = Secret(role, password)
    return scene


def rotate(credential: Credential, scene: Scene, vault: SimVault) -> str:
    rotator = PostgresRotator(credential, admin=lambda: scene.admins)
    begin = Request(at=vault.world.now, by="someone", now=True)
    parties = Parties(vault, rotator, SimConsumers())
    return attempt(credential, parties, begin=begin, clock=vault.world.clock, settle=SETTLE).outcome


@HOSTILE
@given(
    names=st.tuples(role_names(control=True), role_names(control=True)).filter(lambda two: two[0] != two[1]),
    password=texts(control=True),
    comment=texts(control=True),
)
def test_a_role_of_any_name_is_rotated_and_no_other(
    ground: Ground, names: tuple[str, str], password: str, comment: str
) -> None:
    """In place, by an admin whose name is no better: the new value works, and what people wrote stays."""
    role, admin = names
    scene, vault = scene_of(ground, role, admin, password), SimVault(World())
    vault.put_current(scene.first)
    server = scene.server
    server.create_role(admin, scene.admins.password, createrole=True)
    try:
        with roles(server, admin, {role: password}, comment):
            assert rotate(scene.credential(), scene, vault) == "rotated"
            assert vault.current is not None
            assert vault.current.secret.password != password
            assert scene.logs_in(vault.current.secret)
            assert not scene.logs_in(scene.first)
            assert stamp_in(comment_of(server, role)) is not None
            assert comment_of(server, role).startswith(f"{comment}\n")
    finally:
        server.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(admin)))


@HOSTILE
@given(
    names=st.lists(role_names(control=True), min_size=2, max_size=2, unique=True),
    password=texts(control=True),
)
def test_a_pair_of_any_names_takes_turns(ground: Ground, names: list[str], password: str) -> None:
    """Both live through grace; then only the second does."""
    a, b = names
    scene, vault = scene_of(ground, a, f"admin_of_pairs_{next(_numbers)}", password), SimVault(World())
    vault.put_current(scene.first)
    server = scene.server
    server.create_role(scene.admin, scene.admins.password, createrole=True)
    policy = Policy("p", max_age=timedelta(days=90), grace=timedelta(hours=1))
    credential = replace(scene.credential(), strategy=Strategy.ALTERNATING, principals=(a, b), policy=policy)
    with roles(server, scene.admin, {a: password, b: "never told"}):
        assert rotate(credential, scene, vault) == "rotated"
        assert vault.current is not None
        assert vault.current.secret.principal == b
        assert scene.logs_in(vault.current.secret)
        assert scene.logs_in(scene.first)
        vault.world.pass_time(timedelta(hours=2))
        rotate(credential, scene, vault)
        assert not scene.logs_in(scene.first)
