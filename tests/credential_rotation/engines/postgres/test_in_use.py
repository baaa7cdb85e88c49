"""A3: who holds sessions of a role whose password is about to change, on a real server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timezone

import pytest

from credential_rotation.engines.postgres.in_use import _age
from credential_rotation.engines.postgres.rotator import PostgresRotator
from credential_rotation.model import Strategy
from scenes.postgres.role import Scene

NOW = datetime(2026, 11, 25, 12, tzinfo=timezone.utc)


@contextmanager
def at_work(scene: Scene, *applications: str) -> Iterator[None]:
    """Sessions of the role that stay open."""
    with ExitStack() as stack:
        for name in applications:
            role, password = scene.first.principal, scene.first.password
            stack.enter_context(scene.server.connect(role, password, application_name=name))
        yield


def let_see(scene: Scene) -> None:
    """By the grant that include/sql has for that."""
    scene.sql(f"GRANT pg_read_all_stats TO {scene.admin}")


def told(scene: Scene, *, itself: bool = False) -> tuple[str, ...]:
    login = scene.first if itself else None
    return scene.rotator(itself=itself).remarks(login, in_use=scene.role, due=NOW, now=NOW)


def test_sessions_are_told_by_application_and_client_with_their_age(scene: Scene, itself: bool) -> None:  # noqa: FBT001 - a parameter
    """A3: three of `api` and one of a notebook, what becomes of them, and the way round it."""
    let_see(scene)
    with at_work(scene, "api", "api", "api", "notebook"):
        [remark] = told(scene, itself=itself)
    assert remark.startswith(f"role {scene.role} has 4 live sessions: 3 of api from 127.0.0.1 (up to ")
    assert "1 of notebook from 127.0.0.1" in remark
    assert "fail at their next connect" in remark
    assert "strategy alternating" in remark
    assert "cannot see" not in remark


def test_what_cannot_be_seen_is_said(scene: Scene) -> None:
    """A3: the admin that include/sql makes sees how many there are, and says what it does not see."""
    with at_work(scene, "api", "api"):
        [remark] = told(scene)
        assert f"{scene.role} has 2 live sessions: 2 of api; cannot see their clients and ages" in remark
        assert "pg_read_all_stats" in remark
        let_see(scene)
        assert "2 of api from 127.0.0.1" in told(scene)[0]


def test_after_a_rotation_those_from_before_are_told(scene: Scene, itself: bool) -> None:  # noqa: FBT001 - a parameter
    """A3: who opened a session before the lock was taken; not who came later with the new value."""
    let_see(scene)
    rotator = scene.rotator(itself=itself)
    with (
        at_work(scene, "api"),
        rotator.lock(scene.first, changing=scene.role) as session,
        at_work(scene, "late"),
    ):
        told = session.left_over(scene.role)
    assert told.startswith("1 live session: 1 of api from 127.0.0.1 (up to ")


def test_those_whose_age_is_not_shown_are_told_too(scene: Scene) -> None:
    """The admin that include/sql makes is no member of the role: it would tell of nobody, ever."""
    with (
        at_work(scene, "api"),
        scene.rotator().lock(scene.first, changing=scene.role) as session,
    ):
        told = session.left_over(scene.role)
    assert told.startswith("1 live session: 1 of api; cannot see their clients and ages")


def test_nobodys_session_is_nothing_to_tell(scene: Scene, itself: bool) -> None:  # noqa: FBT001 - a parameter
    """A3: neither the session that asks, nor another one of ours, nor another role's."""
    with at_work(scene, "credential-rotation"):
        assert told(scene, itself=itself) == ()


def test_a_pair_has_no_such_sessions(scene: Scene) -> None:
    """A3: where two roles take turns, the old value lives on through grace."""
    pair = replace(
        scene.credential(), strategy=Strategy.ALTERNATING, principals=(scene.role, f"{scene.role}_b")
    )
    with at_work(scene, "api"):
        driver = PostgresRotator(pair, admin=lambda: scene.admins)
        assert driver.remarks(None, in_use=scene.role, due=NOW, now=NOW) == ()


def test_a_longer_list_is_cut(scene: Scene) -> None:
    """A3: the biggest groups first, and how many more there are."""
    let_see(scene)
    with at_work(scene, "a", "b", "c", "d", "e", "f", "f"):
        [remark] = told(scene)
    assert "7 live sessions: 2 of f from" in remark
    assert " and 1 more. " in remark


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "0s"), (59.9, "59s"), (61, "1m"), (7300, "2h"), (90000, "1d")]
)
def test_an_age_is_told_in_one_unit(seconds: float, said: str) -> None:
    """A3: nobody needs the seconds of a session that is two hours old."""
    assert _age(seconds) == said
