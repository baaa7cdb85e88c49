"""When an agent notes who reads: after the answer, and before anybody asks it, without an agent."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from bitwarden_vault.operations import LOOK_UP
from bitwarden_vault.readers.watch import A_MOMENT, ReaderWatch
from bitwarden_vault.settings import read_settings
from bitwarden_vault.wire import Message

VALUE = "v3ryS3cretV4lue"
ENVIRON = {
    "BWS_ACCESS_TOKEN": "0.0bd4ee27-c9b8-4e2c-b4ba-b0a0dd7a3a3a.s3cr3t:AAECAwQFBgcICQoLDA0ODw==",
    "BWS_ORGANIZATION_ID": "5f5b5c6e-2f4c-4a0c-8f43-0d1dcf6ad8f1",
}


@pytest.fixture
def watch(tmp_path: Path) -> ReaderWatch:
    return ReaderWatch(read_settings({**ENVIRON, "ROTATION_STATE_PATH": str(tmp_path)}), "host-1", print)


def _looked_up(watch: ReaderWatch, *, is_there: bool = True) -> None:
    """This process asked for a secret, and was answered."""
    message: Message = {"operation": LOOK_UP, "caller": {}}
    secret = {"id": "a1", "key": "warehouse", "project_id": "p1", "note": "", "value": VALUE}
    watch.watched(message, lambda _: is_there, os.getpid())({"result": secret})


def test_it_is_noted_in_a_moment_and_the_value_is_not_kept_until_then(watch: ReaderWatch) -> None:
    """The next lookup of the same task comes first."""
    before = time.monotonic()
    _looked_up(watch)
    assert VALUE not in repr(vars(watch))
    assert watch.is_needed, "an agent that is idle stays for it"
    assert before < watch.turn(before) <= time.monotonic() + A_MOMENT
    watch.turn(time.monotonic() + A_MOMENT)
    assert watch.status() == {"readers": 1}


def test_who_asks_how_many_there_are_is_told_of_the_last_one_too(watch: ReaderWatch) -> None:
    """And who went before the answer is none."""
    _looked_up(watch)
    _looked_up(watch, is_there=False)
    assert watch.status() == {"readers": 1}
