"""The exploration can fail: each accident, planted into the real code, breaks a promise that it names.

`PLANTS` has the accidents of docs/protocol.md and its rules: what is planted, where it has to be noticed, and
which promise it breaks there. On the real parts the campaign has two of them planted (`test_campaign.py`);
the fence on a real server has tests of its own (`engines/postgres/test_session.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from scenes.plants import for_one, for_two
from scenes.plants.for_one import Plant
from simulators.exploration import MINUTE, Pass, first_broken
from simulators.found import (
    ITSELF,
    KEYS,
    PAIR,
    ROLE,
    THEIRS,
    killed,
    paste,
    with_a_late_old_intent,
    with_a_persons_key,
    with_a_record_on_its_way,
)
from simulators.keys import CLAIM
from simulators.scene import Scene
from simulators.turnstile import Turnstile
from simulators.two_runners import (
    Two,
    asleep,
    current_logs_in,
    end_session,
    forget_lock,
    lost,
    said_done_unread,
    two_switches,
)


def refused_though_applied() -> Scene:
    """A version of a pair is open and stamped, and a person has changed the role behind it."""
    scene = killed(PAIR.at_rest, "apply", "crash after")()
    scene.target.passwords[scene.target.principals[0]] = THEIRS.password
    return scene


def edit_at_once(scene: Scene) -> None:
    """A person changes the target and stores the value, while a late write may be on its way."""
    scene.target.password = THEIRS.password
    scene.vault.put_current(THEIRS)


def look_away(scene: Scene, _: Turnstile) -> None:
    """What the next runs do with a record that came from a run without a lock is not asked here."""
    scene.world.after_each = lambda: None


def wait(scene: Scene) -> None:
    """Two minutes go by."""
    scene.world.pass_time(2 * MINUTE)


IN_PLACE = Pass(ROLE.at_rest, Scene.rotate_now)
TURNS = Pass(PAIR.at_rest, Scene.rotate_now)
FIRST_KEYS = Pass(KEYS.untouched, Scene.rotate_now)
NEW_KEY = Pass(KEYS.at_rest, Scene.rotate_now)
RETIRE = Pass(PAIR.past_grace, Scene.run)
ROLL_BACK = Pass(PAIR.past_grace, Scene.roll_back)
PERSONS_KEY = Pass(with_a_persons_key, Scene.run, ends=False)
BEHIND_US = Pass(ROLE.changed_behind_us, Scene.rotate_now, theirs=THEIRS, ends=False)
RESET = Pass(refused_though_applied, Scene.run, theirs=THEIRS, ends=False)
JUDGE = Pass(with_a_record_on_its_way, Scene.run)
BY_PERSON = Pass(ROLE.at_rest, Scene.rotate_now, readers=False)

PLANTS: dict[str, tuple[Plant, Pass | Two, str]] = {
    "1 the record goes before CURRENT is written": (
        for_one.drop_before_current,
        IN_PLACE,
        "no stored value logs in",
    ),
    "2, 3 CURRENT's own value is retired": (
        for_one.retire_every_record,
        FIRST_KEYS,
        "no stored value logs in",
    ),
    "4 a slot instead of a record": (for_one.one_slot, IN_PLACE, "no stored value logs in"),
    "5 drop on apply error": (for_one.drop_on_apply_error, IN_PLACE, "no stored value logs in"),
    "6 locked on one session, applied on another": (
        for_two.apply_on_another_session,
        lost(
            Two(Pass(ITSELF.at_rest, Scene.rotate_now), Scene.rotate_now), end_session, after=current_logs_in
        ),
        "CURRENT does not log in when both have ended",
    ),
    "7 a retirer kills whatever the stamp says": (
        for_two.kill_whatever_the_stamp_says,
        lost(Two(RETIRE, Scene.rotate_now), forget_lock),
        "something was retired while CURRENT does not log in",
    ),
    "8 a key deleted without proof": (
        for_one.delete_without_proof,
        PERSONS_KEY,
        "a person's key was made inactive",
    ),
    "9 a recorded key is a suspect": (
        for_one.suspect_recorded_keys,
        Pass(with_a_late_old_intent, Scene.run),
        "no stored value logs in",
    ),
    "10 a person's value overwritten": (
        for_one.overwrite_by_guess,
        BEHIND_US,
        "a person's value was overwritten",
    ),
    "11, old-enough: a key judged while its run may still write it down": (
        for_two.judge_young_keys,
        lost(Two(NEW_KEY, Scene.rotate_now), asleep(CLAIM + MINUTE), both_sleep=False),
        "a key was ended before its run could write it down",
    ),
    "12, look-again: the records read before a late one landed": (
        for_two.judge_by_records_from_before,
        Two(JUDGE, wait),
        "the key of an open version was ended",
    ),
    "13 adopt by rewriting CURRENT": (
        for_one.adopt_by_rewriting,
        Pass(ROLE.untouched, Scene.adopt, meddle=edit_at_once),
        "no stored value logs in",
    ),
    "record after apply": (for_one.record_after_apply, IN_PLACE, "no stored value logs in"),
    "promote before verify": (for_one.promote_before_verify, TURNS, "readers are refused"),
    "no read-back": (
        for_one.no_read_back,
        Two(BY_PERSON, paste, after=said_done_unread),
        "rotated was said of a CURRENT that was not read back",
    ),
    "keep-record: none is kept": (
        for_one.forget_own_record,
        Pass(ROLE.at_rest, Scene.rotate_now, meddle=paste),
        "no stored value logs in",
    ),
    "adopt: never": (for_one.no_adopt, Pass(ROLE.untouched, Scene.rotate_now), "do not end clean"),
    "forward: never": (for_one.no_forward, IN_PLACE, "do not end clean"),
    "fence: applied whatever the stamp says": (
        for_two.apply_whatever_the_stamp_says,
        lost(Two(IN_PLACE, Scene.rotate_now), forget_lock, after=current_logs_in),
        "CURRENT does not log in when both have ended",
    ),
    "fence: the stamp read after the vault": (
        for_two.stamps_after_the_vault,
        Two(replace(TURNS, alone=False), Scene.rotate_now, asleep=forget_lock, after=look_away),
        "readers are refused",
    ),
    "fence: a rollback leaves the stamp": (
        for_two.rollback_without_a_stamp,
        lost(Two(ROLL_BACK, Scene.run), forget_lock),
        "something was retired while CURRENT does not log in",
    ),
    "a version that somebody has changed is set again": (
        for_one.set_it_again,
        RESET,
        "a person's value was overwritten by guess",
    ),
    "settle: never": (for_one.no_settle, NEW_KEY, "a key was ended before its run could write it down"),
    "epoch order: none": (for_one.no_epoch_order, IN_PLACE, "an older version was applied"),
    "look-again: never after the lock": (
        for_two.no_look_again,
        Two(TURNS, Scene.rotate_now),
        "readers are refused",
    ),
    "retire without proof": (for_one.old_value_lives, RETIRE, "a living value was forgotten"),
}


def broken_by(case: Pass | Two) -> Iterator[str]:
    """The promises that do not hold."""
    found = (first_broken(case),) if isinstance(case, Pass) else (what for _, what in two_switches(case))
    return (one for one in found if one is not None)


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_accident_breaks_a_promise(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exploration says which one."""
    plant, case, promise = PLANTS[name]
    plant(monkeypatch.setattr)
    assert next((one for one in broken_by(case) if promise in one), "")


@pytest.mark.parametrize("case", list(dict.fromkeys(case for _, case, _ in PLANTS.values())))
def test_without_a_plant_nothing_is_broken(case: Pass | Two) -> None:
    """So that what is found above is the accident's doing."""
    assert list(broken_by(case)) == []
