"""A replaced value lives on until a person has said that who takes values by hand has the new one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from credential_rotation.model import Answer, Consumer, Probe
from credential_rotation.times.schedule import CONFIRM_WITHIN
from simulators.scene import GRACE, SOAK, Scene, rotated_scene

KINDS = pytest.mark.parametrize("kind", ["pair", "keys"])
LOOKER = Consumer("manual", "Looker", "bi")
TABLEAU = Consumer("manual", "Tableau")
MINUTE = timedelta(minutes=1)


def _scene(kind: str, *who: Consumer) -> Scene:
    """At rest, with version 1 as CURRENT, which everybody has."""
    scene = rotated_scene(pair=kind == "pair", keys=kind == "keys")
    scene.consumers.by_hand = who or (LOOKER,)
    for one in scene.consumers.by_hand:
        confirm(scene, one)
    return scene


def confirm(scene: Scene, who: Consumer, version: int | None = None) -> None:
    """A person gives their word for CURRENT's version, or for another one."""
    newest = max(scene.vault.records.values(), key=lambda one: one.order)
    epoch = version or newest.epoch
    attempt = next(one.attempt for one in scene.vault.records.values() if one.epoch == epoch)
    scene.consumers.confirmed.add((who.name, epoch, attempt))


def _rotated_and_past_grace(scene: Scene) -> None:
    assert scene.rotate_now().outcome == "unproved"
    scene.world.pass_time(GRACE + MINUTE)


@KINDS
def test_h3_the_new_value_is_promoted_and_the_old_one_waits_for_a_persons_word(kind: str) -> None:
    """`waiting`, with whom it waits for, until when, and what the person does."""
    scene = _scene(kind)
    before = scene.current
    assert before is not None
    _rotated_and_past_grace(scene)
    assert scene.current != before
    waits = scene.run()
    assert (waits.outcome, waits.waits_for) == ("waiting", ("Looker",))
    assert "Looker (bi)" in waits.reason
    assert waits.until is not None
    assert timedelta(0) < waits.until - scene.world.now <= CONFIRM_WITHIN
    assert "confirm warehouse-etl --consumer Looker --version 2" in waits.next_step
    assert scene.accepts(before)
    confirm(scene, LOOKER)
    scene.run()
    scene.world.pass_time(SOAK + MINUTE)
    assert (scene.run().outcome == "retired") or kind == "pair"
    assert not scene.accepts(before)


@KINDS
def test_h3_a_rotation_says_at_once_who_has_to_be_given_the_new_value(kind: str) -> None:
    """Not green, so that people hear of it when it is made and not a week later."""
    rotated = _scene(kind).rotate_now()
    assert rotated.outcome == "unproved"
    assert "manual Looker" in rotated.reason
    assert rotated.only_words_missing


@KINDS
def test_h3_whether_more_than_peoples_words_is_missing_is_told(kind: str) -> None:
    """Where it is, no word puts it right; in time and late, in a rotation, a repair and a daily proof."""
    scene = _scene(kind)
    _rotated_and_past_grace(scene)
    scene.world.pass_time(CONFIRM_WITHIN)
    assert [one.only_words_missing for one in (scene.run(), scene.verify())] == [True, True]
    scene.consumers.answers = (Probe(Answer.UNKNOWN, "dag load"),)
    assert not scene.verify().only_words_missing
    confirm(scene, LOOKER)
    assert not scene.verify().only_words_missing
    scene.run()
    scene.world.pass_time(SOAK + MINUTE)
    scene.run()
    confirmed = scene.rotate_now()
    assert (confirmed.outcome, confirmed.only_words_missing) == ("unproved", False)


@KINDS
def test_h3_it_waits_from_the_first_hour_on_and_not_only_after_grace(kind: str) -> None:
    """`unchanged` would be taken for a proof that all is well, and end what Slack was told."""
    scene = _scene(kind)
    assert scene.rotate_now().outcome == "unproved"
    scene.world.pass_time(MINUTE)
    waits = scene.run()
    assert (waits.outcome, waits.waits_for) == ("waiting", ("Looker",))
    confirm(scene, LOOKER)
    assert scene.run().outcome == "unchanged"


@KINDS
def test_h3_where_nothing_is_left_of_the_old_value_nothing_waits(kind: str) -> None:
    """The consumer is new in the entry, or the words were lost after the old value had gone."""
    scene = _scene(kind)
    scene.consumers.confirmed.clear()
    outcome = scene.run()
    assert (outcome.outcome, outcome.waits_for) == ("unchanged", ())


