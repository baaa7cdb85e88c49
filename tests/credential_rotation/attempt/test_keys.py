"""Strategy overlapping: two slots, proofs of origin, grace and soak; simulated account, real attempt."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from credential_rotation.model import Answer, Probe
from simulators.scene import GRACE, SETTLE, SOAK, Scene, rotated_scene
from simulators.world import Crash, Fault

MINUTE = timedelta(minutes=1)


def killed_after_mint() -> Scene:
    """A run that was killed when the key was made and not yet recorded."""
    scene = rotated_scene(keys=True)
    scene.rotate_now()
    at = scene.world.calls.index("target: mint") + 1
    scene = rotated_scene(keys=True)
    assert scene.is_killed_after(at, scene.rotate_now)
    assert len(scene.account.keys) == 2
    assert len(scene.vault.intents) == 1
    return scene


def states(scene: Scene) -> list[tuple[str, bool]]:
    return [(key.login, key.is_active) for key in scene.account.keys.values()]


def test_a_key_lives_through_grace_then_soaks_then_goes() -> None:
    """C7: both keys live through grace; the old one is inactive through soak; only then is it deleted."""
    scene = rotated_scene(keys=True)
    assert scene.rotate_now().outcome == "rotated"
    assert [active for _, active in states(scene)] == [True, True]
    assert scene.run().outcome == "unchanged"
    scene.world.pass_time(GRACE + MINUTE)
    scene.run()
    assert [active for _, active in states(scene)] == [False, True]
    assert scene.run().outcome == "unchanged"
    scene.world.pass_time(SOAK + MINUTE)
    retired = scene.run()
    assert (retired.outcome, retired.old_value) == ("retired", Answer.REFUSED)
    assert [active for _, active in states(scene)] == [True]
    assert scene.epochs == [2]


@pytest.mark.parametrize("passed", [timedelta(0), GRACE + MINUTE], ids=["in grace", "in soak"])
def test_the_next_version_waits_while_both_slots_are_needed(passed: timedelta) -> None:
    """C7: refused with the reason and the time; a third key is never asked for."""
    scene = rotated_scene(keys=True)
    scene.rotate_now()
    scene.world.pass_time(passed)
    if passed:
        scene.run()
    waiting = scene.rotate_now()
    assert waiting.outcome == "waiting"
    assert waiting.until is not None
    assert not scene.account.asked_for_a_third


def test_nothing_is_deactivated_while_a_consumer_is_broken() -> None:
    """Retire is last."""
    scene = rotated_scene(keys=True)
    scene.rotate_now()
    scene.world.pass_time(GRACE + MINUTE)
    scene.consumers.answers = (Probe(Answer.REFUSED, "s3 bucket exports", "AccessDenied"),)
    assert scene.run().outcome == "unproved"
    assert [active for _, active in states(scene)] == [True, True]


SLOTS = {
    "one key, which CURRENT names": ([], "rotated"),
    "a second, active one that nobody recorded": ([True], "failed"),
    "a second, inactive one that nobody recorded": ([False], "failed"),
}


@pytest.mark.parametrize("case", SLOTS)
def test_a_key_that_nobody_recorded_is_never_touched(case: str) -> None:
    """Matrix of slots: what no record names stays as it is, and the message names it and the way out."""
    others, expected = SLOTS[case]
    scene = Scene(keys=True)
    for active in others:
        scene.account.keys[scene.account.make_by_hand().login].is_active = active
    before = states(scene)
    outcome = scene.rotate_now()
    assert outcome.outcome == expected
    assert not scene.account.asked_for_a_third
    if others:
        assert states(scene) == before
        assert "KEY2" in outcome.reason
        assert "resolve warehouse-etl --key KEY2" in outcome.next_step


def test_from_nothing_a_first_key_is_made() -> None:
    """No key and nothing stored: the admin makes the first."""
    scene = Scene(keys=True, stored=False)
    scene.account.keys.clear()
    assert scene.rotate_now().outcome == "rotated"
    assert scene.readers_can_log_in


def test_a_key_of_a_killed_run_is_removed_on_proof() -> None:
    """The target's own records say that the intent made it; its secret is lost, so it goes."""
    scene = killed_after_mint()
    assert scene.rotate_now().outcome == "waiting"
    assert len(scene.account.keys) == 2
    scene.world.pass_time(SETTLE + MINUTE)
    assert scene.run().outcome == "recovered"
    assert len(scene.account.keys) == 1
    assert not scene.vault.intents
    assert scene.readers_can_log_in


def test_without_proof_a_person_is_asked_and_nothing_is_touched() -> None:
    """No evidence yet, or nobody may look: named with the command, and looked for again by every run."""
    scene = killed_after_mint()
    scene.account.trail_tells = False
    scene.world.pass_time(SETTLE + MINUTE)
    asked = scene.run()
    assert asked.outcome == "refused"
    assert "resolve warehouse-etl --key" in asked.next_step
    assert [active for _, active in states(scene)] == [True, True]
    scene.account.trail_tells = True
    assert scene.run().outcome == "recovered"


