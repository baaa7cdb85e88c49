"""Behind an attempt that was not seen to end nothing is deleted or begun until its writes cannot land."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from simulators.scene import SETTLE, Scene, rotated_scene

MINUTE = timedelta(minutes=1)


def left_open() -> Scene:
    """A new version is on record, and its attempt did not get to CURRENT."""
    scene = rotated_scene()
    scene.target.refuses_changes = True
    assert scene.rotate_now().outcome == "failed"
    scene.target.refuses_changes = False
    return scene


def test_it_counts_from_current_where_that_was_written_last() -> None:
    """An hour later another run wrote it: that one's writes may be on their way still."""
    scene = left_open()
    scene.world.pass_time(timedelta(hours=1))
    assert scene.run().outcome == "recovered"
    assert scene.vault.current is not None
    waits = scene.rotate_now()
    assert (waits.outcome, waits.until) == ("waiting", scene.vault.current.revised + SETTLE)
    scene.world.pass_time(SETTLE + MINUTE)
    assert scene.rotate_now().outcome == "rotated"


def test_a_current_that_was_created_twice_is_left_until_it_is_over() -> None:
    """Whoever created it may be about to write there; the run that finishes the version deletes nothing."""
    scene = left_open()
    assert scene.vault.current is not None
    scene.vault.duplicates["twice"] = replace(scene.vault.current, id="twice")
    assert scene.run().outcome == "recovered"
    assert list(scene.vault.duplicates) == ["twice"]
    scene.world.pass_time(SETTLE + MINUTE)
    scene.run()
    assert not scene.vault.duplicates
    assert scene.readers_can_log_in
