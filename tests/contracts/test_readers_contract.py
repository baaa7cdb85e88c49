"""What whoever knows readers promises to the attempt: the simulated and the published ones alike."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from scenes.readers.sides import PublishedSide, SimulatedSide, current

Side = SimulatedSide | PublishedSide


@pytest.fixture(params=["simulated", "published"])
def side(request: pytest.FixtureRequest, tmp_path: Path) -> Side:
    return SimulatedSide() if request.param == "simulated" else PublishedSide(tmp_path)


def test_nobody_is_known_at_first(side: Side) -> None:
    """No document of anybody is an answer, not a trouble."""
    found = side.readers.of(current("one"))
    assert (found.living, found.forgotten, found.unseen, found.unknown) == ((), (), (), "")


def test_those_who_live_are_told_with_their_version(side: Side) -> None:
    """And only those of the secret that was asked about."""
    side.begin("one", 3)
    side.begin("one", 4)
    side.begin("other", 7)
    assert sorted(one.version for one in side.readers.of(current("one")).living) == [3, 4]


def test_who_has_ended_is_told_no_more(side: Side) -> None:
    gone, stays = side.begin("one", 3), side.begin("one", 3)
    side.end(gone)
    assert side.readers.of(current("one")).living == (stays,)


def test_who_was_not_heard_of_for_a_day_is_forgotten_aloud(side: Side) -> None:
    """Until then it counts, whatever has become of its host."""
    side.begin("one", 3)
    side.world.pass_time(timedelta(hours=23))
    assert len(side.readers.of(current("one")).living) == 1
    side.world.pass_time(timedelta(hours=2))
    found = side.readers.of(current("one"))
    assert (found.living, len(found.forgotten)) == ((), 1)


def test_who_asks_for_others_is_told_apart(side: Side) -> None:
    """An api-server keeps nothing itself, and does not tell for which task it asked."""
    side.begin_for_others("one", 3)
    found = side.readers.of(current("one"))
    assert (found.living, [one.version for one in found.unseen]) == ((), [3])


def test_what_cannot_be_asked_is_unknown_and_no_error(side: Side) -> None:
    side.begin("one", 3)
    side.break_it()
    assert side.readers.of(current("one")).unknown