def test_a_key_that_a_person_made_meanwhile_stays() -> None:
    """Proof that somebody else made it: the intent goes, the key does not."""
    scene = rotated_scene(keys=True)
    scene.rotate_now()
    at = scene.world.calls.index("target: mint") + 1
    scene = rotated_scene(keys=True)
    scene.world.fault = Fault(at, "crash before")
    with suppress(Crash):
        scene.rotate_now()
    theirs = scene.account.make_by_hand()
    scene.world.pass_time(SETTLE + MINUTE)
    scene.run()
    assert scene.account.accepts(theirs)
    assert not scene.vault.intents


def test_a_key_that_cannot_be_recorded_is_taken_back() -> None:
    """Bitwarden fails between mint and record: no orphan is left, and CURRENT works on."""
    scene = rotated_scene(keys=True)
    scene.rotate_now()
    at = scene.world.calls.index("vault: create record") + 1
    scene = rotated_scene(keys=True)
    scene.world.fault = Fault(at, "late", lands=10**6)
    assert scene.rotate_now().outcome == "failed"
    assert len(scene.account.keys) == 1
    assert scene.readers_can_log_in


def test_an_endpoint_that_refuses_keeps_current() -> None:
    """The old key works still: nothing is promoted before every endpoint takes the new one."""
    scene = rotated_scene(keys=True)
    before = scene.current
    scene.account.endpoint_answers = (Probe(Answer.REFUSED, "s3.example", "InvalidAccessKeyId"),)
    assert scene.rotate_now().outcome == "failed"
    assert scene.current == before
    scene.account.endpoint_answers = ()
    assert scene.run().outcome == "recovered"
    assert scene.current != before


def test_current_deactivated_by_hand_falls_back_to_what_logs_in() -> None:
    """The newest record that logs in takes its place."""
    scene = rotated_scene(keys=True)
    scene.rotate_now()
    assert scene.current is not None
    scene.account.keys[scene.current.login].is_active = False
    healed = scene.run()
    assert healed.outcome in {"recovered", "failed"}
    assert scene.readers_can_log_in


@pytest.mark.parametrize("revokes", [False, True], ids=["forced", "compromise mode"])
def test_an_inactive_key_of_ours_makes_room_where_nothing_else_works(*, revokes: bool) -> None:
    """Both slots are taken by recorded keys: a person who wants a new one in spite of that gets it."""
    scene = rotated_scene(keys=True)
    scene.rotate_now()
    for key in scene.account.keys.values():
        key.is_active = revokes and key.login != (scene.current.login if scene.current else "")
    before = [record.secret for record in scene.vault.records.values()]
    scene.world.pass_time(SETTLE + MINUTE)
    done = scene.revoke() if revokes else scene.rotate_now(force=True)
    assert done.outcome == ("revoked" if revokes else "rotated")
    assert scene.readers_can_log_in
    assert not any(map(scene.accepts, before))


def test_an_ending_without_its_record_is_swept() -> None:
    """A delete that was carried out in part leaves one; nothing else would ever look at it again."""
    scene = rotated_scene(keys=True)
    [record] = scene.vault.records.values()
    gone = replace(record, epoch=record.epoch - 1, attempt="beef")
    scene.vault.begin_ending(gone, now=scene.world.now)
    scene.world.pass_time(timedelta(hours=1))
    scene.run()
    assert not scene.vault.endings
    assert scene.readers_can_log_in


def test_of_two_endings_of_one_version_the_first_counts() -> None:
    """A crash may leave two; the key has soaked since the first of them."""
    scene = rotated_scene(keys=True)
    scene.rotate_now()
    scene.world.pass_time(GRACE + MINUTE)
    scene.run()
    [ended] = scene.vault.endings.values()
    scene.world.pass_time(SOAK - MINUTE)
    [replaced] = [record for record in scene.vault.records.values() if record.epoch == ended.epoch]
    scene.vault.begin_ending(replaced, now=scene.world.now)
    scene.world.pass_time(2 * MINUTE)
    assert scene.run().outcome == "retired"
    assert not scene.vault.endings


def killed_before_mint() -> Scene:
    """A run from nothing that was killed when it had noted what it wants and asked for no key yet."""
    scene = Scene(keys=True, stored=False)
    scene.rotate_now()
    at = scene.world.calls.index("target: mint") + 1
    scene = Scene(keys=True, stored=False)
    scene.world.pass_time(timedelta(days=1))
    scene.account.keys[scene.account.first.login].created = scene.world.now
    scene.world.fault = Fault(at, "crash before")
    with suppress(Crash):
        scene.rotate_now()
    scene.account.trail_tells = False
    return scene


def test_a_key_that_was_there_when_an_intent_was_written_is_not_its() -> None:
    """Nobody has to prove that, so that nobody is paged where the trail is silent."""
    scene = killed_before_mint()
    [intent] = scene.vault.intents.values()
    assert intent.there == (scene.account.first.login,)
    scene.world.pass_time(SETTLE + MINUTE)
    assert scene.run().outcome == "unchanged"
    assert scene.accepts(scene.account.first)
    assert not scene.vault.intents


def test_a_key_that_is_older_than_an_intent_is_not_its() -> None:
    """Also where the list that the intent was written by did not show it yet."""
    scene = killed_before_mint()
    theirs = scene.account.make_by_hand()
    scene.account.keys[theirs.login].created -= timedelta(minutes=20)
    scene.world.pass_time(SETTLE + MINUTE)
    assert scene.run().outcome == "unchanged"
    assert scene.accepts(theirs)
    assert not scene.vault.intents
