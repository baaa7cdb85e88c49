"""What one attempt does, case by case: outcome, effects in order, and what is stored afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from credential_rotation.model import Answer, Probe, Secret, Stamp
from simulators.scene import BY_HAND, SETTLE, Scene, rotated_scene
from simulators.target import SimSession

MODES = pytest.mark.parametrize("changes_itself", [False, True], ids=["by its admin", "changes itself"])


def effects(scene: Scene) -> list[str]:
    """The calls that change something, in order."""
    changing = ("create record", "apply", "write CURRENT", "delete")
    return [call.split(": ")[1] for call in scene.world.calls if call.endswith(changing)]


@MODES
def test_first_rotation_records_the_old_value_before_it_touches_the_target(*, changes_itself: bool) -> None:
    """A secret that a person put there is taken over: recorded, replaced, proved dead, forgotten."""
    scene = Scene(changes_itself=changes_itself)

    outcome = scene.tick()

    assert outcome.outcome == "rotated"
    assert outcome.steps[-1].name == "rotated"
    assert (outcome.old_value, outcome.new_value) == (Answer.REFUSED, Answer.WORKS)
    assert effects(scene) == ["create record", "create record", "apply", "write CURRENT", "delete"]
    assert scene.epochs == [1]
    assert scene.current == Secret("etl", "minted-1")
    assert scene.target.accepts(scene.current)


@MODES
def test_a_steady_rotation_costs_one_create_one_update_one_read_back_one_delete(
    *, changes_itself: bool
) -> None:
    """Beyond looking, the vault is asked four times, and between apply and CURRENT stands one probe."""
    scene = rotated_scene(changes_itself=changes_itself)

    outcome = scene.rotate_now()

    assert outcome.outcome == "rotated"
    calls = scene.world.calls
    assert [c for c in calls if c.startswith("vault") and "look" not in c and "reserve" not in c] == [
        "vault: create record",
        "vault: write CURRENT",
        "vault: read back",
        "vault: delete",
    ]
    start, end = calls.index("target: apply"), calls.index("vault: write CURRENT")
    assert calls[start : end + 1] == ["target: apply", "target: probe", "vault: write CURRENT"]
    assert scene.epochs == [2]


def test_nothing_is_locked_where_nothing_is_to_be_done() -> None:
    """A tick on a healthy, young credential looks, asks once, and leaves."""
    scene = rotated_scene()

    outcome = scene.tick()

    assert outcome.outcome == "unchanged"
    assert outcome.reason.startswith("due ")
    assert scene.world.calls == ["vault: look", "vault: look at CURRENT", "target: probe"]


def test_a_credential_is_due_at_its_age() -> None:
    """Ninety days after it was minted a version is replaced, not a day before."""
    scene = rotated_scene()
    scene.world.pass_time(timedelta(days=88))
    assert scene.tick().outcome == "unchanged"
    scene.world.pass_time(timedelta(days=1))
    assert scene.tick().outcome == "rotated"


def test_now_means_older_than_the_request() -> None:
    """A retried or cleared run of yesterday's request does not rotate a second time."""
    scene = rotated_scene()
    asked = scene.world.now
    assert scene.rotate_now(asked).outcome == "rotated"
    again = scene.rotate_now(asked)
    assert again.outcome == "unchanged"
    assert again.reason == "already rotated since it was asked for"
    assert scene.epochs == [2]


def test_an_admin_starts_from_nothing() -> None:
    """Where nothing is stored yet, an entry with an admin gets its first version."""
    scene = Scene(stored=False)
    assert scene.tick().outcome == "rotated"
    assert scene.epochs == [1]
    assert scene.current is not None
    assert scene.target.accepts(scene.current)


def test_who_changes_itself_needs_a_value_to_start_from() -> None:
    """Without a stored value it fails with the remedy, and touches nothing."""
    scene = Scene(changes_itself=True, stored=False)
    outcome = scene.tick()
    assert outcome.outcome == "failed"
    assert "`warehouse_etl` in project data-platform" in outcome.next_step
    assert effects(scene) == []


