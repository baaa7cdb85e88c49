"""Two take turns over one credential, call by call: what holds with the lock held, and what when it is lost.

Every place for two switches is tried, and drawn schedules beyond (`RUNNERS_SEED`, `RUNNERS_DRAWN`).
Not asserted, because no protocol can give it (docs/protocol.md):
- with a lost lock, what becomes of readers: the vault fences nobody, so that an old CURRENT may be written;
- of a claim, which is no fence, that a key is ended while CURRENT is another one's; ordinary runs may then
  stop with a page that names it;
- who changes itself has no stamp: its lock and its session are one, so that it cannot lose the first alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import count

import pytest

from simulators.exploration import Pass
from simulators.found import (
    ITSELF,
    KEYS,
    PAIR,
    ROLE,
    THEIRS,
    Found,
    Make,
    edit,
    edit_note,
    make_a_key,
    paste,
)
from simulators.keys import CLAIM
from simulators.scene import SETTLE, Scene
from simulators.turnstile import Turnstile, turnstile
from simulators.two_runners import (
    FIRST,
    SECOND,
    Two,
    asleep,
    current_logs_in,
    drawn,
    end_session,
    forget_lock,
    lost,
    nobody_is_called,
    said_done_unread,
    two_switches,
)

SEED, DRAWN = int(os.environ.get("RUNNERS_SEED", "1")), int(os.environ.get("RUNNERS_DRAWN", "5"))
Act = Callable[[Scene], object]

AT_REST: Mapping[str, Make] = {
    "a role": ROLE.at_rest,
    "one that changes itself": ITSELF.at_rest,
    "nothing stored yet": lambda: Scene(stored=False),
    "a pair past grace": PAIR.past_grace,
    "keys past grace": KEYS.past_grace,
    "keys at rest": KEYS.at_rest,
    "keys never rotated": KEYS.untouched,
}
ACTS: Mapping[str, Act] = {"rotate": Scene.rotate_now, "retire": Scene.run, "rollback": Scene.roll_back}
ALL = [(one, other) for one in ACTS for other in ACTS]
ROTATE = [("rotate", "rotate")]
MEET: Mapping[str, list[tuple[str, str]]] = dict.fromkeys(AT_REST, ROTATE) | {
    "a pair past grace": ALL,
    "keys past grace": ALL,
}
"""Of one role nothing is retired nor rolled back."""


def cases(*only: str, **promised: object) -> dict[str, Two]:
    """Two passes over each of these, the first of them in either part."""
    return {
        f"{name}: {first} x {second}": Two(
            replace(Pass(AT_REST[name], ACTS[first]), **promised),  # type: ignore[arg-type]  # fields of Pass
            ACTS[second],
        )
        for name in only or AT_REST
        for first, second in MEET[name]
    }


ON_POSTGRES = ("a role", "one that changes itself", "a pair past grace")
FENCED = ("a role", "a pair past grace")
ON_IAM = ("keys past grace", "keys at rest", "keys never rotated")

HELD = {name: replace(two, after=nobody_is_called) for name, two in cases().items()}
SESSION_ENDED = {
    name: lost(two, end_session, after=current_logs_in) for name, two in cases(*ON_POSTGRES).items()
}
LOCK_FORGOTTEN = {name: lost(two, forget_lock) for name, two in cases(*FENCED).items()}
ASLEEP = {
    f"{name}, asleep past {what}": lost(two, asleep(how_long + timedelta(minutes=1)), both_sleep=False)
    for name, two in cases(*ON_IAM).items()
    for what, how_long in {"its claim": CLAIM, "settling": SETTLE}.items()
}
GROUPS = {
    "with the lock held": HELD,
    "session ended by the server": SESSION_ENDED,
    "lock lost, session alive": LOCK_FORGOTTEN,
    "claim": ASLEEP,
}
TWO = {f"{group}: {name}": two for group, these in GROUPS.items() for name, two in these.items()}


PERSON: Mapping[str, tuple[Make, Act, dict[str, object]]] = {
    "an old value is pasted": (ROLE.at_rest, paste, {}),
    "an old value is pasted, changes itself": (ITSELF.at_rest, paste, {}),
    "an old value is pasted, a pair": (PAIR.past_grace, paste, {}),
    "an old value is pasted, keys": (KEYS.past_grace, paste, {}),
    "the note is edited": (ROLE.at_rest, edit_note, {}),
    "the note is edited, changes itself": (ITSELF.at_rest, edit_note, {}),
    "the note is edited, a pair": (PAIR.past_grace, edit_note, {}),
    "the note is edited, keys": (KEYS.past_grace, edit_note, {}),
    "the value is changed": (ROLE.at_rest, edit, {"brings": THEIRS}),
    "the value is changed, changes itself": (ITSELF.at_rest, edit, {"brings": THEIRS}),
    "a key is made": (KEYS.past_grace, make_a_key, {"ends": False}),
}
WITH_A_PERSON = {
    f"{name}, while we {what}": Two(
        replace(Pass(make, act), readers=False, **promised),  # type: ignore[arg-type]  # fields of Pass
        person,
        after=said_done_unread,
    )
    for name, (make, person, promised) in PERSON.items()
    for what, act in (ACTS if "pair" in name or "key" in name else {"rotate": Scene.rotate_now}).items()
}


@pytest.mark.parametrize("name", TWO)
def test_however_two_take_turns_every_promise_holds(name: str) -> None:
    """Wherever the second comes between, and is itself interrupted."""
    broken = [f"{where}: {what}" for where, what in two_switches(TWO[name]) if what]
    assert broken == []


@pytest.mark.parametrize("name", WITH_A_PERSON)
def test_whatever_a_person_does_meanwhile_no_stored_value_is_lost(name: str) -> None:
    """Between any two calls: some stored value logs in, or the person's own; what they made is untouched."""
    broken = [f"{where}: {what}" for where, what in two_switches(WITH_A_PERSON[name]) if what]
    assert broken == []


