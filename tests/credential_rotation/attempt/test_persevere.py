"""An outage is ended at once, what has to wait is waited for, and nothing else is ever tried again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from credential_rotation.attempt.persevere import BUSY_AGAIN, MOST_SLEEP, WAITS, persevere, wait_out
from credential_rotation.errors import VaultTrouble, VaultUnknown
from credential_rotation.model import Answer
from credential_rotation.outcome import Outcome
from credential_rotation.policy import Request
from sandbox.bitwarden.faults import Fault
from scenes.site.deployment import Site
from simulators.found import PAIR
from simulators.scene import SETTLE, Scene, rotated_scene
from simulators.world import Fault as Lost

pytest_plugins = ["scenes.site.fixtures"]

MODES = pytest.mark.parametrize("changes_itself", [False, True], ids=["admin", "itself"])


class Sleeper:
    """Takes the place of `time.sleep`: the scene's time goes by instead of ours."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.scene: Scene | None = None

    def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self.scene is not None:
            self.scene.world.pass_time(timedelta(seconds=seconds))


@pytest.fixture
def sleeper(monkeypatch: pytest.MonkeyPatch) -> Sleeper:
    made = Sleeper()
    monkeypatch.setattr(time, "sleep", made)
    return made


def outcomes(*words: str, **fields: Any) -> Iterator[Outcome]:  # noqa: ANN401 - the fields of Outcome
    """Attempts that end so, one after the other."""
    scene = Scene()
    for word in words:
        yield replace(scene.run(), outcome=word, **fields)


def rotate(scene: Scene, heard: list[str]) -> Outcome:
    """What the button does: one request, run until it is no longer urgent."""
    asked = scene.world.now
    return persevere(lambda: scene.rotate_now(asked), note=lambda one: heard.append(one.outcome))


# --- an outage -----------------------------------------------------------------------------------------


@MODES
@pytest.mark.parametrize("tries", [1, 2, 3])
def test_an_outage_between_apply_and_promote_is_ended_at_once(
    sleeper: Sleeper, *, changes_itself: bool, tries: int
) -> None:
    """Applied, and Bitwarden takes no write: run again after 2, 8 and 20 seconds, until it does."""
    scene = rotated_scene(changes_itself=changes_itself)
    sleeper.scene = scene
    left = iter([True] * tries)
    promote = scene.vault.promote

    def refusing(*arguments: Any, **named: Any) -> str:  # noqa: ANN401 - promote's own
        if next(left, False):
            raise VaultTrouble("Bitwarden cannot be reached", next_step="Try again.")
        return promote(*arguments, **named)

    scene.vault.promote = refusing  # type: ignore[method-assign]  # Bitwarden goes down after the apply
    heard: list[str] = []

    outcome = rotate(scene, heard)

    assert outcome.outcome == "recovered"
    assert heard == ["failed"] * tries
    assert sleeper.slept == list(WAITS[:tries]) == [2.0, 8.0, 20.0][:tries]
    assert scene.readers_can_log_in
    assert scene.target.applied == [1, 2], "the same version is promoted, not applied again"


def test_an_outage_that_lasts_ends_the_run_after_four_attempts(sleeper: Sleeper) -> None:
    """Half a minute, then a person is told that only the new value works."""
    scene = rotated_scene()

    def refusing(*_: Any, **__: Any) -> str:  # noqa: ANN401 - promote's own
        raise VaultTrouble("Bitwarden cannot be reached", next_step="Try again.")

    scene.vault.promote = refusing  # type: ignore[method-assign]  # for good
    heard: list[str] = []

    outcome = rotate(scene, heard)

    assert (outcome.outcome, outcome.is_urgent) == ("failed", True)
    assert (outcome.old_value, outcome.new_value) == (Answer.REFUSED, Answer.WORKS)
    assert sleeper.slept == [2.0, 8.0, 20.0]
    assert heard == ["failed"] * 3, "the last one is the outcome itself"
    assert scene.epochs == [2, 1]
    assert scene.somebody_can_log_in


def test_where_the_value_from_before_works_too_nobody_is_locked_out(sleeper: Sleeper) -> None:
    """A pair: both log in, the next run promotes it, and nobody is told of an outage."""
    scene = PAIR.at_rest()
    sleeper.scene = scene

    def refusing(*_: Any, **__: Any) -> str:  # noqa: ANN401 - promote's own
        raise VaultTrouble("Bitwarden cannot be reached", next_step="Try again.")

    scene.vault.promote = refusing  # type: ignore[method-assign]  # for good

    outcome = rotate(scene, [])

    assert (outcome.outcome, outcome.is_urgent, sleeper.slept) == ("failed", False, [])
    assert (outcome.old_value, outcome.new_value) == (Answer.WORKS, Answer.WORKS)
    assert outcome.reason.endswith("Bitwarden cannot be reached")
    assert outcome.next_step == "Try again."


