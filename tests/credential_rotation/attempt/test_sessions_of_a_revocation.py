"""Wherever a revocation is killed, hourly runs alone end the sessions that were opened with the old value."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta

import pytest

from credential_rotation.errors import TargetUnknown
from credential_rotation.model import Answer, Probe
from simulators.scene import GRACE, SETTLE, Scene, rotated_scene
from simulators.world import Crash, Fault

SCENES = {"one role": {}, "itself": {"changes_itself": True}, "a pair": {"pair": True}}
DOWN = (Probe(Answer.UNKNOWN, "replica:5432", "connection refused"),)
HOUR = timedelta(hours=1)


def scene_of(kind: str, *, is_down: bool) -> Scene:
    scene = rotated_scene(**SCENES[kind])
    scene.target.endpoint_answers = DOWN if is_down else ()
    return scene


def killed(kind: str, at: int, *, is_down: bool) -> tuple[Scene, bool]:
    """The scene, and whether everybody's sessions had been ended by then, behind all that was changed."""
    scene = scene_of(kind, is_down=is_down)
    assert scene.is_killed_after(at, scene.revoke)
    everybody = list(scene.credential.principals)
    was_ended = scene.target.disconnected[-len(everybody) :] == everybody
    scene.target.disconnected.clear()
    scene.world.pass_time(SETTLE + timedelta(seconds=1))
    return scene, was_ended


@pytest.mark.parametrize("is_down", [False, True], ids=["all answer", "an endpoint is down"])
@pytest.mark.parametrize("kind", SCENES)
def test_no_kill_leaves_a_session_from_before_open(kind: str, *, is_down: bool) -> None:
    """Once the new version is on record: also where it is CURRENT, and all that was left is sessions."""
    whole = scene_of(kind, is_down=is_down)
    whole.revoke()
    first = next(at for at, call in enumerate(whole.world.calls, 1) if call.endswith("create record"))
    for at in range(first, len(whole.world.calls) + 1):
        scene, was_ended = killed(kind, at, is_down=is_down)
        told = scene.run()
        assert was_ended or scene.target.disconnected, f"call {at}: {told.outcome}, {told.reason}"


@pytest.mark.parametrize("kind", SCENES)
def test_they_are_ended_once_while_an_endpoint_is_down(kind: str) -> None:
    """A note in the journal says so: who has the new value is not cut off each hour."""
    whole = scene_of(kind, is_down=True)
    whole.revoke()
    written = next(at for at, call in enumerate(whole.world.calls, 1) if call.endswith("write CURRENT"))
    scene, _ = killed(kind, written, is_down=True)
    scene.run()
    assert scene.target.disconnected
    scene.target.disconnected.clear()
    for _ in range(3):
        scene.world.pass_time(HOUR)
        scene.run()
    assert scene.target.disconnected == []
    scene.target.endpoint_answers = ()
    assert scene.run().outcome == "revoked"
    assert not scene.vault.endings, "the note goes with the record"


def test_a_note_that_cannot_be_written_keeps_nothing_from_its_end() -> None:
    """Bitwarden is gone for a moment: sessions are ended again an hour later, and then it is noted."""
    scene = scene_of("one role", is_down=True)
    whole = scene_of("one role", is_down=True)
    whole.revoke()
    noted = next(at for at, call in enumerate(whole.world.calls, 1) if call.endswith("create ending"))
    scene.world.fault = Fault(noted, "late", lands=10**6)
    told = scene.revoke()
    scene.world.fault, scene.world.late = None, []
    assert told.outcome == "unproved", told.reason
    scene.target.disconnected.clear()
    for expected in (["etl"], []):
        scene.world.pass_time(HOUR)
        scene.run()
        assert scene.target.disconnected == expected
        scene.target.disconnected.clear()


def test_what_still_logs_in_is_not_noted_as_ended() -> None:
    """While an earlier run's writes may land the old value lives: whoever logs in with it is ended later."""
    scene = scene_of("a pair", is_down=True)
    for call, wait in (
        ("target: apply", SETTLE),
        ("vault: write CURRENT", timedelta(0)),
        ("", SETTLE),
        ("target: kill", HOUR),
    ):
        scene.world.calls.clear()
        _run_until(scene, call)
        scene.world.pass_time(wait + timedelta(seconds=1))
    scene.target.disconnected.clear()
    scene.run()
    assert scene.target.disconnected == ["etl", "etl_b"]


def _run_until(scene: Scene, call: str) -> None:
    """Killed right after this call; "" where it may come to its end."""

    def kill() -> None:
        if scene.world.calls[-1] == call:
            raise Crash

    scene.world.after_each = kill
    with nullcontext() if not call else pytest.raises(Crash):
        scene.revoke() if scene.epochs == [1] else scene.run()
    scene.world.after_each = lambda: None


def test_a_note_gives_no_password_a_soak() -> None:
    """Only a key can come back: what such a note is beside goes when its grace is over."""
    scene = scene_of("a pair", is_down=False)
    scene.rotate_now()
    scene.world.pass_time(GRACE + timedelta(minutes=1))
    replaced = min(scene.vault.records.values(), key=lambda one: one.order)
    scene.vault.begin_ending(replaced, now=scene.world.now)
    assert scene.run().outcome == "retired"


def test_where_sessions_cannot_be_ended_the_old_record_goes_all_the_same() -> None:
    """A missing right is told once, and no hour ends the primary's sessions for it."""
    scene = scene_of("one role", is_down=False)
    refused = TargetUnknown("replica:5432: no answer", next_step="End them by hand.")
    scene.target.sessions_elsewhere = [("replica:5432", refused)]
    assert scene.revoke().outcome == "unproved"
    assert scene.epochs == [2]
    scene.target.disconnected.clear()
    scene.world.pass_time(HOUR)
    scene.run()
    assert scene.target.disconnected == []
