"""A credential that nobody reads any more is told once a week; what is not known is not unused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from credential_rotation.errors import BadInput
from credential_rotation.settings import read_settings
from credential_rotation.tasks.unused import unused_to_tell, unused_was_told
from credential_rotation.wiring import open_deployment
from scenes.site.deployment import Site

pytest_plugins = ["scenes.site.fixtures"]

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)


@dataclass
class Shared:
    """A site whose hosts share a folder."""

    site: Site
    folder: Path

    def used(self, days: float, key: str = "reporting/db", **changed: Any) -> None:  # noqa: ANN401 - JSON
        """Somebody read it so many days ago."""
        secret, project = self.site.current(key).id, "data" if key == "reporting/db" else "admins"
        use = {
            "schema": 1, "secret": secret, "key": key, "project": self.site.projects[project],
            "last": (NOW - days * DAY).isoformat(), "who": "nightly.load", "host": "h",
        }  # fmt: skip
        self.write(f"last-used/{secret}.json", use | changed)

    def write(self, name: str, document: object) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))

    def told(self, now: datetime = NOW, *, heard: bool = False, room: int = 40, **environ: str) -> list[str]:
        """What the digest of this day wants to say of it; `heard` says that it did, as far as it had room."""
        settings = {**self.site.environ, **environ}
        deployment = open_deployment({name: text for name, text in settings.items() if text})
        deployment.clock = lambda: now
        found = unused_to_tell(deployment, deployment.inventory().credentials)
        if heard:
            unused_was_told(deployment, found, found[:room])
        return [f"{one.name} ({one.owner}): {one.what}" for one in found]


@pytest.fixture
def shared(site: Site) -> Shared:
    return Shared(site, Path(site.environ["ROTATION_STATE_PATH"]))


SAID = ["reporting (analytics): not read since 2026-08-18 by anybody who is known"]


def test_what_nobody_has_read_for_long_is_told(shared: Shared) -> None:
    """With its owner and the day; ninety days unless somebody says otherwise."""
    shared.used(100)
    assert shared.told() == SAID
    shared.used(89)
    assert shared.told() == []
    assert shared.told(ROTATION_UNUSED_AFTER="30d") != []


def test_who_was_never_seen_to_read_it_is_not_known(shared: Shared) -> None:
    """They may read Bitwarden without our agents: unknown is not unused."""
    assert shared.told() == []


def test_it_is_told_once_a_week(shared: Shared) -> None:
    """And again on the next day where nobody heard it."""
    shared.used(100)
    assert shared.told() == SAID
    assert shared.told(heard=True) == SAID
    assert shared.told(NOW + 6 * DAY) == []
    assert len(shared.told(NOW + 7 * DAY)) == 1


def test_what_the_digest_had_no_room_for_is_told_on_the_next_days_and_then_the_week_goes_on(
    shared: Shared,
) -> None:
    """The week is that of those that were told first."""
    shared.used(100)
    shared.used(100, "rotation/admin")
    both = [name.split()[0] for name in shared.told(heard=True, room=1)]
    assert both == ["reporting", "admin"]
    assert [name.split()[0] for name in shared.told(NOW + DAY, heard=True, room=0)] == ["admin"]
    assert [name.split()[0] for name in shared.told(NOW + 2 * DAY, heard=True)] == ["admin"]
    assert shared.told(NOW + 6 * DAY) == []
    assert len(shared.told(NOW + 7 * DAY)) == 2


def test_never_is_never(shared: Shared) -> None:
    shared.used(100)
    assert shared.told(ROTATION_UNUSED_AFTER="never") == []
    with pytest.raises(BadInput, match="ROTATION_UNUSED_AFTER"):
        read_settings({"ROTATION_INCLUDE": "/x", "ROTATION_UNUSED_AFTER": "soon"})


def reader(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    made = {
        "schema": 1, "host": "h", "boot": "b", "numbers": "n", "agent": 1, "agent_started": 1,
        "written": NOW.isoformat(), "left_out": 0, "readers": [],
    }  # fmt: skip
    return made | changed


UNKNOWN: dict[str, Callable[[Shared], object]] = {
    "a document of readers that cannot be understood": lambda it: it.write("readers/x.json", {"schema": 9}),
    "more readers than an agent keeps": lambda it: it.write("readers/x.json", reader(left_out=3)),
    "a reader that cannot be understood": lambda it: it.write("readers/x.json", reader(readers=[{}])),
    "a use of another schema": lambda it: it.write("last-used/other.json", {"schema": 9}),
    "a use without a moment": lambda it: it.used(100, last="yesterday"),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_where_readers_are_not_known_nothing_is_said(shared: Shared, case: str) -> None:
    """Never a guess that somebody's credential can go."""
    shared.used(100)
    UNKNOWN[case](shared)
    assert shared.told() == []


def test_where_hosts_share_no_folder_nothing_is_said(shared: Shared, tmp_path: Path) -> None:
    """Others may read on hosts of which this one knows nothing; nor where the folder cannot be read."""
    shared.used(100)
    assert shared.told(ROTATION_STATE_PATH="") == []
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert shared.told(ROTATION_STATE_PATH=str(loop)) == []


def test_a_process_that_keeps_it_for_life_uses_it(shared: Shared) -> None:
    """It read once, long ago, and lives."""
    shared.used(100)
    secret = shared.site.current("reporting/db").id
    one = {
        "pid": 1, "started": 1, "program": "p", "secret": secret, "key": "reporting/db", "project": "p",
        "version": 1, "newest": 1, "first": NOW.isoformat(), "last": (NOW - 100 * DAY).isoformat(),
    }  # fmt: skip
    shared.write("readers/x.json", reader(readers=[one]))
    assert shared.told() == []


def test_whoever_gets_it_by_hand_reads_it_where_nobody_sees(shared: Shared) -> None:
    """An entry with a manual consumer is never called unused."""
    shared.used(100)
    shared.site.change_entries(
        "    policy: weekly\n    owner: analytics",
        "    policy: weekly\n    consumers: [{manual: Looker, owner: bi}]\n    owner: analytics",
    )
    assert shared.told() == []
