"""`verify` and dry runs look and change nothing: told from vault and target as an attempt would see them."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from credential_rotation.attempt.inspection import BETWEEN_LOOKS, LOOKS, foresee, verify
from credential_rotation.attempt.turn import Parties
from credential_rotation.model import Answer, Probe, Secret
from credential_rotation.outcome import Outcome
from credential_rotation.policy import Request
from simulators.scene import SETTLE, Scene, SimConsumers, rotated_scene
from simulators.target import SimTarget

EFFECTS = ("create record", "write CURRENT", "delete", "lock", "apply", "reserve")


class WithEndpoints(SimTarget):
    """A target with further endpoints, whose answers the test sets."""

    def __init__(self, target: SimTarget, answers: tuple[Probe, ...]) -> None:
        self.__dict__.update(target.__dict__)
        self.answers = answers

    def endpoints(self, secret: Secret) -> tuple[Probe, ...]:
        assert self.accepts(secret), "endpoints are asked about a value that the primary takes"
        return self.answers


def verified(scene: Scene, *, endpoints: tuple[Probe, ...] = ()) -> Outcome:
    rotator = WithEndpoints(scene.target, endpoints)
    parties = Parties(scene.vault, rotator, scene.consumers)
    return only_looked(scene, verify(scene.credential, parties, clock=scene.world.clock))


def foreseen(scene: Scene, *, now: bool = True, force: bool = False) -> Outcome:
    request = Request(
        at=scene.world.now, by="kim", now=now, force=force, reason="a laptop was lost" if force else None
    )
    return only_looked(
        scene, foresee(scene.credential, scene.parties, begin=request, clock=scene.world.clock, settle=SETTLE)
    )


def only_looked(scene: Scene, outcome: Outcome) -> Outcome:
    assert not [call for call in scene.world.calls if call.endswith(EFFECTS)]
    return outcome


def changed_by_hand(scene: Scene) -> Scene:
    scene.target.password = "changed-by-hand"
    return scene


def interrupted(scene: Scene, *, at: str) -> Scene:
    """A rotation that was killed right after this call."""
    scene.world.calls.clear()
    scene.rotate_now()
    number = scene.world.calls.index(at) + 1
    scene.world.calls.clear()
    assert scene.is_killed_after(number, scene.rotate_now)
    scene.world.calls.clear()
    return scene


# --- verify ---------------------------------------------------------------------------------------------


def test_ok_means_asked_everywhere() -> None:
    """Primary, endpoints and consumers; each answer is a step."""
    scene = rotated_scene()
    scene.consumers = SimConsumers((Probe(Answer.WORKS, "dag load"),))
    outcome = verified(scene, endpoints=(Probe(Answer.WORKS, "replica:5432"),))
    assert (outcome.outcome, outcome.version, outcome.new_value) == ("ok", 1, Answer.WORKS)
    assert [step.name for step in outcome.steps] == [
        "asked db.example:5432",
        "asked replica:5432",
        "asked dag load",
        "ok",
    ]
    assert outcome.consumers == (("dag load", Answer.WORKS, ""),)


@pytest.mark.parametrize("answer", [Answer.REFUSED, Answer.UNKNOWN])
@pytest.mark.parametrize("who", ["endpoint", "consumer"])
def test_one_no_is_broken_and_not_knowing_is_unproved(answer: Answer, who: str) -> None:
    """Neither is ok, and the place is named with its reason."""
    probe = Probe(answer, "somewhere:5432", "it said so")
    scene = rotated_scene()
    if who == "consumer":
        scene.consumers = SimConsumers((probe,))
    outcome = verified(scene, endpoints=(probe,) if who == "endpoint" else ())
    assert outcome.outcome == ("broken" if answer is Answer.REFUSED else "unproved")
    assert outcome.reason == f"somewhere:5432: {answer.value}, it said so"
    assert outcome.next_step
    assert not outcome.is_done


def test_a_refusal_beats_not_knowing() -> None:
    """Both are told, the outcome is broken."""
    probes = (Probe(Answer.UNKNOWN, "a", "silent"), Probe(Answer.REFUSED, "b", "no"))
    outcome = verified(rotated_scene(), endpoints=probes)
    assert (outcome.outcome, outcome.reason) == ("broken", "a: unknown, silent; b: refused, no")


def test_a_current_that_is_refused_is_broken_and_nobody_else_is_asked() -> None:
    """One wrong login, none with a value that was replaced."""
    scene = changed_by_hand(rotated_scene())
    outcome = verified(scene, endpoints=(Probe(Answer.WORKS, "replica"),))
    assert (outcome.outcome, outcome.old_value) == ("broken", Answer.REFUSED)
    assert "refuses CURRENT" in outcome.reason
    assert scene.target.wrong_logins[-1:] == [scene.current]
    assert scene.world.calls.count("target: probe") == 1


def test_a_target_that_is_down_is_failed_never_broken() -> None:
    """Nothing follows from not knowing."""
    scene = rotated_scene()
    scene.target.down = True
    outcome = verified(scene)
    assert (outcome.outcome, outcome.new_value) == ("failed", None)
    assert "connection refused" in outcome.reason


def test_a_vault_that_is_down_is_failed() -> None:
    """And the target is not asked."""
    scene = rotated_scene()
    scene.vault.down = True
    assert verified(scene).outcome == "failed"
    assert scene.world.calls == []


def test_nothing_stored_is_no_mistake_but_records_without_current_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first was never rotated; of the second, CURRENT was deleted."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    assert verified(Scene(stored=False)).outcome == "unchanged"
    scene = rotated_scene()
    scene.vault.current = None
    outcome = verified(scene)
    assert (outcome.outcome, outcome.reason) == ("broken", "CURRENT is missing, and records of it are there")


def test_nothing_is_broken_only_because_it_is_being_rotated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between apply and promote the one password is not CURRENT's: a moment later it is."""
    scene = interrupted(rotated_scene(), at="target: apply")
    finished: list[Outcome] = []

    def goes_on(_: float) -> None:
        finished.append(scene.run())

    monkeypatch.setattr(time, "sleep", goes_on)
    outcome = verify(scene.credential, scene.parties, clock=scene.world.clock)
    assert [one.outcome for one in finished] == ["recovered"], "looked again once"
    assert (outcome.outcome, outcome.version) == ("ok", 3)


