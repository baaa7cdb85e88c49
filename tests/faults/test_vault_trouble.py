"""Bitwarden answers badly, late or not at all, at each kind of request that a rotation makes."""

from __future__ import annotations

import time
from typing import Any

import pytest

from sandbox.ports import free_ports
from scenes.heart import Heart
from scenes.site.ground import own_agent
from scenes.vault.trouble import (
    CHALLENGE,
    DEADLINE,
    END,
    LOOK,
    PROMOTE,
    RECORD,
    SHORT,
    SLOW_DOWN,
    Moment,
    Struck,
)

pytest_plugins = ["scenes.site.fixtures", "scenes.vault.trouble_fixtures"]

HALF_DONE = "is set at the target, and CURRENT still holds the old value"
PAGE = {"body": CHALLENGE, "content_type": "text/html; charset=utf-8"}
_LOOKS = 2
"""Times that CURRENT is read before it is changed: ahead of the lock, and under it."""
_UNNOTICED: dict[str, dict[str, Any]] = {
    "slow": {"does": "delay", "seconds": 0.3},
    "answered by silence, and done": {"does": "hang_after_commit"},
    "dropped after the commit": {"does": "drop_after_commit"},
}
_ENDS_IT: dict[str, tuple[dict[str, Any], str]] = {
    "hanging": ({"does": "hang"}, "no answer within|not to be seen there"),
    "a 500": ({"does": "answer", "status": 500}, "answers 500|not to be seen there"),
    "garbage": ({"does": "garbage"}, "cut off or is not Bitwarden's"),
    "a firewall's challenge": ({"does": "answer", "status": 403, **PAGE}, "a bot check stands before"),
    "a login page": ({"does": "answer", "status": 200, **PAGE}, "a login page"),
    "dropped before the commit": ({"does": "drop"}, "no connection to|not to be seen there"),
}


@pytest.mark.parametrize("kind", _UNNOTICED)
@pytest.mark.parametrize("moment", [RECORD, PROMOTE], ids=["record", "promote"])
def test_trouble_that_can_be_looked_into_does_not_keep_it_from_its_end(
    struck: Struck, moment: Moment, kind: str
) -> None:
    """Whether a write landed is read, not guessed: one version, and nothing twice."""
    struck.strike(moment, **_UNNOTICED[kind])
    outcome = struck.rotate(**(SHORT if "silence" in kind else {}))
    assert (outcome["outcome"], outcome["version"]) == ("rotated", struck.version + 1)
    struck.in_order()


@pytest.mark.parametrize("kind", _ENDS_IT)
def test_trouble_before_promote_is_told_as_an_outage_of_the_readers(struck: Struck, kind: str) -> None:
    """The target has the new value: said so, with where it is written down; the next run makes it CURRENT."""
    fault, named = _ENDS_IT[kind]
    struck.strike(PROMOTE, **fault)
    outcome = struck.rotate(**SHORT)
    assert (outcome["outcome"], outcome["old_value"], outcome["new_value"]) == ("failed", "refused", "works")
    assert HALF_DONE in outcome["reason"]
    assert any(word in outcome["reason"] for word in named.split("|"))
    assert "retire_credentials" in outcome["next_step"]
    assert struck.heals() == "recovered"


@pytest.mark.parametrize("kind", ["hanging", "a 500", "a firewall's challenge", "dropped before the commit"])
@pytest.mark.parametrize("moment", [LOOK, RECORD], ids=["look", "record"])
def test_trouble_before_the_record_is_there_leaves_the_target_alone(
    struck: Struck, moment: Moment, kind: str
) -> None:
    """Nothing is applied that is not written down; the next run rotates."""
    fault, named = _ENDS_IT[kind]
    before = struck.verifier()
    struck.strike(moment, **fault)
    outcome = struck.rotate(**SHORT)
    assert outcome["outcome"] == "failed"
    assert any(word in outcome["reason"] for word in named.split("|"))
    assert struck.verifier() == before
    assert struck.heals() == "rotated"


def test_trouble_while_reading_back_is_asked_about_once_more(struck: Struck) -> None:
    """CURRENT was written; the second attempt of the run proves it."""
    read = ("GET", f"/api/secrets/{struck.site.current(struck.key).id}")
    struck.strike(read, "hang", skip=_LOOKS, times=1)
    outcome = struck.rotate(**SHORT)
    assert (outcome["outcome"], outcome["version"]) == ("recovered", struck.version + 1)
    struck.in_order()


def test_a_record_that_cannot_be_deleted_is_named_and_deleted_later(struck: Struck) -> None:
    """The rotation itself went well, and is not green."""
    struck.strike(END, "hang")
    outcome = struck.rotate(**SHORT)
    assert outcome["outcome"] == "unproved"
    assert "record could not be deleted" in outcome["reason"]
    assert struck.heals() == "rotated"


def test_a_silent_bitwarden_costs_one_deadline(struck: Struck) -> None:
    """Of a run that only looked, and nobody asks again; meanwhile the process goes on."""
    struck.strike(("*", "/api/*"), "hang")
    begun = time.monotonic()
    with Heart() as heart:
        assert "no answer within" in struck.rotate(**SHORT)["reason"]
    assert heart.longest < DEADLINE
    assert DEADLINE <= time.monotonic() - begun < DEADLINE + 2.0
    assert struck.heals() == "rotated"


def test_a_bitwarden_that_is_down(struck: Struck) -> None:
    """Nobody listens: the address is named."""
    [closed] = free_ports(1)
    nowhere = {f"BWS_{one}_URL": f"https://localhost:{closed}/{one.lower()}" for one in ("API", "IDENTITY")}
    before = struck.verifier()
    with own_agent(struck.site.ground, struck.site.ground.token, **nowhere, **SHORT) as environ:
        outcome = struck.rotate(**environ)
    assert f"no connection to https://localhost:{closed}/identity" in outcome["reason"]
    assert "The next run tries again" in outcome["next_step"]
    assert struck.verifier() == before
    assert struck.heals() == "rotated"


@pytest.mark.parametrize(
    ("moment", "ends"), [(LOOK, "rotated"), (PROMOTE, "recovered")], ids=["look", "promote"]
)
def test_too_many_requests_for_longer_than_anybody_waits(struck: Struck, moment: Moment, ends: str) -> None:
    """A minute, the cloud's longest, where a second's patience is left."""
    struck.strike(moment, "answer", status=429, body=SLOW_DOWN.format("1m"))
    outcome = struck.rotate(**SHORT)
    assert outcome["outcome"] == "failed"
    assert "too many requests" in outcome["reason"] or "rate limits" in outcome["reason"]
    struck.forget()
    assert struck.heals() == ends


def test_too_many_requests_are_waited_out_between_apply_and_promote(struck: Struck) -> None:
    """A second, the cloud's other limit: late is better than half done."""
    struck.strike(PROMOTE, "answer", status=429, body=SLOW_DOWN.format("1s"), times=1)
    begun = time.monotonic()
    assert struck.rotate()["outcome"] == "rotated"
    assert time.monotonic() - begun > 1.0
    struck.forget()
    struck.in_order()
