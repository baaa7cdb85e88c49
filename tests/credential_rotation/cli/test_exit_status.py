"""Exit status: 0 done, 1 something needs a person, 2 bad input, 3 heals by itself. Each for real."""

from __future__ import annotations

import json
import re

import pytest

from scenes.site.deployment import Site
from scenes.vault.scene import until

pytest_plugins = ["scenes.site.fixtures"]


def test_done_is_0(site: Site) -> None:
    """As a program of its own."""
    assert site.run_process("verify", "reporting").code == 0


def test_a_current_that_is_refused_is_1(site: Site) -> None:
    """Somebody changed the password by hand; the outcome says broken, and what to do."""
    site.postgres.execute(f"ALTER ROLE {site.role('reporting')} PASSWORD 'changed-by-hand'")
    ran = site.run_process("verify", "reporting", "--json")
    assert (ran.code, ran.words) == (1, {"reporting": "broken"})
    assert "refuses CURRENT" in ran.told("reporting")
    assert ran.outcomes["reporting"]["next_step"]


def test_bad_input_is_2(site: Site) -> None:
    """As a program of its own."""
    ran = site.run_process("rotate", "nobody", "--json")
    assert (ran.code, ran.json["credentials"]) == (2, [])


def test_somebody_else_holding_the_lock_is_3(site: Site) -> None:
    """The session that holds the advisory lock will finish; nothing is changed meanwhile."""
    key = f"credential_rotation/{site.role('reporting')}"
    before = site.everything()
    with site.postgres.connect(site.postgres.superuser, site.postgres.superuser_password) as rival:
        rival.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (key,))
        ran = site.run_process("rotate", "reporting", "--json")
    assert (ran.code, ran.words) == (3, {"reporting": "busy"})
    assert site.everything() == before
    assert site.run("rotate", "reporting").code == 0


def unsettle(site: Site) -> None:
    """Make it look as if the author of the newest version was never seen to end."""
    current = site.current()
    note = re.sub(r'"attempt": "[0-9a-f]+"', '"attempt": "0123456789ab"', current.note)
    assert note != current.note
    site.bitwarden.edit_secret(current.id, note=note)


def test_waiting_for_an_earlier_attempt_is_3_and_says_until_when(site: Site) -> None:
    """Its writes may still land; after that the same command goes through."""
    site.run("rotate", "etl")
    unsettle(site)
    before = site.everything()
    ran = site.run("rotate", "etl", "--json")
    assert (ran.code, ran.words) == (3, {"etl": "waiting"})
    assert ran.outcomes["etl"]["until"]
    assert site.everything() == before
    until(lambda: site.run("rotate", "etl", ROTATION_SETTLE="1s").code == 0, "it goes through once settled")


def test_the_worst_outcome_decides(site: Site) -> None:
    """One that needs a person is not hidden by one that heals, nor by one that is done."""
    site.run("rotate", "etl")
    unsettle(site)
    site.postgres.execute(f"ALTER ROLE {site.role('reporting')} PASSWORD 'changed-by-hand'")
    ran = site.run("rotate", "etl", "reporting", "admin", "--json")
    assert ran.words == {"etl": "waiting", "reporting": "failed", "admin": "rotated"}
    assert ran.code == 1


def test_one_that_fails_does_not_stop_the_next(site: Site) -> None:
    """All that were named are tried."""
    site.postgres.execute(f"ALTER ROLE {site.role('reporting')} PASSWORD 'changed-by-hand'")
    ran = site.run_process("rotate", "reporting", "etl", "--json")
    assert ran.words == {"reporting": "failed", "etl": "rotated"}
    assert "reporting: failed, reporting:" not in ran.err
    assert "reporting: failed, the target refuses CURRENT and every record" in ran.err


@pytest.mark.parametrize("command", ["check", "plan", "status", "verify", "retire"])
def test_entries_that_cannot_be_used_are_2_where_all_are_meant(site: Site, command: str) -> None:
    """The good ones are served all the same, and the mistake is told with file and line."""
    site.write_entries("credentials:\n  - name: half\n    engine: oracle\n", file="broken.yaml")
    ran = site.run(command, "--json")
    assert ran.code == 2
    assert list(ran.words) == ["etl", "reporting", "admin"]
    assert any(text.startswith("include/credentials/broken.yaml:3: half:") for text in ran.json["problems"])


@pytest.mark.parametrize("command", ["plan", "status", "verify", "retire", "rotate"])
def test_a_broken_file_does_not_touch_the_status_of_a_named_entry(site: Site, command: str) -> None:
    """Whoever asks about one is answered about that one."""
    site.write_entries("credentials: [", file="broken.yaml")
    assert site.run(command, "reporting", "--json").code == 0


def test_usage_is_2(site: Site) -> None:
    """A misspelled option, and `rotate` without a name: never all of them."""
    assert site.run("rotate").code == 2
    assert site.run("rotate", "etl", "--forse").code == 2
    assert json.dumps(site.records("etl")) == "[]"
