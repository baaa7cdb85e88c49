"""kill -9 between any two network calls of a rotation, with the real parts, and the ordinary rerun.

The calls are counted, not listed: a new one is covered by itself. A clock that stands sixteen minutes later
takes the place of waiting out the time in which a lost write may still land.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from credential_rotation.current_note import read_marks
from credential_rotation.outcome import Outcome
from credential_rotation.policy import Request
from scenes.deployment import PLUGINS, Site
from scenes.ground import Ground

pytest_plugins = ["scenes.deployment_fixtures"]

LATER = timedelta(minutes=16)
_numbers = count(1)


@dataclass(frozen=True)
class Killer:
    """The process that forks for each case."""

    process: subprocess.Popen[str]

    def run(self, site: Site, name: str, *, at: int) -> dict[str, Any]:
        """One rotation, killed before this call; all of it where `at` is 0."""
        asked = datetime.now(timezone.utc).isoformat()
        case = {"at": at, "name": name, "environ": site.environ, "asked": asked}
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(case) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    paths = f"{PLUGINS}:{Path(__file__).parents[1]}"
    with subprocess.Popen(
        [sys.executable, "-m", "scenes.kill_driver"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={"PYTHONPATH": paths},
    ) as process:
        yield Killer(process)
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture
def make_site(ground: Ground, tmp_path: Path) -> Callable[[], Site]:
    """Roles, projects and entries of their own for each case."""
    made: list[Site] = []

    def make() -> Site:
        site = Site(ground, tmp_path / f"site-{len(made)}", number=10_000 + next(_numbers))
        site.set_up()
        made.append(site)
        return site

    return make


KEYS = {"etl": "airflow/connections/etl", "reporting": "reporting/db"}
SCENES = {
    "first, by the admin": ("etl", 0),
    "first, changes itself": ("reporting", 0),
    "steady, by the admin": ("etl", 1),
    "steady, changes itself": ("reporting", 1),
}


@pytest.mark.parametrize("scene", SCENES)
def test_nobody_is_locked_out_and_the_rerun_ends_right(
    killer: Killer, make_site: Callable[[], Site], scene: str
) -> None:
    """At every call: some stored value logs in at once; after the rerun CURRENT and nothing else does."""
    name, rotations = SCENES[scene]
    calls = killer.run(_prepared(make_site(), name, rotations), name, at=0)["calls"]
    assert len(calls) > 20
    ends = {}
    for at in range(1, len(calls) + 1):
        site = _prepared(make_site(), name, rotations)
        ended = killer.run(site, name, at=at)
        where = f"{scene}: killed before call {at}, {calls[at - 1]}"
        assert ended["killed"], where
        assert ended["calls"] == calls[: at - 1], where
        ends[where] = _recover(site, name, rotations, where)
    assert set(ends.values()) <= {"rotated", "recovered", "unchanged", "retired"}, ends


def _prepared(site: Site, name: str, rotations: int) -> Site:
    for _ in range(rotations):
        assert _rotate(site, name).outcome == "rotated"
    return site


def _rotate(site: Site, name: str, *, later: timedelta = timedelta(0), begin: bool = True) -> Outcome:
    deployment = site.deployment()
    deployment.clock = lambda: datetime.now(timezone.utc) + later
    request = Request(at=deployment.clock(), by="the test", now=True) if begin else None
    return deployment.rotate(deployment.entry(name), request)


def _recover(site: Site, name: str, rotations: int, where: str) -> str:
    """Look at the wreck, run the ordinary repair, and look again; how it ended."""
    assert any(site.logs_in(name, value) for value in _stored(site, name)) or _is_from_nothing(site, name), (
        where
    )
    before = _stored(site, name)
    repaired = _rotate(site, name, begin=False)
    ended = _rotate(site, name, later=LATER, begin=False)
    if not site.records(name):
        ended = _rotate(site, name, later=LATER)
    current = site.password(KEYS[name])
    assert site.logs_in(name, current), f"{where}: {repaired}, {ended}"
    assert [
        value for value in before | {site.first[name]} if value != current and site.logs_in(name, value)
    ] == []
    [epoch] = _epochs(site, name)
    assert epoch <= rotations + 1, f"{where}: a version too many"
    assert _stored(site, name) == {current}, f"{where}: the record that is left is CURRENT's own"
    marks = read_marks(site.current(KEYS[name]).note)
    assert (marks.epoch if marks else 0) == epoch, f"{where}: CURRENT's note names another version"
    return ended.outcome


def _stored(site: Site, name: str) -> set[str]:
    """Every value of the credential that somebody could read in Bitwarden."""
    kept = [one for one in site.secrets() if not one.deleted]
    wanted = [one for one in kept if one.key == KEYS[name] or one.key.startswith(f"rotation/{name}/")]
    return {str(json.loads(one.value)["password"]) for one in wanted}


def _epochs(site: Site, name: str) -> list[int]:
    return [int(key.split("/")[2]) for key in site.records(name)]


def _is_from_nothing(site: Site, name: str) -> bool:
    """The password was never stored, and is what it was."""
    return name == "etl" and site.logs_in(name, site.first[name])
