"""A drawn part of the fault campaign; `make faults` plays many more (docs/reliability.md)."""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterator

import pytest

from sandbox.places import PLUGINS
from scenes.campaign.accidents import ACCIDENTS
from scenes.campaign.calls import ENGINES_USE
from scenes.campaign.campaign import Place, drawn, groups, place
from scenes.campaign.passes import PASSES

SEED = int(os.environ.get("FAULTS_SEED", "1"))
ENGINES = PLUGINS / "credential_rotation" / "engines"
PLAIN = frozenset({"bitwarden_vault", "credential_rotation", "dateutil", "typing_extensions"})
DRAWN = {"rotation": 5, "first rotation": 2}


@pytest.fixture(scope="module")
def servers() -> Iterator[Place]:
    with place() as running:
        yield running


@pytest.mark.parametrize(("kind", "what"), groups())
def test_whatever_goes_wrong_nobody_is_locked_out_and_the_ordinary_run_mends_it(
    servers: Place, kind: str, what: str
) -> None:
    """Some stored value logs in at once; afterwards CURRENT alone does, and the journal is clean."""
    points = drawn(servers.points(kind, what), DRAWN.get(what, 1), f"{SEED} {kind} {what}")
    played = [servers.play(kind, what, point) for point in points]
    assert [f"{one.where}: {one.wrong}" for one in played if one.wrong] == []


def test_killed_between_any_two_calls_of_a_rotation_nobody_is_locked_out(servers: Place) -> None:
    """All of them, for the strategy in which a mistake locks out at once."""
    kind, what = "postgres in_place, by an admin", "rotation"
    points = [one for one in servers.points(kind, what) if one.fault == "kill"]
    played = [servers.play(kind, what, point) for point in points]
    assert len(played) > 20
    assert [f"{one.where}: {one.wrong}" for one in played if one.wrong] == []


FOUND_BY = {"no record before apply": ("kill", 1), "drop on apply error": ("lost", 0)}
"""What finds each accident: a fault, and how many calls after the change's COMMIT."""


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_the_campaign_can_fail(servers: Place, accident: str) -> None:
    """A rule that is broken in the product's own code locks somebody out, and that is seen."""
    kind, what, (fault, after) = "postgres in_place, by an admin", "rotation", FOUND_BY[accident]
    points = servers.points(kind, what)
    changed = next(one.at for one in points if one.call == "database COMMIT")
    point = next(one for one in points if one.fault == fault and one.at == changed + after)
    assert servers.play(kind, what, point).wrong == ()
    servers.driver.accident = accident
    try:
        assert "LOCKED OUT" in " ".join(servers.play(kind, what, point).wrong)
    finally:
        servers.driver.accident = ""


def test_the_passes_are_those_that_change_something() -> None:
    """What a person or a schedule can run on a credential, other than looking."""
    assert {one.run for one in PASSES.values()} == {"rotate", "repair", "rollback", "adopt", "revoke"}


def test_every_way_in_which_engines_reach_the_world_is_one_that_the_campaign_counts() -> None:
    """An engine with another library is not covered until `calls.py` lets that one go wrong too."""
    used = set()
    for file in ENGINES.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            used |= {name.partition(".")[0] for name in names}
    assert used - set(sys.stdlib_module_names) - PLAIN <= ENGINES_USE
