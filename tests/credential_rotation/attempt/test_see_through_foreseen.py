"""A dry run of an ordinary rotation behind a revocation that was cut off: it would be seen through."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from credential_rotation.attempt.inspection import foresee
from credential_rotation.model import Consumer, Secret
from credential_rotation.outcome import Outcome
from credential_rotation.policy import Request
from simulators.scene import BY_HAND, SETTLE, Scene, rotated_scene

EFFECTS = ("create record", "write CURRENT", "delete", "lock", "apply", "reserve")
LOOKER = Consumer("manual", "Looker", "bi")
SCENES = {"one role": {}, "a pair": {"pair": True}, "keys": {"keys": True}}


def cut_off(scene: Scene, *, after: str) -> Scene:
    """A revocation that was killed right after this call."""
    made = rotated_scene(pair=scene.pair, keys=scene.keys)
    made.revoke()
    at = next(at for at, call in enumerate(made.world.calls, 1) if call.endswith(after))
    assert scene.is_killed_after(at, scene.revoke)
    scene.world.calls.clear()
    return scene


def asked(scene: Scene, *, now: bool = False, force: bool = False) -> Request:
    return Request(scene.world.now, "kim", now=now, force=force, reason="why not" if force else None)


def dry_run(scene: Scene, *, now: bool = False, force: bool = False) -> Outcome:
    scene.world.calls.clear()
    before, request = [scene.current, scene.epochs], asked(scene, now=now, force=force)
    made = foresee(scene.credential, scene.parties, begin=request, clock=scene.world.clock, settle=SETTLE)
    assert not [call for call in scene.world.calls if call.endswith(EFFECTS)]
    assert [scene.current, scene.epochs] == before
    return made


def steps(outcome: Outcome) -> dict[str, str]:
    return {step.name: step.detail for step in outcome.steps}


@pytest.mark.parametrize("kind", SCENES)
def test_it_tells_that_it_would_be_seen_through_as_the_run_does(kind: str) -> None:
    """What was before it dies without grace, though nothing is due and nobody asked for that."""
    scene = cut_off(rotated_scene(**SCENES[kind]), after="write CURRENT")
    scene.world.pass_time(SETTLE + timedelta(seconds=1))
    foretold = dry_run(scene)
    assert foretold.outcome == "planned"
    assert foretold.reason.startswith("the revocation that made version 2 is not through, and would be seen")
    assert "new version" not in foretold.reason
    assert steps(foretold)["would end"] == "version 1, at once: no grace, and nothing is waited for"
    assert scene.run(asked(scene)).outcome == "revoked"


def test_one_that_is_not_current_yet_would_be_finished_first() -> None:
    """At once; what CURRENT is now ends when nobody can write any more."""
    scene = cut_off(rotated_scene(pair=True), after="apply")
    foretold = dry_run(scene, now=True)
    assert foretold.reason.startswith("version 2, which was begun, would be finished; the revocation")
    assert "new version" not in foretold.reason, "it waits as well"
    before = scene.current
    assert before is not None
    until = scene.run(asked(scene)).until
    assert steps(foretold)["would end"].startswith(f"version 1, after {until:%Y-%m-%d %H:%M} UTC (an earlier")
    assert scene.accepts(before)
    scene.world.pass_time(SETTLE + timedelta(seconds=1))
    assert scene.run(asked(scene)).outcome == "revoked"


def test_what_was_asked_for_comes_after_it() -> None:
    """In the same run."""
    scene = cut_off(rotated_scene(pair=True), after="write CURRENT")
    scene.world.pass_time(SETTLE + timedelta(seconds=1))
    current = scene.vault.current
    assert current is not None
    scene.credential = replace(scene.credential, consumers=(LOOKER, Consumer("dag", "nightly")))
    scene.readers.begin(current.id, 2, "task new")
    foretold = dry_run(scene, now=True)
    assert "; then a new version would be made: asked for by kim" in foretold.reason
    told = steps(foretold)
    assert told["would end"] == "version 2, version 1, at once: no grace, and nothing is waited for"
    assert told["would refuse"] == "1 known to read it: task new"
    assert told["would break"].startswith("Looker (bi)")
    assert told["would ask anew"].endswith("dag nightly")
    scene.run(asked(scene, now=True))
    assert scene.epochs == [3]
    assert not scene.accepts(current.secret)


def test_one_role_s_value_dies_when_the_begun_one_is_applied() -> None:
    """Its end does not wait for what an earlier attempt may still write."""
    scene = cut_off(rotated_scene(), after="create record")
    before = scene.current
    assert before is not None
    assert scene.accepts(before)
    assert steps(dry_run(scene))["would end"] == "version 1, at once: no grace, and nothing is waited for"
    scene.run(asked(scene))
    assert not scene.accepts(before)


def test_what_was_begun_is_finished_only_by_force_where_nothing_works() -> None:
    """Neither CURRENT nor the version that was never applied logs in: a person decides."""
    scene = cut_off(rotated_scene(pair=True), after="create record")
    current = scene.current
    assert current is not None
    scene.target.passwords[current.principal] = "a thief's own"
    foretold = dry_run(scene, now=True)
    assert foretold.outcome == "failed"
    assert foretold.reason == scene.run(asked(scene, now=True)).reason
    forced = dry_run(scene, now=True, force=True).reason
    assert forced.startswith("no stored value works; version 2, which was begun, would be finished; the rev")
    scene.run(asked(scene, now=True, force=True))
    assert scene.current not in (None, current)


@pytest.mark.parametrize("kind", ["a pair", "keys"])
def test_who_reads_what_dies_is_named_and_nobody_else(kind: str) -> None:
    """Whoever has the new version keeps it; who takes it by hand and was said to have it, too."""
    scene = cut_off(rotated_scene(**SCENES[kind]), after="write CURRENT")
    current = scene.vault.current
    assert current is not None
    people = (LOOKER, Consumer("dag", "nightly"))
    scene.credential = replace(scene.credential, consumers=people)
    scene.readers.begin(current.id, 1, "task old")
    scene.readers.begin(current.id, 2, "task new")
    told = steps(dry_run(scene))
    assert told["would refuse"] == "1 known to read it: task old"
    assert {"would break", "would ask anew"}.isdisjoint(told)
    scene.consumers.by_hand = people[:1]
    assert steps(dry_run(scene))["would break"].startswith("Looker (bi)")


def test_open_sessions_are_told_as_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can see whether that was done."""
    scene = cut_off(rotated_scene(pair=True), after="write CURRENT")

    def open_sessions(login: Secret | None) -> tuple[str, ...]:  # noqa: ARG001 - the protocol's
        return ("role etl has 2 live sessions; they would be ended",)

    monkeypatch.setattr(scene.target, "open_sessions", open_sessions, raising=False)
    assert "2 live sessions" in steps(dry_run(scene))["sessions"]


