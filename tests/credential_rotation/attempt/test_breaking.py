"""What compromise mode will break is told before it does, by looking alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from credential_rotation.attempt.inspection import foresee
from credential_rotation.attempt.turn import Parties
from credential_rotation.errors import TargetUnknown
from credential_rotation.model import Consumer, Secret
from credential_rotation.outcome import Outcome
from credential_rotation.policy import Request
from credential_rotation.readership import Reader
from simulators.scene import BY_HAND, SETTLE, Scene, rotated_scene

EFFECTS = ("create record", "write CURRENT", "delete", "lock", "apply", "reserve")
TASK = "dag nightly task load (run r) on worker-1"
SCENES = {"one role": {}, "a pair": {"pair": True}, "keys": {"keys": True}}


@pytest.fixture(params=SCENES)
def scene(request: pytest.FixtureRequest) -> Scene:
    return rotated_scene(**SCENES[request.param])


def foreseen(scene: Scene, *, revoke: bool = True) -> Outcome:
    now = scene.world.now
    request = Request(now, "kim", now=True, force=True, revoke=revoke, reason="seen in a chat")
    rotator = scene.account if scene.keys else scene.target
    parties = Parties(scene.vault, rotator, scene.consumers, scene.readers)
    before = [scene.current, scene.epochs]
    outcome = foresee(scene.credential, parties, begin=request, clock=scene.world.clock, settle=SETTLE)
    assert not [call for call in scene.world.calls if call.endswith(EFFECTS)]
    assert [scene.current, scene.epochs] == before
    return outcome


def steps(outcome: Outcome) -> dict[str, str]:
    return {step.name: step.detail for step in outcome.steps}


def test_it_names_who_would_be_refused_and_what_would_die(scene: Scene) -> None:
    """And the reason, which is all that some people see, says the same."""
    assert scene.vault.current is not None
    scene.readers.begin(scene.vault.current.id, 1, TASK)
    scene.credential = replace(scene.credential, consumers=(Consumer("dag", "nightly"),))
    outcome = foreseen(scene)
    assert outcome.outcome == "planned"
    told = steps(outcome)
    assert told["would end"].startswith("version 1, at once")
    assert told["would refuse"] == f"1 known to read it: {TASK}"
    assert told["would ask anew"].endswith("dag nightly")
    for said in (TASK, "version 1, at once", "dag nightly", "seen in a chat"):
        assert said in outcome.reason


def test_h3_who_takes_values_by_hand_is_named_as_refused_until_a_person_acts(scene: Scene) -> None:
    """Nobody can ask them anew: somebody has to bring them the value."""
    people = (Consumer("dag", "nightly"), Consumer("manual", "Looker", "bi"))
    scene.credential = replace(scene.credential, consumers=people)
    outcome = foreseen(scene)
    told = steps(outcome)
    assert told["would break"] == "Looker (bi), until a person gives it the new value by hand"
    assert told["would ask anew"].endswith(": dag nightly")
    assert "would break Looker (bi)" in outcome.reason


def test_what_is_in_grace_dies_too() -> None:
    """What was replaced an hour ago may be what was seen."""
    scene = rotated_scene(pair=True)
    scene.rotate_now()
    scene.world.calls.clear()
    assert steps(foreseen(scene))["would end"].startswith("version 2, version 1, at once")


def test_beside_a_person_s_value_all_that_is_on_record_dies() -> None:
    """It has no record yet; what it took the place of may be what was seen."""
    scene = rotated_scene(pair=True)
    scene.rotate_now()
    current = scene.current
    assert current is not None
    scene.target.passwords[current.principal] = BY_HAND.password
    scene.vault.put_current(replace(current, password=BY_HAND.password))
    scene.world.calls.clear()
    assert steps(foreseen(scene))["would end"].startswith("CURRENT, version 2, version 1, at once")
    scene.revoke()
    assert scene.epochs == [4]


def test_not_to_know_who_reads_it_is_said(scene: Scene) -> None:
    """And "none known" is not "none"."""
    assert "; readers: none known" in foreseen(scene).reason
    scene.readers.unknown = "the folder cannot be read"
    assert "others may be refused" in steps(foreseen(scene))["readers unknown"]


def test_whoever_asked_for_others_is_named_with_that(scene: Scene) -> None:
    """An api-server reads for tasks that nobody can name."""
    assert scene.vault.current is not None
    scene.readers.unseen[scene.vault.current.id] = [Reader(1, "server process 7 on api-1")]
    assert "nobody knows for whom" in steps(foreseen(scene))["may refuse"]


def test_no_record_is_said_to_take_the_place_of_a_refused_current() -> None:
    """As it is done: never back to a value from before."""
    scene = rotated_scene()
    scene.vault.put_current(BY_HAND)
    assert "no record would take its place" in foreseen(scene).reason
    itself = rotated_scene(changes_itself=True)
    itself.vault.put_current(BY_HAND)
    assert foreseen(itself).outcome == "failed"


def test_an_ordinary_dry_run_tells_nothing_of_it(scene: Scene) -> None:
    """It breaks nobody."""
    assert foreseen(scene, revoke=False).steps == ()


@pytest.mark.parametrize("trouble", [False, True])
def test_open_sessions_are_told_where_the_engine_sees_them(
    monkeypatch: pytest.MonkeyPatch, *, trouble: bool
) -> None:
    """And where it cannot see them, that."""
    scene = rotated_scene()

    def open_sessions(login: Secret | None) -> tuple[str, ...]:  # noqa: ARG001 - the protocol's
        if trouble:
            raise TargetUnknown("db.example: no answer", next_step="")
        return ("role etl has 2 live sessions; they would be ended",)

    monkeypatch.setattr(scene.target, "open_sessions", open_sessions, raising=False)
    told = steps(foreseen(scene))
    name, said = ("sessions unknown", "no answer") if trouble else ("sessions", "2 live sessions")
    assert said in told[name]