@pytest.mark.parametrize("found", [ROLE, ITSELF, PAIR, KEYS])
def test_whoever_verifies_while_another_rotates_sees_nothing_broken(found: Found) -> None:
    """Wherever the rotation comes between its calls: what was replaced meanwhile is asked about anew."""
    said: list[str] = []
    for calls in count():
        scene = found.at_rest()
        with turnstile(scene.world, {FIRST: scene.verify, SECOND: scene.rotate_now}) as stands:
            is_over = stands.let(FIRST, calls)
            stands.let(SECOND)
            stands.let(FIRST)
            verified = stands.said(FIRST)
        assert verified is not None
        said.append(verified.outcome)
        if is_over:
            break
    assert set(said) == {"ok"}


@pytest.mark.parametrize("name", TWO | WITH_A_PERSON)
def test_drawn_schedules_break_no_promise_either(name: str) -> None:
    """Many switches, each schedule by its seed."""
    two = (TWO | WITH_A_PERSON)[name]
    played = [drawn(two, seed) for seed in range(SEED, SEED + DRAWN)]
    assert [f"{where}: {what}" for where, what in played if what] == []


@pytest.mark.parametrize("found", [PAIR, KEYS])
def test_a_value_that_a_person_puts_back_meanwhile_is_not_ended(found: Found) -> None:
    """Between the look and the end of the old value: CURRENT is read once more, and is what was put back."""
    scene = found.past_grace()
    [before] = [one.secret for one in scene.vault.records.values() if one.secret != scene.current]
    scene.world.calls.clear()
    with turnstile(scene.world, {FIRST: scene.run}) as stands:
        while f"{FIRST}: target: probe" not in scene.world.calls:
            stands.let(FIRST, 1)
        scene.vault.put_current(before)
        assert stands.let(FIRST)
    assert scene.readers_can_log_in


@pytest.mark.parametrize("name", ["a role: rotate x rotate", "keys past grace: rotate x retire"])
def test_while_one_holds_the_lock_the_other_is_busy(name: str) -> None:
    """It is told so, and has changed nothing."""
    said: list[str] = []

    def note(_: Scene, stands: Turnstile) -> None:
        outcome = stands.said(SECOND)
        said.append(outcome.outcome if outcome else "")

    list(two_switches(replace(HELD[name], after=note)))
    assert "busy" in said
