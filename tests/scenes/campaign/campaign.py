"""Enumerates the cases of one kind and pass, and plays them on servers of their own."""

from __future__ import annotations

import logging
import os
import random
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import count
from pathlib import Path
from unittest import mock

from sandbox.aws import AwsStandIn
from sandbox.bitwarden.stand_in import BitwardenStandIn
from sandbox.postgres import PostgresServer
from scenes.campaign.calls import FAULTS
from scenes.campaign.case import RECOVERIES, Case, Driver, Result, driver, prepared
from scenes.campaign.kinds import FROM_NOTHING, KINDS, Kind, make
from scenes.campaign.passes import PASSES
from scenes.site.deployment import Site
from scenes.site.ground import ACCOUNT, Ground, own_agent

ENDS_WELL = ("rotated", "retired", "recovered", "adopted", "revoked", "unchanged", "waiting")

NOT_FOR = {
    ("postgres in_place", "retire"),
    ("postgres in_place", "deletion"),
    ("postgres in_place", "rollback"),
}
"""Of one role the old value dies when it is replaced: there is nothing to end later, nor to go back to."""


@dataclass(frozen=True)
class Point:
    """One call of one pass, one way in which it goes wrong, one way to recover."""

    at: int
    call: str
    fault: str
    recovery: str


def groups() -> list[tuple[str, str]]:
    """Every kind with every pass that means something for it."""
    return [
        (kind, what)
        for kind in KINDS
        for what in PASSES
        if not any(kind.startswith(one) and what == other for one, other in NOT_FOR)
        and not (what == "deletion" and "overlapping" not in kind)
        and not (what != "first rotation" and kind == FROM_NOTHING)
    ]


@dataclass
class Place:
    """The servers of one group."""

    ground: Ground
    aws: AwsStandIn
    driver: Driver
    folder: Path
    _numbers: Iterator[int]

    @contextmanager
    def fresh(self, kind: str) -> Iterator[Kind]:
        """A credential that nobody has touched; afterwards the machine account no longer sees it."""
        number = next(self._numbers)
        site = Site(self.ground, self.folder / f"site-{number}", number)
        site.set_up()
        made = make(kind, site, self.aws)
        made.set_up()
        try:
            yield made
        finally:
            for project in site.projects.values():
                site.bitwarden.grant(ACCOUNT, project, None)

    def points(self, kind: str, what: str) -> list[Point]:
        """All of them, told by one run that goes well."""
        with self.fresh(kind) as credential:
            prepared(credential, PASSES[what])
            asked = datetime.now(timezone.utc) + PASSES[what].later
            ran = self.driver.run(credential, PASSES[what], asked=asked)
        calls = list(enumerate(ran["calls"], 1))
        assert ran["outcome"].startswith(ENDS_WELL), f"{kind}, {what}: {ran}"
        ways = tuple(RECOVERIES)
        return [
            Point(at, call, fault, ways[(at + turn) % len(ways)])
            for at, call in calls
            for turn, fault in enumerate(FAULTS)
        ]

    def play(self, kind: str, what: str, point: Point) -> Result:
        """One case on a credential of its own; one that cannot be played is wrong too."""
        where = kind, what, point.at, point.call, point.fault, point.recovery
        try:
            with self.fresh(kind) as credential:
                return Case(credential, *where).play(self.driver)
        except Exception as error:  # noqa: BLE001 - the others are played all the same
            return Result(*where, wrong=(f"could not be played: {error!r}",))


@contextmanager
def place() -> Iterator[Place]:
    """Servers, agent and driver, ended with the block."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="campaign-")))
        bitwarden = stack.enter_context(BitwardenStandIn(folder / "bitwarden"))
        postgres = stack.enter_context(PostgresServer(folder / "postgres"))
        aws = stack.enter_context(AwsStandIn(folder / "aws"))
        aws.trail_limit(False)  # noqa: FBT003 - reads as a switch
        stack.enter_context(mock.patch.dict(os.environ, {"AWS_ENDPOINT_URL": aws.endpoint_url}))
        token = bitwarden.create_machine_account(ACCOUNT, {})
        environ = stack.enter_context(own_agent(Ground(bitwarden, postgres, token, Path()), token))
        ground = Ground(bitwarden, postgres, token, Path(environ["BITWARDEN_SOCKET_DIR"]))
        yield Place(ground, aws, stack.enter_context(driver()), folder, count(1))


def drawn(points: list[Point], most: int | None, seed: str) -> list[Point]:
    """So many of them, by a seed."""
    if most is None or most >= len(points):
        return points
    return random.Random(seed).sample(points, most)  # noqa: S311 - no secret


def play(kind: str, what: str, *, most: int | None = None, seed: int = 0) -> Iterator[Result]:
    """The cases of one group; `most` draws so many of them."""
    with place() as servers:
        for point in drawn(servers.points(kind, what), most, f"{seed} {kind} {what}"):
            yield servers.play(kind, what, point)


def play_quietly(kind: str, what: str, most: int, seed: int) -> list[Result]:
    """The same in a process of its own; `most` 0 plays all of them."""
    logging.disable(logging.CRITICAL)
    return list(play(kind, what, most=most or None, seed=seed))
