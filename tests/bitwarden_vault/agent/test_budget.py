"""Counting against the server's windows, without a clock."""

import pytest

from bitwarden_vault.agent.budget import MINUTE, RESERVED_FOR, SECOND, Budget
from bitwarden_vault.operations import places_of, window_of

ORGANIZATION = "5f5b5c6e-2f4c-4a0c-8f43-0d1dcf6ad8f1"
CREATE = window_of("create_secret", ORGANIZATION)
GET = window_of("get_secret", ORGANIZATION, "a")


def _sent(count: int, now: float = 0.0) -> Budget:
    budget = Budget(on=True)
    for _ in range(count):
        budget.take(CREATE, now)
    return budget


def test_nothing_is_held_back_where_there_is_no_limiter() -> None:
    """A self-hosted server has none; one 429 shows that this one does."""
    budget = Budget()
    for _ in range(1000):
        budget.take(CREATE, 0.0)
    assert budget.wait(CREATE, 0.0) == 0.0
    budget.slow_down(CREATE, until=7.0)
    assert budget.wait(CREATE, 0.0) == MINUTE
    assert budget.wait(GET, 0.0) == 0.0


def test_five_writes_a_second_and_sixty_a_sent() -> None:
    """The window slides: the first place is free when its request is that old."""
    assert _sent(4).wait(CREATE, 0.0) == 0.0
    assert _sent(59).wait(CREATE, 20.0) == 0.0
    assert _sent(60).wait(CREATE, 20.0) == MINUTE - 20.0
    assert _sent(5).wait(CREATE, 0.25) == SECOND - 0.25
    budget = Budget(on=True)
    for second in range(12):
        for _ in range(5):
            budget.take(CREATE, float(second))
    assert budget.wait(CREATE, 12.5) == MINUTE - 12.5
    assert budget.wait(CREATE, MINUTE) == 0.0


def test_paths_are_counted_apart() -> None:
    """One secret's updates do not hold back another's, nor reads writes."""
    budget = Budget(on=True)
    for _ in range(5):
        budget.take(window_of("update_secret", ORGANIZATION, "a"), 0.0)
    assert budget.wait(window_of("update_secret", ORGANIZATION, "a"), 0.0) == SECOND
    assert budget.wait(window_of("update_secret", ORGANIZATION, "b"), 0.0) == 0.0
    assert budget.wait(GET, 0.0) == 0.0


def test_a_promise_is_kept_for_whom_it_was_made() -> None:
    """Others see its places in the minute as taken, until they are used."""
    budget = _sent(57)
    assert budget.reserve("mine", {CREATE: 3}, 20.0) == 0.0
    assert budget.wait(CREATE, 20.0) == MINUTE - 20.0
    for _ in range(3):
        assert budget.wait(CREATE, 20.0, reservation="mine") == 0.0
        budget.take(CREATE, 20.0, reservation="mine")
    assert budget.wait(CREATE, 20.0, reservation="mine") == MINUTE - 20.0


def test_a_promise_only_spaces_requests_within_a_second() -> None:
    """Five promises of the dead would otherwise hold back everybody for minutes."""
    budget = _sent(4)
    for name in "abcdefgh":
        assert budget.reserve(name, {CREATE: 1}, 0.0) == 0.0
    assert budget.wait(CREATE, 0.0) == 0.0
    budget.take(CREATE, 0.0)
    assert budget.wait(CREATE, 0.0, reservation="a") == SECOND


def test_a_promise_is_for_all_places_or_none() -> None:
    """What does not fit takes nothing."""
    budget = _sent(59)
    assert budget.reserve("mine", {CREATE: 2, GET: 1}, 20.0) == MINUTE - 20.0
    assert budget.wait(CREATE, 20.0) == 0.0


def test_a_promise_ends() -> None:
    """By its time, by a new one of the same name, or by one of nothing."""
    full = {CREATE: 60}
    budget = Budget(on=True)
    budget.reserve("mine", full, 0.0)
    assert budget.wait(CREATE, 1.0) > 0.0
    assert budget.wait(CREATE, RESERVED_FOR) == 0.0
    assert budget.reserve("mine", full, 400.0) == budget.reserve("mine", full, 400.0) == 0.0
    assert budget.reserve("yours", full, 400.0) > 0.0
    budget.reserve("mine", {}, 400.0)
    assert budget.reserve("yours", full, 400.0) == 0.0


def test_a_window_that_the_server_closed_is_closed_for_all() -> None:
    """Also for a promise, and no new one is made in it."""
    budget = Budget(on=True)
    budget.reserve("mine", {CREATE: 1}, 0.0)
    budget.slow_down(CREATE, until=30.0)
    assert budget.wait(CREATE, 10.0, reservation="mine") == 20.0
    assert budget.reserve("yours", {CREATE: 1}, 10.0) == 20.0
    assert budget.wait(CREATE, 30.0, reservation="mine") == 0.0


def test_the_places_of_an_attempt() -> None:
    """One window for all creates, one per secret for updates and reads."""
    places = places_of(ORGANIZATION, {"creates": 2, "updates": ["a", "b"], "reads": ["a", "a"]})
    assert places == {
        CREATE: 2,
        window_of("update_secret", ORGANIZATION, "a"): 1,
        window_of("update_secret", ORGANIZATION, "b"): 1,
        GET: 2,
    }
    assert places_of(ORGANIZATION, {"creates": 0, "updates": [], "reads": []}) == {}


@pytest.mark.parametrize("count", [61, 200])
def test_more_than_a_window_holds_never_fits(count: int) -> None:
    """It is a wait, not a crash; whoever asked runs out of patience."""
    assert Budget(on=True).reserve("mine", {CREATE: count}, 0.0) > 0.0


def test_what_is_over_is_forgotten() -> None:
    """An agent lives for weeks, and a secret's path is a window of its own."""
    budget = Budget()
    for number in range(1000):
        budget.take(window_of("get_secret", ORGANIZATION, str(number)), float(number))
    assert len(budget._sent) <= 61
