"""Compromise mode: nothing from before lives on, nothing is waited for, and nobody goes back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from credential_rotation.errors import BadInput, TargetUnknown
from credential_rotation.model import Answer, Probe
from credential_rotation.policy import Request
from simulators.scene import BY_HAND, START, Scene, rotated_scene
from simulators.world import Crash

SCENES = {"one role": {}, "a pair": {"pair": True}, "keys": {"keys": True}}


@pytest.fixture(params=SCENES)
def scene(request: pytest.FixtureRequest) -> Scene:
    return rotated_scene(**SCENES[request.param])


def test_the_old_value_is_refused_at_once(scene: Scene) -> None:
    """No grace and no soak: when it returns, only the new value logs in."""
    before = scene.current
    revoked = scene.revoke()
    assert revoked.outcome == "revoked"
    assert before is not None
    assert not scene.accepts(before)
    assert scene.readers_can_log_in
    assert scene.epochs == [2]
    assert not scene.vault.endings


def test_a_value_in_grace_dies_too(scene: Scene) -> None:
    """What was replaced an hour ago may be what was seen."""
    scene.rotate_now()
    before = [record.secret for record in scene.vault.records.values()]
    assert scene.revoke().outcome == "revoked"
    assert not any(map(scene.accepts, before))
    assert len(scene.account.keys) == 1 or not scene.keys


def test_a_broken_consumer_does_not_keep_it_alive(scene: Scene) -> None:
    """It is told, and the value dies all the same."""
    before = scene.current
    scene.consumers.answers = (Probe(Answer.REFUSED, "dag load", "reads a copy"),)
    assert scene.revoke().outcome == "unproved"
    assert before is not None
    assert not scene.accepts(before)


def test_an_endpoint_that_is_down_does_not_keep_it_alive() -> None:
    """As a consumer: what may be in wrong hands dies, and whoever does not know the new value is named."""
    for kind in ({"pair": True}, {"keys": True}):
        scene = rotated_scene(**kind)
        before = scene.current
        down = (Probe(Answer.UNKNOWN, "replica:5432", "connection refused"),)
        scene.target.endpoint_answers = scene.account.endpoint_answers = down
        told = scene.revoke()
        assert (told.outcome, "replica:5432" in told.reason) == ("unproved", True)
        assert before is not None
        assert not scene.accepts(before)
        assert scene.readers_can_log_in


def test_it_waits_for_no_settling(scene: Scene) -> None:
    """An earlier run that was not seen to end is no reason to leave a known value alive."""
    scene.world.pass_time(timedelta(days=1))
    scene.vault.records.clear()
    scene.run()
    assert scene.rotate_now().outcome == "waiting"
    assert scene.revoke().outcome == "revoked"


@pytest.mark.parametrize("kind", [{}, {"pair": True}])
def test_open_sessions_are_ended(kind: dict[str, bool]) -> None:
    """A changed password ends none by itself."""
    scene = rotated_scene(**kind)
    scene.revoke()
    assert set(scene.target.disconnected) == set(scene.credential.principals)


def test_sessions_at_endpoints_are_ended_too_or_told() -> None:
    """A replica has its own; where one could not be looked at, it is not revoked, and what to run is said."""
    scene = rotated_scene(pair=True)
    scene.target.sessions_elsewhere = [("replica.example:5432", 2)]
    done = scene.revoke()
    assert done.outcome == "revoked"
    told = [step.detail for step in done.steps if step.name == "disconnected"]
    assert told[-1] == "2 sessions of etl and etl_b at replica.example:5432"
    error = TargetUnknown("open sessions at pooler.example could not be ended", next_step="KILL there.")
    scene.target.sessions_elsewhere = [("pooler.example:6432", error)]
    left = scene.revoke()
    assert left.outcome == "unproved"
    assert "open sessions at pooler.example could not be ended. KILL there." in left.reason
    assert "etl and etl_b at pooler.example:6432" in {step.detail for step in left.steps}


def test_an_ordinary_rotation_ends_no_session() -> None:
    """Work that runs goes on."""
    scene = rotated_scene()
    scene.rotate_now()
    assert scene.target.disconnected == []


def test_it_never_goes_back_to_a_value_from_before() -> None:
    """CURRENT is refused and a record logs in: an admin sets a new one, and the record's value dies."""
    scene = rotated_scene()
    [record] = scene.vault.records.values()
    scene.vault.put_current(BY_HAND)
    assert scene.revoke().outcome == "revoked"
    assert not scene.accepts(record.secret)
    assert scene.readers_can_log_in


def test_whoever_comes_back_after_a_kill_finishes_it_as_a_revocation(scene: Scene) -> None:
    """Wherever it was killed after the new value was CURRENT: the same request, and the evidence says so."""
    before, asked = scene.current, scene.world.now
    assert before is not None
    request = Request(asked, "kim", now=True, force=True, revoke=True, reason="seen in a chat")

    def kill() -> None:
        if scene.world.calls[-1] == "vault: write CURRENT":
            raise Crash

    scene.world.after_each = kill
    with pytest.raises(Crash):
        scene.run(request)
    scene.world.after_each = lambda: None
    again = scene.run(request)
    assert again.outcome == "revoked"
    assert "every value from before is dead" in again.reason
    assert not scene.accepts(before)
    assert scene.epochs == [2]


def test_it_needs_a_reason() -> None:
    """It is what an auditor asks for first."""
    with pytest.raises(BadInput, match="reason"):
        Request(START, "someone", now=True, force=True, revoke=True)
