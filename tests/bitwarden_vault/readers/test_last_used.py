"""When a secret was last used is known to others, also after whoever used it has ended; never its value."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from bitwarden_vault.client import VaultClient
from bitwarden_vault.nouns import Caller
from bitwarden_vault.readers.last_used import AGAIN_AFTER, LastUsed
from scenes.readers.living import PUBLISHED, Share, documents, note, reading_process
from scenes.vault.scene import until

pytest_plugins = ["sandbox.bitwarden.fixtures", "scenes.vault.fixtures", "scenes.readers.fixtures"]

SECRET = {"id": "A1", "key": "warehouse", "project_id": "P1"}


def test_a_task_that_has_ended_is_remembered(share: Share, tmp_path: Path) -> None:
    """Its readers' document goes; that it used the value stays, under the secret's own name."""
    scene = share(tmp_path)
    made = scene.put("warehouse", "the-value", note(3))
    with reading_process(scene.environ, dag_id="nightly_load", task_id="load", run_id="r") as task:
        task.read("warehouse")
    file = tmp_path / "last-used" / f"{made}.json"
    until(lambda: file.exists() and not documents(tmp_path), "it is remembered", within=PUBLISHED)
    told = json.loads(file.read_text())
    assert (told["secret"], told["key"], told["who"]) == (made, "warehouse", "nightly_load.load")
    assert told["project"] == scene.workplace.project
    assert datetime.now(timezone.utc) - datetime.fromisoformat(told["last"]) < timedelta(minutes=2)
    assert "the-value" not in file.read_text()


@pytest.mark.parametrize("versioned", [True, False])
def test_who_keeps_nothing_uses_nothing(share: Share, tmp_path: Path, *, versioned: bool) -> None:
    """Else the rotation's own proofs would make each look used; others' secrets are no business of ours."""
    scene = share(tmp_path)
    scene.put("warehouse", "v", note(1) if versioned else "")
    caller = Caller(keeps_nothing=True) if versioned else Caller()
    VaultClient(scene.settings, caller).find_secret("warehouse")
    scene.client.stop()
    assert not (tmp_path / "last-used").exists()


def test_it_is_told_once_an_hour() -> None:
    """A hundred tasks a minute are one small document an hour."""
    seen = LastUsed()
    assert seen.note(SECRET, {"user": "kim"})
    [told] = seen.due(1000.0)
    assert (told["secret"], told["project"], told["who"]) == ("a1", "p1", "kim")
    seen.note(SECRET, {})
    assert seen.due(1000.0 + AGAIN_AFTER - 1) == []
    assert len(seen.due(1000.0 + AGAIN_AFTER)) == 1


def test_what_could_not_be_written_is_told_again() -> None:
    """With what was seen since, where there is such."""
    seen = LastUsed()
    seen.note(SECRET, {"user": "kim"})
    lost = seen.due(1000.0)
    seen.again(lost)
    assert seen.due(1001.0) == lost
    seen.note(SECRET, {"user": "lee"})
    seen.again(lost)
    assert [one["who"] for one in seen.due(1002.0)] == ["lee"]
