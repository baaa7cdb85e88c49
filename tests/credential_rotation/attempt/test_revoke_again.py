"""Compromise mode that was cut off, or that somebody works against: asked for again, it gets to its end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from credential_rotation.model import Answer, Probe, Secret
from credential_rotation.policy import Request
from simulators.scene import SETTLE, Scene, rotated_scene
from simulators.world import Crash, Fault

SCENES = {
    "one role": {},
    "itself": {"changes_itself": True},
    "a pair": {"pair": True},
    "keys": {"keys": True},
}
KINDS = ("crash before", "crash after", "answer lost")
THIEFS = "a thief's own"


def asked(scene: Scene) -> Request:
    return Request(scene.world.now, "kim", now=True, force=True, revoke=True, reason="seen in a chat")


def calls_of(kind: str) -> int:
    whole = rotated_scene(**SCENES[kind])
    assert whole.revoke().outcome == "revoked"
    return len(whole.world.calls)


def cut_off(scene: Scene, request: Request, fault: Fault) -> None:
    scene.world.fault = fault
    try:
        scene.run(request)
    except Crash:
        pass
    finally:
        scene.world.fault = None


@pytest.mark.parametrize("hourly", [False, True], ids=["at once", "after an hourly run"])
@pytest.mark.parametrize("kind", SCENES)
def test_wherever_it_was_cut_off_the_same_request_ends_it(kind: str, *, hourly: bool) -> None:
    """At the first try: CURRENT works, the value from before is dead, and the sessions were ended."""
    for number in range(1, calls_of(kind) + 1):
        for cut in KINDS:
            scene = rotated_scene(**SCENES[kind])
            before, request = scene.current, asked(scene)
            cut_off(scene, request, Fault(number, cut))
            scene.target.disconnected.clear()
            if hourly:
                scene.run()
            again = scene.run(request)
            where = f"{cut} call {number}: {again.reason}"
            assert again.outcome == "revoked", where
            assert scene.readers_can_log_in, where
            assert before is not None
            assert not scene.accepts(before), where
            assert scene.target.disconnected or kind == "keys", where


@pytest.mark.parametrize("kind", SCENES)
def test_hourly_runs_alone_see_it_through_without_grace(kind: str) -> None:
    """From the record of the new version on, which says that it revokes: wherever the run was killed."""
    made = rotated_scene(**SCENES[kind])
    made.revoke()
    first = next(at for at, call in enumerate(made.world.calls, 1) if call.endswith("create record"))
    for number in range(first, len(made.world.calls)):
        scene = rotated_scene(**SCENES[kind])
        before = scene.current
        cut_off(scene, asked(scene), Fault(number, "crash after"))
        if not scene.epochs[1:]:
            continue  # what it replaced is ended already
        scene.world.pass_time(SETTLE + timedelta(seconds=1))
        hourly = scene.run()
        where = f"call {number}: {hourly.outcome}, {hourly.reason}"
        assert before is not None
        assert not scene.accepts(before), where
        assert scene.readers_can_log_in, where
        assert hourly.outcome == "revoked", where
        assert scene.target.disconnected or kind == "keys", where


@pytest.mark.parametrize("kind", ["one role", "a pair"])
def test_hourly_runs_do_not_end_everybodys_sessions_while_an_endpoint_is_down(kind: str) -> None:
    """All that is left is to ask it whether the old value is dead there: who has the new one goes on."""
    scene = rotated_scene(**SCENES[kind])
    scene.target.endpoint_answers = (Probe(Answer.UNKNOWN, "replica:5432", "connection refused"),)
    assert scene.revoke().outcome == "unproved"
    scene.target.disconnected.clear()
    for _ in range(3):
        scene.world.pass_time(timedelta(hours=1))
        scene.run()
    assert scene.target.disconnected == []
    scene.target.endpoint_answers = ()
    assert scene.run().outcome == "revoked"
    assert scene.target.disconnected, "once more at the end: nobody knows whether that was done"


@pytest.mark.parametrize("kind", ["one role", "a pair"])
def test_the_hourly_run_that_finishes_it_ends_sessions_though_an_endpoint_is_down(kind: str) -> None:
    """Whoever has the old value may be logged in, and the endpoint may not come back for days."""
    down, found = (Probe(Answer.UNKNOWN, "replica:5432", "connection refused"),), 0
    made = rotated_scene(**SCENES[kind])
    made.target.endpoint_answers = down
    made.revoke()
    for number in range(1, len(made.world.calls)):
        scene = rotated_scene(**SCENES[kind])
        before, scene.target.endpoint_answers = scene.current, down
        cut_off(scene, asked(scene), Fault(number, "crash after"))
        assert before is not None
        if not (scene.epochs[1:] and (scene.accepts(before) or scene.current == before)):
            continue
        scene.target.disconnected.clear()
        scene.world.pass_time(SETTLE + timedelta(seconds=1))
        scene.run()
        assert not scene.accepts(before), f"call {number}"
        assert scene.target.disconnected, f"call {number}"
        found += 1
    assert found


@pytest.mark.parametrize("kind", ["a pair", "keys"])
def test_an_endpoint_that_is_down_keeps_no_value_in_use_alive(kind: str) -> None:
    """Also where another one is in grace: it is dead where it can be asked, and the new version is begun."""
    scene = rotated_scene(**SCENES[kind])
    scene.rotate_now()
    before = [record.secret for record in scene.vault.records.values()]
    down = (Probe(Answer.UNKNOWN, "replica:5432", "connection refused"),)
    scene.target.endpoint_answers = scene.account.endpoint_answers = down
    assert scene.revoke().outcome == "unproved"
    assert not any(map(scene.accepts, before))
    assert scene.readers_can_log_in


def test_a_rollback_wakes_no_key_behind_an_unfinished_one() -> None:
    """The replaced key is inactive when the run is killed: it stays so."""
    made = rotated_scene(keys=True)
    made.revoke()
    at = next(at for at, call in enumerate(made.world.calls, 1) if call.endswith("deactivate"))
    scene = rotated_scene(keys=True)
    before = scene.current
    cut_off(scene, asked(scene), Fault(at, "crash after"))
    assert scene.roll_back().outcome == "refused"
    assert before is not None
    assert not scene.accepts(before)


@pytest.mark.parametrize("kind", ["one role", "a pair"])
def test_one_that_is_over_does_not_come_back(kind: str) -> None:
    """CURRENT is deleted by mistake weeks later: it is written again, and no session is ended for that."""
    scene = rotated_scene(**SCENES[kind])
    assert scene.revoke().outcome == "revoked"
    scene.world.pass_time(timedelta(days=20))
    scene.target.disconnected.clear()
    scene.vault.current = None
    assert scene.run().outcome == "recovered"
    assert scene.target.disconnected == []


def test_a_pair_without_stamps_is_not_disconnected_each_hour() -> None:
    """Where nothing is marked, an hourly run ends what still works, and no session besides."""
    scene = rotated_scene(pair=True)
    scene.target.endpoint_answers = (Probe(Answer.UNKNOWN, "replica:5432", "connection refused"),)
    scene.revoke()
    scene.target.stamps = dict.fromkeys(scene.credential.principals)
    scene.target.disconnected.clear()
    scene.world.pass_time(timedelta(hours=1))
    scene.run()
    assert scene.target.disconnected == []


def test_the_next_version_is_an_ordinary_one_again() -> None:
    """Of one role it is begun while an endpoint still has to be asked about the value from before."""
    scene = rotated_scene()
    scene.target.endpoint_answers = (Probe(Answer.UNKNOWN, "replica:5432", "connection refused"),)
    scene.revoke()
    scene.world.pass_time(timedelta(days=1))
    scene.rotate_now()
    newest = max(scene.vault.records.values(), key=lambda one: one.order)
    assert (newest.epoch, newest.revokes, scene.readers_can_log_in) == (3, False, True)


@pytest.mark.parametrize("kind", ["a pair", "keys"])
def test_nobody_goes_back_behind_an_unfinished_one(kind: str) -> None:
    """Neither by `rollback` nor by putting the old value into CURRENT."""
    scene = rotated_scene(**SCENES[kind])
    before, written = scene.current, "vault: write CURRENT"
    made = rotated_scene(**SCENES[kind])
    made.revoke()
    cut_off(scene, asked(scene), Fault(made.world.calls.index(written) + 1, "crash after"))
    refused = scene.roll_back()
    assert (refused.outcome, "compromise mode" in refused.reason) == ("refused", True)
    assert before is not None
    scene.vault.put_current(before)
    scene.world.pass_time(SETTLE + timedelta(seconds=1))
    scene.run()
    assert not scene.accepts(before)
    assert scene.readers_can_log_in


@pytest.mark.parametrize("waited", [timedelta(0), timedelta(hours=2)], ids=["in grace", "at rest"])
def test_a_password_that_a_thief_has_set_dies_too(waited: timedelta) -> None:
    """A role may change its own: what the replaced role of a pair has is taken away whatever it is."""
    scene = rotated_scene(pair=True)
    scene.rotate_now()
    scene.world.pass_time(waited)
    scene.run()
    current = scene.current
    assert current is not None
    scene.target.passwords[current.principal] = THIEFS
    assert scene.revoke().outcome == "revoked"
    assert not scene.accepts(Secret(current.principal, THIEFS))
    assert scene.readers_can_log_in


@pytest.mark.parametrize("kind", [{}, {"changes_itself": True}, {"pair": True}])
def test_who_changes_the_password_in_an_open_session_is_told(
    monkeypatch: pytest.MonkeyPatch, kind: dict[str, bool]
) -> None:
    """Until it is ended it can: then CURRENT is refused, the run is red, and asking again ends it."""
    scene = rotated_scene(**kind)
    accepts = scene.target.disconnected

    class Thief(list[str]):
        def append(self, principal: str) -> None:
            super().append(principal)
            if scene.current is not None and principal == scene.current.principal:
                scene.target.passwords[principal] = THIEFS

    monkeypatch.setattr(scene.target, "disconnected", Thief(accepts))
    seen = scene.revoke()
    assert (seen.outcome, "changed the password before it was ended" in seen.reason) == ("failed", True)
    assert "NOLOGIN" in seen.next_step


@pytest.mark.parametrize("kind", [{"pair": True}, {"keys": True}], ids=["a pair", "keys"])
def test_current_is_never_given_a_value_from_before(kind: dict[str, bool]) -> None:
    """Where CURRENT is refused and the one before still logs in: not even until the new one is there."""
    scene = rotated_scene(**kind)
    scene.rotate_now()
    broken = scene.current
    assert broken is not None
    written: list[int | None] = []
    if scene.pair:
        scene.target.passwords[broken.principal] = THIEFS
    else:
        scene.account.keys[broken.login].is_active = False

    def note() -> None:
        if scene.world.calls[-1] == "vault: write CURRENT":
            written.append(scene.vault.current.epoch if scene.vault.current else None)

    scene.world.after_each = note
    scene.revoke()
    assert set(written) <= {3}