@KINDS
def test_h3_it_is_never_retired_in_silence_and_after_the_deadline_a_person_is_told(kind: str) -> None:
    """However long it takes."""
    scene = _scene(kind)
    before = scene.current
    assert before is not None
    _rotated_and_past_grace(scene)
    scene.world.pass_time(CONFIRM_WITHIN - 5 * MINUTE)
    assert scene.run().outcome == "waiting"
    scene.world.pass_time(10 * MINUTE)
    told = scene.run()
    assert (told.outcome, told.waits_for) == ("unproved", ("Looker",))
    assert "Looker (bi)" in told.reason
    assert "confirm warehouse-etl" in told.next_step
    scene.world.pass_time(timedelta(days=70))
    assert scene.run().outcome == "unproved"
    assert scene.accepts(before)


@KINDS
def test_h3_everybody_is_waited_for_and_who_has_it_is_not_named(kind: str) -> None:
    """One word does not stand for another."""
    scene = _scene(kind, LOOKER, TABLEAU)
    _rotated_and_past_grace(scene)
    assert scene.run().waits_for == ("Looker", "Tableau")
    confirm(scene, LOOKER)
    waits = scene.run()
    assert waits.waits_for == ("Tableau",)
    assert "Looker" not in waits.reason


@KINDS
def test_h3_a_word_for_the_version_before_does_not_count_for_the_newer_one(kind: str) -> None:
    """Version 1 was confirmed, and again while version 2 was CURRENT already."""
    scene = _scene(kind)
    before = scene.current
    assert before is not None
    _rotated_and_past_grace(scene)
    confirm(scene, LOOKER, version=1)
    assert scene.run().outcome == "waiting"
    assert scene.accepts(before)


@KINDS
def test_h3_words_that_are_lost_make_it_wait_again(kind: str) -> None:
    """Also a key that soaks already: it can still come back."""
    scene = _scene(kind)
    _rotated_and_past_grace(scene)
    confirm(scene, LOOKER)
    if kind == "keys":
        scene.run()
        scene.world.pass_time(SOAK + MINUTE)
    scene.consumers.confirmed.clear()
    assert scene.run().outcome == "waiting"
    assert scene.epochs == [2, 1]


def test_h3_a_word_that_ends_one_version_does_not_end_the_next_one_in_the_same_run() -> None:
    """Without grace a run may retire version 1, begin version 3, and come to the end of version 2."""
    scene = _scene("pair")
    scene.credential = replace(scene.credential, policy=replace(scene.credential.policy, grace=timedelta(0)))
    assert scene.rotate_now().outcome == "unproved"
    confirm(scene, LOOKER)
    before = scene.current
    assert before is not None
    scene.world.pass_time(MINUTE)
    rotated = scene.rotate_now()
    assert (rotated.outcome, rotated.waits_for) == ("unproved", ("Looker",))
    assert scene.epochs == [3, 2]
    assert scene.accepts(before)


@KINDS
def test_h3_the_next_version_waits_for_them_too_and_says_why(kind: str) -> None:
    """Who asks for one by hand is told whom it waits for."""
    scene = _scene(kind)
    _rotated_and_past_grace(scene)
    waits = scene.rotate_now()
    assert waits.outcome == "waiting"
    assert "Looker (bi)" in waits.reason
    assert "the next one begins after that" in waits.reason
    assert scene.epochs == [2, 1]


@pytest.mark.parametrize("kind", ["pair", "keys", "one role"])
def test_h3_compromise_mode_waits_for_nobody_and_names_whom_it_breaks(kind: str) -> None:
    """It is through, and asking for it again would only break them again."""
    scene = _scene(kind)
    before = scene.current
    assert before is not None
    revoked = scene.revoke()
    assert (revoked.outcome, revoked.waits_for) == ("revoked", ("Looker",))
    assert not scene.accepts(before)
    assert "every value from before is dead" in revoked.reason
    assert "Looker (bi) is refused until it is given the new value by hand" in revoked.reason


def test_h3_readers_and_people_are_told_together() -> None:
    """Neither hides the other."""
    scene = _scene("pair")
    assert scene.vault.current is not None
    scene.readers.begin(scene.vault.current.id, 1, "dag nightly")
    _rotated_and_past_grace(scene)
    reason = scene.run().reason
    assert "dag nightly" in reason
    assert "Looker (bi)" in reason


def test_h3_in_place_has_nothing_to_wait_with_and_says_who_may_be_refused() -> None:
    """The old value died when the new one was applied."""
    scene = rotated_scene()
    scene.consumers.by_hand = (LOOKER,)
    rotated = scene.rotate_now()
    assert rotated.outcome == "unproved"
    assert "manual Looker" in rotated.reason
    assert scene.epochs == [2]


def test_h3_after_a_rollback_a_new_word_is_needed() -> None:
    """Who has taken version 2 has to go back as well; version 3 is what its value is called now."""
    scene = _scene("pair")
    assert scene.rotate_now().outcome == "unproved"
    confirm(scene, LOOKER)
    scene.roll_back()
    scene.world.pass_time(GRACE + MINUTE)
    assert scene.run().outcome == "retired"  # version 1's record, which repeats CURRENT's value
    waits = scene.run()
    assert waits.outcome == "waiting"
    assert "--version 3" in waits.next_step
