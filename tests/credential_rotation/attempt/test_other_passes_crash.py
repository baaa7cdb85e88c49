"""Kill retire, rollback, adopt, revoke and heal at each of their calls: the promises hold after every call.

Only compromise mode may refuse readers: it kills what they read, on purpose. A rollback whose record lands
when a later pass has looked that then makes that very key inactive stops and pages: nothing is made active by
guess.
"""

from __future__ import annotations

import pytest

from simulators.exploration import Pass, first_broken
from simulators.found import ITSELF, KEYS, PAIR, ROLE, THEIRS
from simulators.scene import Scene

RETIRE = {
    "of a pair": Pass(PAIR.past_grace, Scene.run),
    "of keys, to inactive": Pass(KEYS.past_grace, Scene.run),
    "of keys, soaked": Pass(KEYS.soaked, Scene.run),
}
ROLLBACK = {
    "of a pair": Pass(PAIR.past_grace, Scene.roll_back),
    "of keys": Pass(KEYS.past_grace, Scene.roll_back, may_page="made inactive"),
    "of a key that soaks": Pass(KEYS.soaking, Scene.roll_back),
}
ADOPT = {
    "one role": Pass(ROLE.untouched, Scene.adopt),
    "one that changes itself": Pass(ITSELF.untouched, Scene.adopt),
    "a pair": Pass(PAIR.untouched, Scene.adopt),
    "keys": Pass(KEYS.untouched, Scene.adopt),
    "a person's edit": Pass(ROLE.edited, Scene.adopt),
}
REVOKE = {
    "one role": Pass(ROLE.at_rest, Scene.revoke, readers=False),
    "a pair": Pass(PAIR.past_grace, Scene.revoke, readers=False),
    "keys": Pass(KEYS.past_grace, Scene.revoke, readers=False),
}
HEAL = {
    "an old value pasted": Pass(ROLE.pasted, Scene.run),
    "an old value pasted, changes itself": Pass(ITSELF.pasted, Scene.run),
    "changed and stored by a person": Pass(ROLE.edited, Scene.run),
    "changed behind us": Pass(ROLE.changed_behind_us, Scene.rotate_now, theirs=THEIRS, ends=False),
    "changed behind us, changes itself": Pass(
        ITSELF.changed_behind_us, Scene.rotate_now, theirs=THEIRS, ends=False
    ),
}
ALL = {
    f"{name}: {case}": one
    for name, cases in {
        "retire": RETIRE,
        "rollback": ROLLBACK,
        "adopt": ADOPT,
        "revoke": REVOKE,
        "heal": HEAL,
    }.items()
    for case, one in cases.items()
}


@pytest.mark.parametrize("name", ALL)
def test_no_pass_breaks_a_promise_wherever_it_is_cut(name: str) -> None:
    """Each call x {killed before, killed after, answer lost, landing late}, then the ordinary runs."""
    assert first_broken(ALL[name]) is None
