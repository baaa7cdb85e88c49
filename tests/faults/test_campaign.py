"""A drawn part of the fault campaign; `make faults` plays many more (docs/reliability.md)."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

import pytest

from scenes.campaign.accidents import ACCIDENTS
from scenes.campaign.calls import ENGINES_USE
from scenes.campaign.campaign import groups, place, play
from scenes.campaign.passes import PASSES

SEED = int(os.environ.get("FAULTS_SEED", "1"))
ENGINES = Path(__file__).parents[2] / "plugins" / "credential_rotation" / "engines"
PLAIN = frozenset({"bitwarden_vault", "credential_rotation", "dateutil", "typing_extensions"})
DRAWN = {"rotation": 5, "first rotation": 2}


@pytest.mark.parametrize(("kind", "what"), groups())
def test_whatever_goes_wrong_nobody_is_locked_out_and_the_ordinary_run_mends_it(kind: str, what: str) -> None:
    """Some stored value logs in at once; afterwards CURRENT alone does, and the journal is clean."""
    results = list(play(kind, what, most=DRAWN.get(what, 1), seed=SEED))
    assert results
    assert [f"{one.where}: {one.wrong}" for one in results if one.wrong] == []


FOUND_BY = {"no record before apply": ("kill", 1), "drop on apply error": ("lost", 0)}
"""What finds each accident: a fault, and how many calls after the change's COMMIT."""


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_the_campaign_can_fail(accident: str) -> None:
    """A rule that is broken in the product's own code locks somebody out, and that is seen."""
    kind, what, (fault, after) = "postgres in_place, by an admin", "rotation", FOUND_BY[accident]
    with place() as servers:
        points = servers.points(kind, what)
        changed = next(one.at for one in points if one.call == "database COMMIT")
        point = next(one for one in points if one.fault == fault and one.at == changed + after)
        assert servers.play(kind, what, point).wrong == ()
        servers.driver.accident = accident
        assert "LOCKED OUT" in " ".join(servers.play(kind, what, point).wrong)


def test_the_passes_are_those_that_change_something() -> None:
    """What a person or a schedule can run on a credential, other than looking."""
    assert {one.run for one in PASSES.values()} == {"rotate", "repair", "rollback", "adopt", "revoke"}


def test_every_way_in_which_engines_reach_the_world_is_one_that_the_campaign_counts() -> None:
    """An engine with another library is not covered until `calls.py` lets that one go wrong too."""
    used = set()
    for file in ENGINES.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            used |= {name.partition(".")[0] for name in names}
    assert used - set(sys.stdlib_module_names) - PLAIN <= ENGINES_USE