@MODES
@pytest.mark.parametrize("ends", [True, False], ids=["ends", "lasts"])
def test_an_outage_is_not_forgotten_where_the_next_attempt_cannot_even_look(
    sleeper: Sleeper, *, changes_itself: bool, ends: bool
) -> None:
    """Bitwarden is gone after the apply: it is tried as often, and told that readers are locked out."""
    scene = rotated_scene(changes_itself=changes_itself)

    def refusing(*_: Any, **__: Any) -> str:  # noqa: ANN401 - promote's own
        scene.vault.down = True
        raise VaultTrouble("Bitwarden cannot be reached", next_step="Try again.")

    promote, scene.vault.promote = scene.vault.promote, refusing  # type: ignore[method-assign]  # it goes down

    def note(_: Outcome) -> None:
        if ends and len(sleeper.slept) == 2:
            scene.vault.down, scene.vault.promote = False, promote  # type: ignore[method-assign]  # and comes back

    asked = scene.world.now
    outcome = persevere(lambda: scene.rotate_now(asked), note=note)

    if ends:
        assert (outcome.outcome, outcome.version) == ("recovered", 2)
        assert scene.readers_can_log_in
    else:
        assert (outcome.outcome, outcome.is_urgent) == ("failed", True)
        assert (outcome.old_value, outcome.new_value) == (Answer.REFUSED, Answer.WORKS)
        assert "CURRENT still holds the old value" in outcome.reason
        assert outcome.steps[-1].name == "failed"
    assert sleeper.slept == [2.0, 8.0, 20.0]


@MODES
@pytest.mark.parametrize("call", ["target: apply", "vault: write CURRENT"])
@pytest.mark.parametrize("kind", ["answer lost", "late"])
def test_a_lost_answer_is_looked_into_at_once(
    sleeper: Sleeper, call: str, kind: str, *, changes_itself: bool
) -> None:
    """It may mean an outage: what happened shows when it is asked again, and one version is enough."""
    counted = rotated_scene(changes_itself=changes_itself)
    counted.rotate_now()
    at = counted.world.calls.index(call) + 1
    scene = rotated_scene(changes_itself=changes_itself)
    sleeper.scene = scene
    scene.world.fault = Lost(at, kind, lands=1)

    outcome = rotate(scene, [])

    assert outcome.outcome in ("rotated", "recovered")
    assert outcome.version == 2
    assert scene.readers_can_log_in
    assert max(scene.epochs) == 2
    assert sleeper.slept in ([], [2.0])


def test_a_value_that_an_earlier_attempt_of_the_run_promoted_is_told_as_new(sleeper: Sleeper) -> None:
    """Its read-back met trouble, and the next attempt found all in order."""
    scene = rotated_scene()
    read_back, left = scene.vault.read_back, iter([True])

    def failing(current_id: str) -> Any:  # noqa: ANN401 - read_back's own
        if next(left, False):
            raise VaultUnknown("no answer", next_step="Try again.")
        return read_back(current_id)

    scene.vault.read_back = failing  # type: ignore[method-assign]  # Bitwarden is silent for one read

    outcome = rotate(scene, [])

    assert (outcome.outcome, outcome.version) == ("recovered", 2)
    assert outcome.reason.startswith("version 2 is CURRENT and works")
    assert sleeper.slept == [2.0]
    assert scene.epochs == [2]


