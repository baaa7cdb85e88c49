"""The agent's memory of values has an end in time and in size."""

import timeit

import pytest

from bitwarden_vault.agent import lookup_cache
from bitwarden_vault.agent.lookup_cache import LookupCache


def _secret(number: int = 1, value: str = "v", note: str = "") -> dict[str, str]:
    return {"id": f"id-{number}", "key": "k", "value": value, "note": note}


def test_the_oldest_go_where_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """By number, and by characters: one reader of everything must not make the agent grow without end."""
    monkeypatch.setattr(lookup_cache, "MOST_VALUES", 3)
    monkeypatch.setattr(lookup_cache, "MOST_CHARACTERS", 100)
    cache = LookupCache(60.0)
    for number in range(5):
        cache.put((str(number), ()), _secret(number), begun_at=0.0)
    assert [cache.get((str(number), ()), 1.0) is not None for number in range(5)] == [
        False,
        False,
        True,
        True,
        True,
    ]
    cache.put(("long", ()), _secret(9, "x" * 99), begun_at=0.0)
    assert [cache.get((name, ()), 1.0) is not None for name in ("3", "4", "long")] == [False, True, True]


def test_what_is_over_is_removed_and_the_next_end_is_told() -> None:
    """The agent's loop wakes up for it."""
    cache = LookupCache(60.0)
    cache.put(("a", ()), _secret(1, note='```bitwarden-vault\n{"cache_seconds": "5"}\n```'), begun_at=100.0)
    cache.put(("b", ()), _secret(2), begun_at=100.0)
    cache.put(("c", ()), _secret(3), begun_at=50.0)
    assert cache.sweep(104.0) == 105.0
    assert (cache.sweep(105.0), len(cache)) == (110.0, 2)
    assert (cache.sweep(110.0), len(cache)) == (160.0, 1)
    assert cache.get(("b", ()), 160.0) is None
    assert (cache.sweep(160.0), len(cache)) == (float("inf"), 0)


@pytest.mark.parametrize("told", ["-5", "five", "", "1e9", "\u0665", "5.5"])
def test_a_life_in_a_note_that_is_no_number_is_not_one(told: str) -> None:
    """A person may have edited it; the configured life is always the longest."""
    cache = LookupCache(60.0)
    cache.put(
        ("a", ()), _secret(note=f'```bitwarden-vault\n{{"cache_seconds": "{told}"}}\n```'), begun_at=0.0
    )
    assert cache.sweep(0.0) == 60.0


@pytest.mark.parametrize(("life", "told"), [(0.0, "60"), (60.0, "0"), (0.0, "")])
def test_what_is_to_be_kept_for_no_time_is_never_kept(life: float, told: str) -> None:
    """Not even until the loop's next turn; and what was known before is over."""
    cache, note = LookupCache(life), f'```bitwarden-vault\n{{"cache_seconds": "{told}"}}\n```'
    cache.put(("a", ()), _secret(), begun_at=0.0)
    cache.put(("a", ()), _secret(note=note), begun_at=0.0)
    assert (len(cache), cache.sweep(60.0)) == (0, float("inf"))


def test_a_changed_secret_is_forgotten_under_all_its_questions() -> None:
    """It may have been asked for in several ways; others are not."""
    cache = LookupCache(60.0)
    for projects in ((), ("p",)):
        cache.put(("k", projects), _secret(), begun_at=0.0)
    cache.put(("other", ()), _secret(2), begun_at=0.0)
    cache.forget("id-1")
    assert (len(cache), cache.get(("other", ()), 1.0) is not None) == (1, True)


def test_the_loops_question_takes_no_longer_where_thousands_are_remembered() -> None:
    """It is asked at every turn, several times for each lookup."""

    def taken(count: int) -> float:
        cache = LookupCache(60.0)
        for number in range(count):
            cache.put((str(number), ()), _secret(number), begun_at=0.0)
        return min(timeit.repeat(lambda: cache.sweep(1.0), number=100, repeat=5))

    assert taken(5_000) < 20 * taken(5)
