"""`revoke` on a real server: what it will break is told before, and what it broke is kept after."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from sandbox.slack import SlackStandIn
from scenes.site.deployment import Site

pytest_plugins = ["scenes.site.fixtures"]


def test_a_dry_run_names_open_sessions_and_leaves_them_alone(site: Site) -> None:
    """By application and client, of a role that an admin changes; nothing is written, nobody is ended."""
    site.run("rotate", "etl")
    before = site.everything()
    role = site.role("etl")
    with site.postgres.connect(role, site.password()) as held:
        held.execute("SET application_name = 'nightly-load'")
        ran = site.run("revoke", "etl", "--reason", "seen in a chat", "--dry-run", "--json")
        assert held.execute("SELECT 1").fetchone() == (1,)
    assert (ran.code, ran.words) == (0, {"etl": "planned"})
    assert f"role {role} has 1 live session: 1 of nightly-load" in ran.told("etl")
    assert "version 1, at once" in ran.told("etl")
    assert site.everything() == before


def test_what_was_foretold_is_done(site: Site) -> None:
    """The session ends, the old password is refused, the new one works; history says why."""
    site.run("rotate", "etl")
    old = site.password()
    site.postgres.execute(f"GRANT pg_signal_backend TO {site.role('admin')}")
    with closing(site.postgres.connect(site.role("etl"), old)) as held:
        ran = site.run("revoke", "etl", "--reason", "seen in a chat", "--json")
        assert (ran.code, ran.words) == (0, {"etl": "revoked"})
        with pytest.raises(psycopg.OperationalError):
            held.execute("SELECT 1")
    assert not site.logs_in("etl", old)
    assert site.logs_in("etl", site.password())
    evidence = site.run("evidence", "etl", "--json").json
    assert evidence["events"][-1]["why"] == "compromise mode: seen in a chat"
    assert evidence["summary"]["revocations"] == 1


def test_a_shells_revocation_is_told_on_slack_too(site: Site, tmp_path: Path) -> None:
    """Others have to know why their work is refused; a dry run tells nobody."""
    site.run("rotate", "etl")
    with SlackStandIn(tmp_path / "slack") as slack:
        for more in (["--dry-run"], []):
            site.run(
                "revoke", "etl", "--reason", "seen in a chat", *more, SLACK_WEBHOOK_URL=slack.webhook_url
            )
        [told] = slack.messages()
    assert told["text"].startswith("etl: revoked — every value from before is dead")
    assert "seen in a chat" in str(told["blocks"])
    assert "(command line)" in str(told["blocks"])


def test_a_role_that_changes_itself_sees_its_own_sessions(site: Site) -> None:
    """Without an admin too."""
    login = json.loads(site.current("reporting/db").value)
    with site.postgres.connect(site.role("reporting"), login["password"]):
        ran = site.run("revoke", "reporting", "--reason", "x", "--dry-run", "--json")
    assert "1 live session" in ran.told("reporting")


def test_it_needs_a_reason(site: Site) -> None:
    """An empty one is none."""
    ran = site.run("revoke", "etl", "--reason", " ")
    assert (ran.code, "compromise mode needs a reason" in ran.flat) == (2, True)
