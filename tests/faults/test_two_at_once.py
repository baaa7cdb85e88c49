"""Two rotate one PostgreSQL credential at once, with the real parts: one wins, and the other says so.

A holder is put to sleep in the middle by SIGSTOP and woken when others have been there. A clock that stands
sixteen minutes later takes the place of waiting out the time in which a lost write may still land.
"""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from psycopg import sql

from credential_rotation.outcome import Outcome, OutcomeDict
from credential_rotation.policy import Request
from scenes.rivals.processes import Rivals
from scenes.site.deployment import Site
from scenes.site.ground import ACCOUNT, own_agent

pytest_plugins = ["scenes.site.fixtures", "scenes.rivals.fixtures"]

LATER = timedelta(minutes=16)
KEYS = {"etl": "airflow/connections/etl", "reporting": "reporting/db"}
NAMES = pytest.mark.parametrize("name", KEYS)
ASLEEP = {
    "after the lock, before its record": "vault create_secret 1",
    "after its record, before apply": "database BEGIN ISOLATION 2",
    "in the transaction that applies": "database ALTER ROLE 2",
    "after apply, before promote": "vault update_secret 1",
}
"""Calls of a credential's second rotation, before which the holder is put to sleep."""
OTHERS = dict.fromkeys(ASLEEP, "recovered") | {"after the lock, before its record": "rotated"}
"""How the one ends who comes when the holder's session is gone."""
WOKEN = {
    "after the lock, before its record": "failed",
    "after its record, before apply": "failed",
    "in the transaction that applies": "waiting",
    "after apply, before promote": "rotated",
}
"""And how the holder does."""
SLEEPERS = pytest.mark.parametrize(
    ("name", "place"),
    [("etl", place) for place in ASLEEP]
    + [("reporting", place) for place in ASLEEP if "apply, " in place or ", before apply" in place],
)
NOTHING_LEFT = {"unchanged", "retired"}


def rotate(site: Site, name: str, *, later: timedelta = timedelta(0), begin: bool = True) -> Outcome:
    """By this process, on a clock that is so much ahead."""
    deployment = site.deployment()
    deployment.clock = lambda: datetime.now(timezone.utc) + later
    request = Request(at=deployment.clock(), by="the test", now=True) if begin else None
    return deployment.rotate(deployment.entry(name), request)


def rotated_once(site: Site, name: str) -> Site:
    """Version 1 is CURRENT."""
    assert rotate(site, name).outcome == "rotated"
    return site


def stored(site: Site, name: str) -> set[str]:
    """Every password of the credential that somebody could read in Bitwarden."""
    kept = [one for one in site.secrets() if not one.deleted]
    wanted = [one for one in kept if one.key == KEYS[name] or one.key.startswith(f"rotation/{name}/")]
    return {str(json.loads(one.value)["password"]) for one in wanted}


def some_value_works(site: Site, name: str) -> bool:
    """Nobody is locked out for good."""
    return any(site.logs_in(name, value) for value in stored(site, name))


def ends_right(site: Site, name: str, *, version: int, seen: set[str]) -> None:
    """After the ordinary repair, at once and later: CURRENT and nothing else logs in, one record is left."""
    assert some_value_works(site, name)
    seen = {*seen, *stored(site, name), site.first[name]}
    rotate(site, name, begin=False)
    last = rotate(site, name, later=LATER, begin=False)
    assert last.outcome in NOTHING_LEFT, last
    current = site.password(KEYS[name])
    assert [value for value in seen | {current} if site.logs_in(name, value)] == [current]
    [record] = site.records(name)
    assert int(record.split("/")[2]) == version
    assert stored(site, name) == {current}


def one_rotated_and_one_did_not(*both: OutcomeDict) -> None:
    """Nobody has to be told of it."""
    words = sorted(one["outcome"] for one in both)
    assert words in (["busy", "rotated"], ["rotated", "unchanged"]), both


def end_session(site: Site, name: str) -> None:
    """The server ends the holder's connection, as after a network that was gone for long."""
    asked = sql.SQL(
        "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
        " WHERE application_name = 'credential-rotation' AND usename IN ({}, {})"
    )
    users = (sql.Literal(site.role(name)), sql.Literal(site.role("admin")))
    ended = site.postgres.execute(asked.format(*users))
    assert ended == [(1,)]


