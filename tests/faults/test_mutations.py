"""The exploration can fail: each accident, planted into the real code, breaks a promise that it names.

Each row plants one accident of docs/protocol.md, or knocks out one rule, in one pass that should notice it.
Look-again has its plant beside the two runners. Not planted: accidents 6, 7, 11, 12, and fence, move-stamp,
old-enough, no read-back. They need two runners that alternate call by call, or a person between two calls.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

import pytest

from credential_rotation import adoption, attempt, by_person, key_work, password_work, promotion, retirement
from credential_rotation.errors import ApplyUnknown
from credential_rotation.key_work import KeyWork
from credential_rotation.look import Look
from credential_rotation.model import Intent, Key, Record, Secret
from credential_rotation.password_work import PasswordWork
from credential_rotation.protocols import Session
from credential_rotation.turn import Turn
from simulators.exploration import MINUTE, Pass, first_broken
from simulators.scene import BY_HAND, GRACE, SETTLE, Scene, rotated_scene
from simulators.world import Crash, Fault

Plant = Callable[[pytest.MonkeyPatch], None]


def drop_before_current(patch: pytest.MonkeyPatch) -> None:
    """Accident 1: the record goes before CURRENT is written."""

    def promote(turn: Turn, look: Look, record: Record, *, gated: bool = False) -> None:
        turn.vault.delete((record.id,))
        real(turn, look, record, gated=gated)

    real = promotion.promote
    patch.setattr(password_work, "promote", promote)


def retire_every_record(patch: pytest.MonkeyPatch) -> None:
    """Accidents 2 and 3: CURRENT's own record counts as replaced."""
    patch.setattr(Look, "older", property(lambda look: look.stored.records))
    patch.setattr(retirement, "_goes", lambda _turn, _look, record, end, _by: end(record))


def one_slot(patch: pytest.MonkeyPatch) -> None:
    """Accident 4: every new version is written into one place, so that a late write overwrites."""
    real = PasswordWork.begin

    def begin(work: PasswordWork) -> None:
        vault = cast("Any", work.turn.vault)
        kept, vault._ids = vault._ids, itertools.repeat("slot")
        try:
            real(work)
        finally:
            vault._ids = kept

    patch.setattr(PasswordWork, "begin", begin)


def drop_on_apply_error(patch: pytest.MonkeyPatch) -> None:
    """Accident 5: an apply without an answer counts as one that did not happen."""
    real = promotion.apply

    def apply(turn: Turn, look: Look, session: Session, record: Record) -> None:
        try:
            real(turn, look, session, record)
        except ApplyUnknown:
            turn.vault.delete((record.id,))
            raise

    patch.setattr(password_work, "apply", apply)


def delete_without_proof(patch: pytest.MonkeyPatch) -> None:
    """Accident 8: a key that appeared after an intent counts as its."""

    def judge(work: KeyWork, key: Key, _intent: Intent) -> None:
        work.session.deactivate(key.login)
        work.session.remove(key.login)

    patch.setattr(KeyWork, "_judge", judge)


def suspect_recorded_keys(patch: pytest.MonkeyPatch) -> None:
    """Accident 9: a key that a record names is suspected like any other."""
    delete_without_proof(patch)
    patch.setattr(key_work, "unknown_keys", lambda _look, keys: keys)


def overwrite_by_guess(patch: pytest.MonkeyPatch) -> None:
    """Accident 10: no stored value works, and the run goes on."""
    patch.setattr(attempt, "_heal", lambda turn, _look: setattr(turn, "nothing_works", True))


def adopt_by_rewriting(patch: pytest.MonkeyPatch) -> None:
    """Accident 13: CURRENT is written again just to take it over."""

    def adopt(turn: Turn, look: Look) -> None:
        if look.own is None and look.stored.current is not None:
            current = look.stored.current
            made = Record("x", 0, turn.id, current.revised, current.revised, current.secret, "db.example")
            turn.vault.promote(current, made, attempt=turn.id, now=turn.clock())
        real(turn, look)

    real = adoption.adopt
    patch.setattr(attempt, "adopt", adopt)
    patch.setattr(by_person, "adopt", adopt)


def record_after_apply(patch: pytest.MonkeyPatch) -> None:
    """The target knows a value first, the vault after it."""

    def begin(work: PasswordWork) -> None:
        turn, look = work.turn, work.look
        now, secret = turn.clock(), work.rotator.mint(look.idle)
        loose = Record("x", (look.newest_epoch or 0) + 1, turn.id, now, now, secret, "db.example")
        promotion.apply(turn, look, work.session, loose)
        kept = turn.vault.record(epoch=loose.epoch, attempt=turn.id, written=now, secret=secret)
        look.add(kept)
        promotion.promote(turn, look, kept)
        turn.ending.rotated(kept)

    patch.setattr(PasswordWork, "begin", begin)


def promote_before_verify(patch: pytest.MonkeyPatch) -> None:
    """CURRENT is written first, and the target told after it."""
    real = promotion.apply

    def apply(turn: Turn, look: Look, session: Session, record: Record) -> None:
        turn.vault.promote(look.stored.current, record, attempt=turn.id, now=turn.clock())
        real(turn, look, session, record)

    patch.setattr(password_work, "apply", apply)


def forget_own_record(patch: pytest.MonkeyPatch) -> None:
    """keep-record: CURRENT is thought to be enough."""
    real = promotion.promote

    def promote(turn: Turn, look: Look, record: Record, *, gated: bool = False) -> None:
        real(turn, look, record, gated=gated)
        turn.vault.delete((record.id,))

    patch.setattr(password_work, "promote", promote)


def no_adopt(patch: pytest.MonkeyPatch) -> None:
    """The first value gets no record."""
    patch.setattr(attempt, "adopt", lambda _turn, _look: None)