def test_a_rotation_that_stopped_between_apply_and_promote_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads CURRENT is locked out until the next attempt; no second wrong login is made of it."""
    scene = interrupted(rotated_scene(), at="target: apply")
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    outcome = verified(scene)
    assert (outcome.outcome, "refuses CURRENT" in outcome.reason) == ("broken", True)
    assert slept == [BETWEEN_LOOKS] * (LOOKS - 1)
    assert scene.world.calls.count("target: probe") == 1


# --- a dry run ------------------------------------------------------------------------------------------


def test_a_dry_run_foresees_a_new_version() -> None:
    """With the reason that the policy gives."""
    outcome = foreseen(rotated_scene())
    assert (outcome.outcome, outcome.version) == ("planned", 1)
    assert outcome.reason == "a new version would be made: asked for by kim"


def test_a_dry_run_of_what_is_not_due_foresees_nothing() -> None:
    """CURRENT is asked about all the same."""
    scene = rotated_scene()
    outcome = foreseen(scene, now=False)
    assert outcome.outcome == "unchanged"
    assert outcome.reason.startswith("due ")
    assert scene.world.calls.count("target: probe") == 1


def test_a_dry_run_foresees_that_a_person_s_value_is_adopted_first() -> None:
    """It works and has no record."""
    assert "would be given one" in foreseen(Scene()).reason


@pytest.mark.parametrize("now", [False, True], ids=["by schedule", "asked for"])
@pytest.mark.parametrize("pause", [False, True], ids=["rotates", "paused"])
@pytest.mark.parametrize("kind", ["one role", "a pair", "keys"])
def test_the_first_dry_run_says_whether_a_new_version_follows(kind: str, *, pause: bool, now: bool) -> None:
    """The run that takes a person's value over rotates it right away, where the policy lets it."""
    scene = Scene(pair=kind == "a pair", keys=kind == "keys")
    scene.credential = replace(scene.credential, policy=replace(scene.credential.policy, pause=pause))
    told = foreseen(scene, now=now)
    done = scene.run(Request(scene.world.now, "kim", now=now))
    assert ("then a new version would be made" in told.reason) == (done.outcome == "rotated")
    assert (done.outcome == "rotated") == (not pause)


def test_a_dry_run_foresees_that_an_interrupted_version_is_finished() -> None:
    """That comes before anything new."""
    outcome = foreseen(interrupted(rotated_scene(), at="vault: create record"))
    assert outcome.reason == "version 3 was begun and would be finished"


def test_a_dry_run_foresees_that_another_record_takes_the_place_of_a_refused_current() -> None:
    """An older record is there to try."""
    scene = interrupted(rotated_scene(), at="vault: write CURRENT")
    changed_by_hand(scene)
    assert "the newest record that logs in would take its place" in foreseen(scene).reason


@pytest.mark.parametrize("changes_itself", [False, True])
def test_a_dry_run_says_so_where_no_stored_value_works(*, changes_itself: bool) -> None:
    """The attempt would fail, and so does the dry run: same words, same remedy."""
    scene = changed_by_hand(rotated_scene(changes_itself=changes_itself))
    foretold = foreseen(scene)
    assert foretold.outcome == "failed"
    assert foretold.reason == scene.rotate_now().reason


def test_a_forced_dry_run_foresees_what_the_admin_would_do() -> None:
    """Only where there is an admin."""
    assert foreseen(changed_by_hand(rotated_scene()), force=True).outcome == "planned"
    itself = changed_by_hand(rotated_scene(changes_itself=True))
    assert foreseen(itself, force=True).outcome == "failed"


def test_a_dry_run_says_so_where_a_role_that_changes_itself_has_nothing_to_start_from() -> None:
    """With an admin the same is a first version."""
    itself = foreseen(Scene(changes_itself=True, stored=False))
    assert (itself.outcome, "nothing is stored yet" in itself.reason) == ("failed", True)
    assert foreseen(Scene(stored=False)).outcome == "planned"


def test_a_dry_run_of_a_target_that_is_down_is_failed() -> None:
    """It asks, and nobody answers."""
    scene = rotated_scene()
    scene.target.down = True
    assert foreseen(scene).outcome == "failed"
