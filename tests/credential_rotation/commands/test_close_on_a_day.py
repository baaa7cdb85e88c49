"""The day of a closing: none that nobody can mean is taken, and what was kept of one never stops a reader."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bitwarden_vault.client import VaultClient
from bitwarden_vault.settings import read_settings
from scenes.site.deployment import Site

pytest_plugins = ["scenes.site.fixtures"]

ENTRY = """\
credentials:
  - name: signing-key
    engine: manual
    instructions: https://wiki.example.com/signing-key
    policy: {{{policy}}}
    owner: security
"""
POLICIES = ("cron: '0 3 1 * *', timezone: America/Los_Angeles", "max_age: 90d")
CLOSE = ("close", "signing-key", "--reason", "made anew", "--changed-on")


@pytest.fixture(params=POLICIES)
def manual(site: Site, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    """Due by a calendar west of Greenwich, or by age."""
    site.environ["ROTATION_STATE_PATH"] = str(tmp_path / "state")
    site.write_entries(ENTRY.format(policy=request.param))
    yield site
    VaultClient(read_settings(site.environ)).stop()


def _closing(site: Site) -> Path:
    return Path(site.environ["ROTATION_STATE_PATH"], "closings", "signing-key.json")


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("0001-01-01", "which is before 1970"),
        ("1969-12-31", "which is before 1970"),
        ("9999-12-31", "which has not come"),
    ],
)
def test_h1_a_day_that_nobody_can_mean_is_refused_and_not_kept(manual: Site, day: str, words: str) -> None:
    """A slip of the keyboard, said as one."""
    ran = manual.run(*CLOSE, day)
    assert (ran.code, f"cannot have been changed on {day}, {words}" in ran.flat) == (2, True), ran.flat
    assert not _closing(manual).exists()


def test_h1_the_first_day_that_is_taken_is_read_by_everybody(manual: Site) -> None:
    """Long ago, so that it is overdue."""
    assert manual.run(*CLOSE, "1970-01-01").code == 0
    assert manual.run("plan", "--json").words == {"signing-key": "waiting"}


@pytest.mark.parametrize(
    "kept",
    ["0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59+00:00", "2020-01-01T00:00:00", "yesterday", 7, None],
)
def test_h1_a_kept_closing_that_cannot_be_used_counts_as_none_and_is_logged(
    manual: Site, kept: object
) -> None:
    """By an older version, or by somebody's editor: the entry comes back, and closing it mends that."""
    assert manual.run(*CLOSE, "2020-01-01").code == 0
    document = json.loads(_closing(manual).read_text())
    _closing(manual).write_text(json.dumps(document | {"changed": kept}))
    for command in ("plan", "status"):
        ran = manual.run(command, "--json")
        assert "never closed" in ran.told("signing-key")
        assert "what was kept of its last closing cannot be used" in manual.said[-1]
    assert manual.run("close", "signing-key", "--reason", "made anew").code == 0
    assert "never closed" not in manual.run("status", "signing-key", "--json").told("signing-key")