@NAMES
def test_of_two_at_the_same_moment_one_rotates_and_the_other_says_so(
    site: Site, rivals: Rivals, name: str
) -> None:
    """Asked for twice, by two people at once: one version."""
    seen = stored(rotated_once(site, name), name)
    asked = datetime.now(timezone.utc)
    both = [rivals.begin(name, site.environ, asked=asked) for _ in range(2)]
    one_rotated_and_one_did_not(*(one.outcome() for one in both))
    ends_right(site, name, version=2, seen=seen)


@NAMES
def test_two_deployments_on_one_vault_are_no_different(
    site: Site, rivals: Rivals, name: str, tmp_path: Path
) -> None:
    """Each with an agent, a token, settings and an inventory of its own: the lock is the target's."""
    seen = stored(rotated_once(site, name), name)
    other = tmp_path / "other"
    shutil.copytree(site.folder, other)
    token = site.bitwarden.create_token(ACCOUNT)
    site.further_secrets.append(token)
    with own_agent(site.ground, token) as own:
        there_environ = {**site.environ, **own, "ROTATION_INCLUDE": str(other)}
        asked = datetime.now(timezone.utc)
        here = rivals.begin(name, site.environ, asked=asked)
        there = rivals.begin(name, there_environ, asked=asked)
        one_rotated_and_one_did_not(here.outcome(), there.outcome())
    ends_right(site, name, version=2, seen=seen)


@NAMES
def test_who_comes_to_the_lock_when_all_is_done_wakes_nobody(site: Site, rivals: Rivals, name: str) -> None:
    """It has looked, and before it is in, another one has been there: the value that it knew is dead."""
    seen = stored(rotated_once(site, name), name)
    late = rivals.begin(name, site.environ, stop_at="database login 2")
    late.wait_until_it_sleeps()
    first = rotate(site, name)
    late.wake()
    one_rotated_and_one_did_not(first.as_dict(), late.outcome())
    ends_right(site, name, version=2, seen=seen)


@SLEEPERS
def test_who_comes_while_the_holder_sleeps_is_busy_and_the_holder_goes_on(
    site: Site, rivals: Rivals, name: str, place: str
) -> None:
    """The lock is the sleeping session's; it wins once it is woken."""
    seen = stored(rotated_once(site, name), name)
    holder = rivals.begin(name, site.environ, stop_at=ASLEEP[place])
    holder.wait_until_it_sleeps()
    other = rotate(site, name)
    assert (other.outcome, other.heals_by_itself) == ("busy", True), other
    assert some_value_works(site, name)
    holder.wake()
    assert holder.outcome()["outcome"] == "rotated"
    ends_right(site, name, version=2, seen=seen)


@SLEEPERS
def test_a_holder_that_sleeps_past_its_session_loses_to_who_comes(
    site: Site, rivals: Rivals, name: str, place: str
) -> None:
    """The other one finishes what it recorded; woken, it sends nothing more there, and says so."""
    seen = stored(rotated_once(site, name), name)
    holder = rivals.begin(name, site.environ, stop_at=ASLEEP[place])
    holder.wait_until_it_sleeps()
    end_session(site, name)
    other = rotate(site, name)
    assert other.outcome == OTHERS[place], other
    current = site.password(KEYS[name])
    assert site.logs_in(name, current)
    seen |= stored(site, name)
    holder.wake()
    woken = holder.outcome()
    assert woken["outcome"] == WOKEN[place], woken
    assert site.password(KEYS[name]) == current
    ends_right(site, name, version=2, seen=seen)


@NAMES
def test_a_holder_that_writes_an_old_current_is_put_right_by_the_next_run(
    site: Site, rivals: Rivals, name: str
) -> None:
    """Bitwarden has no compare-and-set, so that nothing can stop it. It proves what it wrote: not green.

    The records tell which value is the newest.
    """
    seen = stored(rotated_once(site, name), name)
    holder = rivals.begin(name, site.environ, stop_at=ASLEEP["after apply, before promote"])
    holder.wait_until_it_sleeps()
    end_session(site, name)
    assert rotate(site, name).outcome == "recovered"
    seen |= stored(site, name)
    assert rotate(site, name, later=LATER).outcome == "rotated"
    newest = site.password(KEYS[name])
    holder.wake()
    woken = holder.outcome()
    assert woken["outcome"] == "unproved", woken
    assert "CURRENT refused" in woken["reason"]
    assert newest in stored(site, name)
    assert site.logs_in(name, newest)
    ends_right(site, name, version=3, seen=seen)
    assert site.password(KEYS[name]) == newest
