"""Asking in the background: the answer, the error, and what nobody waits for."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from credential_rotation.background import ahead, answer_within
from sandbox.places import PLUGINS


def test_what_is_asked_ahead_is_under_way_before_anybody_waits_for_it() -> None:
    """And whoever comes for the answer gets it, however often."""
    begun, may_end = threading.Event(), threading.Event()

    def ask() -> str:
        begun.set()
        assert may_end.wait(10)
        return "told"

    wait = ahead(ask)
    assert begun.wait(10)
    may_end.set()
    assert (wait(), wait()) == ("told", "told")


def test_what_went_wrong_is_raised_where_the_answer_is_wanted() -> None:
    """As if it had been asked there."""

    def ask() -> str:
        raise LookupError("no")

    wait = ahead(ask)
    with pytest.raises(LookupError, match="no"):
        wait()


def test_an_answer_that_nobody_comes_for_keeps_no_process() -> None:
    """A command that was refused ends at once."""
    code = "import time; from credential_rotation.background import ahead; ahead(lambda: time.sleep(60))"
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(PLUGINS)}, timeout=20, check=True)


def test_what_hangs_is_left_behind() -> None:
    """None, after so many seconds."""
    assert answer_within(10, lambda: 7) == 7
    assert answer_within(0.01, lambda: threading.Event().wait(1)) is None