@MODES
def test_a_persons_edit_that_works_is_taken_over(*, changes_itself: bool) -> None:
    """Changed by hand on the target and in Bitwarden: the value gets a record, CURRENT is not rewritten."""
    scene = rotated_scene(changes_itself=changes_itself)
    scene.target.password = "hand-made"
    scene.vault.put_current(Secret("etl", "hand-made"))

    outcome = scene.run()

    assert outcome.outcome == "retired"
    assert effects(scene) == ["create record", "delete"]
    assert scene.epochs == [2]
    assert scene.current == Secret("etl", "hand-made")


@MODES
def test_changed_by_hand_behind_our_back_is_a_page_and_touches_nothing(*, changes_itself: bool) -> None:
    """The target refuses everything stored: no guess is made, and the message says what to do."""
    scene = rotated_scene(changes_itself=changes_itself)
    scene.target.password = "changed-by-hand"

    outcome = scene.rotate_now()

    assert outcome.outcome == "failed"
    assert "changed by hand" in outcome.reason
    assert outcome.old_value is Answer.REFUSED
    assert effects(scene) == []


def test_a_forced_run_with_an_admin_sets_a_new_password_where_nothing_works() -> None:
    """Only a person who says why may overwrite what nobody recorded."""
    scene = rotated_scene()
    scene.target.password = "changed-by-hand"

    outcome = scene.rotate_now(force=True)

    assert outcome.outcome == "rotated"
    assert scene.somebody_can_log_in
    assert scene.epochs == [2]


def test_force_does_not_help_who_changes_itself() -> None:
    """Without an admin there is no way in."""
    scene = rotated_scene(changes_itself=True)
    scene.target.password = "changed-by-hand"
    assert scene.rotate_now(force=True).outcome == "failed"


@MODES
def test_current_set_back_by_hand_is_healed_from_the_record(*, changes_itself: bool) -> None:
    """Somebody pasted an old value into Bitwarden: the record that logs in takes its place."""
    scene = rotated_scene(changes_itself=changes_itself)
    scene.vault.put_current(BY_HAND)

    outcome = scene.run()

    assert outcome.outcome == "recovered"
    assert scene.current is not None
    assert scene.target.accepts(scene.current)


def test_a_target_that_is_down_changes_nothing() -> None:
    """Not knowing is not a no: the attempt ends, and says that neither value could be asked."""
    scene = rotated_scene()
    scene.target.down = True

    outcome = scene.rotate_now()

    assert outcome.outcome == "failed"
    assert outcome.old_value is Answer.UNKNOWN
    assert effects(scene) == []


def test_a_vault_that_is_down_touches_no_target() -> None:
    """Without Bitwarden nothing is asked of the target, let alone changed."""
    scene = rotated_scene()
    scene.vault.down = True
    outcome = scene.rotate_now()
    assert outcome.outcome == "failed"
    assert scene.world.calls == []


def test_a_refused_change_keeps_its_record_and_the_old_value() -> None:
    """The privilege is missing: CURRENT works on, and when it is granted the same version is finished."""
    scene = rotated_scene()
    scene.target.refuses_changes = True
    outcome = scene.rotate_now()
    assert outcome.outcome == "failed"
    assert (outcome.old_value, outcome.new_value) == (Answer.WORKS, Answer.REFUSED)
    assert scene.epochs == [2, 1]

    scene.target.refuses_changes = False
    recovered = scene.run()
    assert recovered.outcome == "recovered"
    assert scene.target.applied == [1, 2]

    scene.world.pass_time(SETTLE)
    assert scene.run().outcome == "retired"
    assert scene.epochs == [2]