def test_no_value_from_before_would_take_the_place_of_a_refused_current() -> None:
    """A pair's old one still logs in: never back to it. With force an admin sets a new one."""
    scene = cut_off(rotated_scene(pair=True), after="write CURRENT")
    scene.world.pass_time(SETTLE + timedelta(seconds=1))
    current = scene.current
    assert current is not None
    scene.target.passwords[current.principal] = "a thief's own"
    foretold = dry_run(scene, now=True)
    assert foretold.outcome == "failed"
    assert foretold.reason == scene.run(asked(scene, now=True)).reason
    forced = dry_run(scene, now=True, force=True)
    assert forced.outcome == "planned"
    assert forced.reason.startswith("no stored value works; the revocation")
    assert "then a new version would be made: why not" in forced.reason


def test_what_a_person_puts_back_behind_it_would_not_be_kept() -> None:
    """As it is done; without a revocation it would become a new version."""
    scene = rotated_scene(pair=True)
    before = scene.current
    assert before is not None
    cut_off(scene, after="write CURRENT")
    scene.vault.put_current(before)
    assert dry_run(scene).reason.startswith("version 2, which was begun, would be finished; the revocation")


def test_a_value_of_a_person_without_a_record_would_be_given_one() -> None:
    """It is not from before: what is, dies behind it."""
    scene = cut_off(rotated_scene(), after="write CURRENT")
    scene.vault.put_current(BY_HAND)
    scene.target.password = BY_HAND.password
    foretold = dry_run(scene)
    assert foretold.reason.startswith("CURRENT has no record and would be given one; the revocation")
    assert steps(foretold)["would end"].startswith("version 2, version 1, ")


def test_who_takes_that_by_hand_was_not_said_to_have_it() -> None:
    """It becomes a new version, and nothing is due because of that: a person has made it just now."""
    scene = cut_off(rotated_scene(), after="write CURRENT")
    current = scene.vault.current
    assert current is not None
    scene.vault.put_current(BY_HAND)
    scene.target.password = BY_HAND.password
    scene.credential = replace(scene.credential, consumers=(LOOKER,))
    scene.consumers.by_hand = (LOOKER,)
    scene.world.pass_time(SETTLE + timedelta(seconds=1))
    foretold = dry_run(scene)
    assert steps(foretold)["would break"].startswith("Looker (bi)")
    assert "new version" not in foretold.reason
    assert any(step.name == "consumers broken" for step in scene.run(asked(scene)).steps)
    assert scene.epochs == [3]


def test_one_that_is_through_leaves_nothing_to_tell() -> None:
    """The mark stays on its record; nothing older is there."""
    scene = rotated_scene(pair=True)
    assert scene.revoke().outcome == "revoked"
    assert dry_run(scene).outcome == "unchanged"
