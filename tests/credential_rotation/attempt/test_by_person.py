"""What only a person may decide, and what they are kept from: simulated targets, real steps."""

from __future__ import annotations

from datetime import timedelta

import pytest

from credential_rotation.model import Answer, Probe, Stamp
from simulators.scene import GRACE, SETTLE, SOAK, Scene, rotated_scene

MINUTE = timedelta(minutes=1)


@pytest.fixture(params=["pair", "keys"])
def scene(request: pytest.FixtureRequest) -> Scene:
    """Strategies whose old value lives on."""
    return rotated_scene(**{request.param: True})


def test_a_rollback_is_a_new_version_with_the_old_value(scene: Scene) -> None:
    """Both still log in; the number goes up, so that nothing is mistaken for something older."""
    before = scene.current
    scene.rotate_now()
    newer = scene.current
    rolled = scene.roll_back()
    assert (rolled.outcome, rolled.version) == ("recovered", 3)
    assert scene.current == before
    assert newer is not None
    assert scene.accepts(newer)


def test_a_rollback_waits_for_every_endpoint(scene: Scene) -> None:
    """One that refuses the old value keeps CURRENT as it is: both values live, and nothing hurries."""
    scene.rotate_now()
    newer = scene.current
    refusal = (Probe(Answer.REFUSED, "replica.example", "it is behind"),)
    scene.target.endpoint_answers = scene.account.endpoint_answers = refusal
    refused = scene.roll_back()
    assert (refused.outcome, "replica.example" in refused.reason) == ("failed", True)
    assert scene.current == newer


def test_what_was_rolled_back_from_is_retired_in_its_turn(scene: Scene) -> None:
    """After grace and soak only CURRENT is left, and the next rotation goes through."""
    scene.rotate_now()
    scene.roll_back()
    for _ in range(3):
        scene.world.pass_time(max(GRACE, SOAK) + MINUTE)
        scene.run()
    assert scene.readers_can_log_in
    assert scene.epochs == [3]
    assert scene.rotate_now().outcome == "rotated"


def test_a_key_that_soaks_is_activated_to_go_back_to() -> None:
    """That is what soak is for: until a key is deleted it can come back."""
    scene = rotated_scene(keys=True)
    before = scene.current
    scene.rotate_now()
    scene.world.pass_time(GRACE + MINUTE)
    scene.run()
    assert before is not None
    assert not scene.account.accepts(before)
    assert scene.roll_back().outcome == "recovered"
    assert scene.current == before
    assert scene.readers_can_log_in


def test_what_was_rolled_back_from_has_the_whole_grace() -> None:
    """It was in use a moment ago: that the other key had nearly soaked out says nothing of this one."""
    scene = rotated_scene(keys=True)
    scene.rotate_now()
    scene.world.pass_time(GRACE + MINUTE)
    scene.run()
    scene.world.pass_time(SOAK - MINUTE)
    replaced = scene.current
    assert scene.roll_back().outcome == "recovered"
    scene.world.pass_time(GRACE - MINUTE)
    scene.run()
    assert replaced is not None
    assert scene.accepts(replaced)
    scene.world.pass_time(2 * MINUTE)
    scene.run()
    assert not scene.accepts(replaced)


def test_an_old_value_that_a_person_puts_back_stays(scene: Scene) -> None:
    """At night they do not look for `rollback`: what they stored works, and no repair overrules them."""
    before = scene.current
    scene.rotate_now()
    replaced = scene.current
    assert before is not None
    assert replaced is not None
    scene.world.pass_time(MINUTE)
    scene.vault.put_current(before)
    kept = scene.run()
    assert (kept.outcome, kept.version) == ("recovered", 3)
    assert "a person has put the value of version 1 back" in kept.reason
    assert scene.current == before
    assert scene.accepts(replaced), "it has its grace"
    for _ in range(3):
        scene.world.pass_time(max(GRACE, SOAK) + SETTLE)
        scene.run()
    assert (scene.current, scene.accepts(replaced), scene.epochs) == (before, False, [3])


def test_a_write_of_ours_that_lands_late_is_no_persons(scene: Scene) -> None:
    """It brings its note with it: the newer version is CURRENT again after the next run."""
    late = scene.vault.current
    scene.rotate_now()
    newer = scene.current
    scene.vault.current = late
    scene.run()
    assert scene.current == newer


def test_no_rollback_to_a_dead_value() -> None:
    """Of one role the old value died when it was replaced: said, and nothing is touched."""
    scene = rotated_scene()
    scene.rotate_now()
    before = scene.current
    refused = scene.roll_back()
    assert refused.outcome == "refused"
    assert "no value before CURRENT's still logs in" in refused.reason
    assert scene.current == before


def test_a_key_that_nobody_uses_is_deleted_on_a_persons_word() -> None:
    """The slot is free again, and the rotation that had no room goes through."""
    scene = Scene(keys=True)
    theirs = scene.account.make_by_hand()
    assert scene.rotate_now().outcome == "failed"
    assert scene.resolve(theirs.login).outcome == "recovered"
    assert not scene.account.accepts(theirs)
    scene.world.pass_time(SETTLE + MINUTE)
    assert scene.rotate_now().outcome == "rotated"


def test_a_key_that_is_recorded_or_not_there_is_not_resolved() -> None:
    """CURRENT's own key cannot be deleted by a slip of the pen."""
    scene = rotated_scene(keys=True)
    assert scene.current is not None
    for key in (scene.current.login, "KEY99"):
        assert scene.resolve(key).outcome == "refused"
    assert scene.readers_can_log_in


@pytest.mark.parametrize("kind", ["one role", "a pair"])
def test_of_a_role_no_key_is_resolved(kind: str) -> None:
    """The wrong entry's name: said in words, and nothing is touched."""
    scene = rotated_scene(pair=kind == "a pair")
    before = scene.current
    refused = scene.resolve("KEY1")
    assert refused.outcome == "refused"
    assert "has no keys" in refused.reason
    assert "`status --json`" in refused.next_step
    assert scene.current == before


@pytest.mark.parametrize("kind", ["one role", "a pair", "keys"])
def test_adopting_changes_no_value(kind: str) -> None:
    """CURRENT gets its record, and the next rotation begins from there."""
    scene = Scene(pair=kind == "a pair", keys=kind == "keys")
    before = scene.current
    assert scene.adopt().outcome == "adopted"
    assert scene.current == before
    assert scene.epochs == [0]
    assert scene.adopt().outcome == "unchanged"


def test_a_foreign_stamp_is_taken_over_on_a_persons_word_only() -> None:
    """A database that was cloned from one that is rotated elsewhere: refused, then ours."""
    scene = rotated_scene()
    scene.target.stamp = Stamp(7, "x", "another-journal")
    assert scene.rotate_now().outcome == "refused"
    refused = scene.adopt()
    assert refused.outcome == "refused"
    assert "adopt warehouse-etl --take-over" in refused.next_step
    assert scene.adopt(take_over=True).outcome == "recovered"
    scene.world.pass_time(SETTLE + MINUTE)
    assert scene.rotate_now().outcome == "rotated"
    assert max(scene.epochs) == 8  # higher than either journal has ever counted


def test_a_value_that_does_not_work_is_not_adopted() -> None:
    """Management begins with a value that logs in."""
    scene = Scene()
    scene.target.password = "changed by hand"
    assert scene.adopt().outcome == "failed"
    assert scene.epochs == []