def no_forward(patch: pytest.MonkeyPatch) -> None:
    """What was begun is left as it is."""
    patch.setattr(PasswordWork, "finish", lambda _work: None)


def no_settle(patch: pytest.MonkeyPatch) -> None:
    """Nobody waits for what may still land."""
    patch.setattr(Turn, "is_settling", property(lambda _: False))


def no_epoch_order(patch: pytest.MonkeyPatch) -> None:
    """Versions are told apart by anything but their number."""
    patch.setattr(Record, "order", property(lambda record: (-record.epoch, record.written, record.attempt)))


def no_proof_of_death(patch: pytest.MonkeyPatch) -> None:
    """Retired without asking."""
    patch.setattr(retirement, "_is_dead", lambda *_: True)


def old_value_lives(patch: pytest.MonkeyPatch) -> None:
    """No proof, on a pair whose kill is thought to have happened."""
    no_proof_of_death(patch)
    patch.setattr(PasswordWork, "_end", lambda _work, _record: True)


def past_grace(**kind: bool) -> Callable[[], Scene]:
    """Rotated twice, and grace over."""

    def make() -> Scene:
        scene = rotated_scene(**kind)
        scene.rotate_now()
        scene.world.pass_time(GRACE + MINUTE)
        return scene

    return make


def person_makes_a_key() -> Scene:
    """A run was killed before its mint; a person has made a key meanwhile, and it settled."""
    probe = rotated_scene(keys=True)
    probe.rotate_now()
    scene = rotated_scene(keys=True)
    scene.world.fault = Fault(probe.world.calls.index("target: mint") + 1, "crash before")
    with suppress(Crash):
        scene.rotate_now()
    scene.world.fault = None
    scene.account.make_by_hand()
    scene.world.pass_time(SETTLE + MINUTE)
    return scene


def late_old_intent() -> Scene:
    """An intent from before CURRENT's key was made lands late."""
    scene = rotated_scene(keys=True)
    early = scene.world.now.replace(day=25, minute=0)
    scene.vault.intend(epoch=1, attempt="beef", written=early, there=())
    scene.world.pass_time(SETTLE + MINUTE)
    return scene


def changed_behind_us() -> Scene:
    """A person has changed the target and told nobody."""
    scene = rotated_scene()
    scene.target.password = "a person's"
    return scene


def paste(scene: Scene) -> None:
    """A person stores an old value."""
    scene.vault.put_current(BY_HAND)


def edit(scene: Scene) -> None:
    """A person changes the target and stores the value, while a late write may be on its way."""
    theirs = Secret("etl", "a person's")
    scene.target.password = theirs.password
    scene.vault.put_current(theirs)


ROLE = Pass(rotated_scene, Scene.rotate_now)
FIRST = Pass(Scene, Scene.rotate_now)
PAIR = Pass(lambda: rotated_scene(pair=True), Scene.rotate_now)
FIRST_KEYS = Pass(lambda: Scene(keys=True), Scene.rotate_now)
KEYS = Pass(lambda: rotated_scene(keys=True), Scene.rotate_now)
RETIRE_PAIR = Pass(past_grace(pair=True), Scene.run)
PERSONS_KEY = Pass(person_makes_a_key, Scene.run, foreign=frozenset({"KEY3"}), ends=False)
LATE_INTENT = Pass(late_old_intent, Scene.run)
BEHIND_US = Pass(changed_behind_us, Scene.rotate_now, theirs=Secret("etl", "a person's"), ends=False)
PASTED = Pass(rotated_scene, Scene.rotate_now, meddle=paste)
EDITED = Pass(Scene, Scene.adopt, meddle=edit)

PLANTS: dict[str, tuple[Plant, Pass, str]] = {
    "1 the record goes before CURRENT is written": (drop_before_current, ROLE, "no stored value logs in"),
    "2, 3 CURRENT's own value is retired": (retire_every_record, FIRST_KEYS, "no stored value logs in"),
    "4 a slot instead of a record": (one_slot, ROLE, "no stored value logs in"),
    "5 drop on apply error": (drop_on_apply_error, ROLE, "no stored value logs in"),
    "8 a key deleted without proof": (delete_without_proof, PERSONS_KEY, "a person's key was made inactive"),
    "9 a recorded key is a suspect": (suspect_recorded_keys, LATE_INTENT, "no stored value logs in"),
    "10 a person's value overwritten": (overwrite_by_guess, BEHIND_US, "a person's value was overwritten"),
    "13 adopt by rewriting CURRENT": (adopt_by_rewriting, EDITED, "no stored value logs in"),
    "record after apply": (record_after_apply, ROLE, "no stored value logs in"),
    "promote before verify": (promote_before_verify, PAIR, "readers are refused"),
    "no record kept": (forget_own_record, PASTED, "no stored value logs in"),
    "no adopt": (no_adopt, FIRST, "do not end clean"),
    "no roll forward": (no_forward, ROLE, "do not end clean"),
    "no settling": (no_settle, KEYS, "a key is left over"),
    "no epoch order": (no_epoch_order, ROLE, "an older version was applied"),
    "retire without proof": (old_value_lives, RETIRE_PAIR, "a living value was forgotten"),
}


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_accident_breaks_a_promise(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exploration says which one."""
    plant, one, promise = PLANTS[name]
    plant(monkeypatch)
    assert promise in (first_broken(one) or "nothing")


@pytest.mark.parametrize("one", list(dict.fromkeys(one for _, one, _ in PLANTS.values())))
def test_without_a_plant_nothing_is_broken(one: Pass) -> None:
    """So that what is found above is the accident's doing."""
    assert first_broken(one) is None