def test_with_real_parts_an_outage_of_seconds_is_ended_by_the_same_run(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL took the change, Bitwarden answers 503 to the update: seconds later CURRENT is right."""
    assert site.run("rotate", "etl").code == 0
    old = site.password()
    site.bitwarden.fault(Fault("answer", verb="PUT", path="*/secrets/*", status=503, times=1))
    deployment = site.deployment()
    begin = Request(at=deployment.clock(), by="kim", now=True)
    sleeper = Sleeper()
    monkeypatch.setattr(time, "sleep", sleeper)

    outcome = deployment.rotate(deployment.entry("etl"), begin)

    site.bitwarden.clear_faults()
    assert outcome.outcome in ("rotated", "recovered")
    assert [seconds for seconds in sleeper.slept if seconds >= 1] == [2.0]
    assert outcome.version == 2
    assert site.logs_in("etl", site.password())
    assert not site.logs_in("etl", old)


# --- what is not tried again ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble", ["the target is down", "the vault is down", "the change is refused", "nothing stored works"]
)
def test_what_is_no_outage_is_left_to_the_next_tick(sleeper: Sleeper, trouble: str) -> None:
    """Asking again at once would only hammer; one attempt, no wait."""
    scene = rotated_scene()
    scene.target.down = trouble == "the target is down"
    scene.vault.down = trouble == "the vault is down"
    scene.target.refuses_changes = trouble == "the change is refused"
    if trouble == "nothing stored works":
        scene.target.password = "changed-by-hand"
    heard: list[str] = []
    assert rotate(scene, heard).outcome == "failed"
    assert (heard, sleeper.slept) == ([], [])


def test_success_is_not_tried_again(sleeper: Sleeper) -> None:
    """Nor is what only waits."""
    scene = rotated_scene()
    assert rotate(scene, []).outcome == "rotated"
    given = outcomes("waiting", "rotated")
    assert persevere(lambda: next(given), note=lambda _: None).outcome == "waiting"
    assert sleeper.slept == []


def test_a_crash_is_not_held_up(sleeper: Sleeper) -> None:
    """What is no outcome escapes at once."""

    def crash() -> Outcome:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        persevere(crash, note=lambda _: None)
    assert sleeper.slept == []


# --- waiting it out ------------------------------------------------------------------------------------


def test_what_was_asked_for_now_is_waited_for(sleeper: Sleeper) -> None:
    """Behind an attempt that was not seen to end: until its writes cannot land, then rotated."""
    scene = rotated_scene()
    sleeper.scene = scene
    scene.target.refuses_changes = True
    scene.rotate_now()
    scene.target.refuses_changes = False
    assert scene.run().outcome == "recovered"
    asked, heard = scene.world.now, list[str]()

    outcome = wait_out(
        lambda: scene.rotate_now(asked),
        clock=scene.world.clock,
        patience=timedelta(hours=1),
        note=lambda one: heard.append(one.outcome),
    )

    assert outcome.outcome == "rotated"
    assert set(heard) == {"waiting"}
    assert len(heard) == len(sleeper.slept)
    assert max(sleeper.slept) == MOST_SLEEP, "so that the log shows life"
    assert (
        SETTLE - timedelta(seconds=1)
        <= timedelta(seconds=sum(sleeper.slept))
        <= SETTLE + timedelta(seconds=5)
    )


def test_busy_is_looked_at_again_every_ten_seconds(sleeper: Sleeper) -> None:
    """Another attempt holds the lock and says no time."""
    given = outcomes("busy", "busy", "unchanged")
    outcome = wait_out(
        lambda: next(given), clock=Scene().world.clock, patience=timedelta(hours=1), note=lambda _: None
    )
    assert outcome.outcome == "unchanged"
    assert sleeper.slept == [BUSY_AGAIN, BUSY_AGAIN] == [10.0, 10.0]


def test_a_moment_that_has_passed_is_waited_for_a_second(sleeper: Sleeper) -> None:
    """No busy loop where two clocks differ."""
    scene = Scene()
    given = outcomes("waiting", "rotated", until=scene.world.now - timedelta(hours=1))
    wait_out(lambda: next(given), clock=scene.world.clock, patience=timedelta(hours=1), note=lambda _: None)
    assert sleeper.slept == [1.0]


def test_without_patience_the_first_outcome_is_the_last(sleeper: Sleeper) -> None:
    """It says what it waits for."""
    given = outcomes("waiting", "rotated")
    outcome = wait_out(
        lambda: next(given), clock=Scene().world.clock, patience=timedelta(0), note=lambda _: None
    )
    assert outcome.outcome == "waiting"
    assert sleeper.slept == []


@pytest.mark.parametrize("word", ["failed", "refused", "unproved", "rotated", "unchanged"])
def test_only_what_heals_by_itself_is_waited_for(sleeper: Sleeper, word: str) -> None:
    """A failure is told at once."""
    given = outcomes(word, "rotated")
    outcome = wait_out(
        lambda: next(given), clock=Scene().world.clock, patience=timedelta(hours=1), note=lambda _: None
    )
    assert outcome.outcome == word
    assert sleeper.slept == []