def test_behind_an_attempt_that_was_not_seen_to_end_a_new_version_waits() -> None:
    """Until its writes can no longer land, begin answers `waiting` with the moment."""
    scene = rotated_scene()
    scene.target.refuses_changes = True
    scene.rotate_now()
    scene.target.refuses_changes = False
    scene.run()

    outcome = scene.rotate_now()

    assert outcome.outcome == "waiting"
    assert outcome.until is not None
    assert outcome.until > scene.world.now
    assert scene.epochs == [2, 1]


def test_behind_a_takeover_a_new_version_waits_and_says_so() -> None:
    """Whoever stored the value may not be done; nothing was interrupted, and nobody is told so."""
    scene = Scene()
    scene.run()
    outcome = scene.rotate_now()
    assert outcome.until is not None
    assert outcome.until > scene.world.now
    assert (outcome.outcome, "was taken over a moment ago" in outcome.reason) == ("waiting", True)


def test_busy_is_an_answer() -> None:
    """While another attempt holds the lock this one says so and leaves."""
    scene = rotated_scene()
    scene.target.holder = SimSession(scene.target)
    assert scene.rotate_now().outcome == "busy"
    assert effects(scene) == []


def test_another_journals_stamp_is_refused() -> None:
    """A cloned database, or a second deployment: nothing is changed."""
    scene = rotated_scene()
    scene.target.stamp = Stamp(3, "feed", "another-journal")
    outcome = scene.rotate_now()
    assert outcome.outcome == "refused"
    assert "another journal" in outcome.reason
    assert effects(scene) == []


def test_a_consumer_that_is_not_proved_keeps_the_rotation_from_being_green() -> None:
    """Rotated, and yet not done: the outcome names the consumer."""
    scene = rotated_scene()
    scene.consumers.answers = (Probe(Answer.UNKNOWN, "dag nightly_load", "there is no probe for a DAG"),)
    outcome = scene.rotate_now()
    assert outcome.outcome == "unproved"
    assert "nightly_load" in outcome.reason
    assert scene.epochs == [2]


def test_an_old_value_that_still_logs_in_is_never_forgotten() -> None:
    """The server accepts anything: its record stays, and the run is not green."""
    scene = rotated_scene()
    scene.target.accepts = lambda _secret: True  # type: ignore[assignment,method-assign]  # a server that checks nothing
    outcome = scene.rotate_now()
    assert outcome.outcome == "unproved"
    assert "still accepts version 1" in outcome.reason
    assert scene.epochs == [2, 1]


def test_what_the_stamp_already_tells_is_not_asked_by_a_wrong_login() -> None:
    """A lockout counts them: the working record is known from the stamp, and CURRENT's refusal follows."""
    scene = rotated_scene()
    scene.vault.put_current(BY_HAND)
    scene.target.wrong_logins.clear()
    assert scene.run().outcome == "recovered"
    assert scene.target.wrong_logins == []


def test_at_most_one_wrong_login_per_value_and_attempt() -> None:
    """Without a stamp that can be read first, each value is asked once."""
    scene = rotated_scene(changes_itself=True)
    scene.vault.put_current(BY_HAND)
    scene.target.wrong_logins.clear()
    assert scene.run().outcome == "recovered"
    assert scene.target.wrong_logins == [BY_HAND]


def test_a_paused_credential_begins_nothing_and_is_repaired_all_the_same() -> None:
    """`pause` stops new versions, not the healing of old ones."""
    scene = rotated_scene()
    scene.credential = replace(scene.credential, policy=replace(scene.credential.policy, pause=True))
    assert scene.rotate_now().outcome == "refused"
    assert scene.tick().outcome == "unchanged"
    scene.vault.put_current(BY_HAND)
    assert scene.tick().outcome == "recovered"


@MODES
def test_no_value_is_part_of_an_outcome(*, changes_itself: bool) -> None:
    """Steps, reasons and JSON name versions, never values."""
    scene = Scene(changes_itself=changes_itself)
    text = str(scene.tick().as_dict()) + repr(scene.vault.look())
    assert "minted-1" not in text.replace("value='minted-1'", "")
    assert "by-hand" not in text
