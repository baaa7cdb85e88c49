"""A shell that knows no state folder keeps no reason and says so; evidence counts only what it can know."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bitwarden_vault.client import VaultClient
from bitwarden_vault.settings import read_settings
from scenes.site.deployment import Site

pytest_plugins = ["scenes.site.fixtures"]

NOT_KEPT = "the reason is not kept: set ROTATION_STATE_PATH"


@pytest.fixture
def nowhere(site: Site, tmp_path: Path) -> Iterator[dict[str, str | None]]:
    """As in the quick start: no state folder is named, and no Airflow lives here."""
    yield {"ROTATION_STATE_PATH": None, "AIRFLOW_HOME": None, "HOME": str(tmp_path)}
    unnamed = {name: text for name, text in site.environ.items() if name != "ROTATION_STATE_PATH"}
    VaultClient(read_settings(unnamed)).stop()


@pytest.mark.parametrize("command", ["rotate", "revoke"])
def test_a_reason_that_is_not_kept_is_told(site: Site, nowhere: dict[str, str | None], command: str) -> None:
    """One line on standard error, with the setting; the command does its work all the same."""
    ran = site.run(command, "reporting", "--reason", "seen in a chat", "--json", **nowhere)
    assert ran.code == 0
    assert [line for line in ran.err.splitlines() if NOT_KEPT in line]
    kept = site.run(command, "reporting", "--reason", "seen again", "--json")
    assert NOT_KEPT not in kept.err


def test_who_gave_no_reason_is_told_nothing(site: Site, nowhere: dict[str, str | None]) -> None:
    """Nor is who only looks."""
    assert NOT_KEPT not in site.run("rotate", "reporting", **nowhere).err
    dry = site.run("revoke", "reporting", "--reason", "seen in a chat", "--dry-run", **nowhere)
    assert NOT_KEPT not in dry.err


def test_evidence_counts_nothing_where_nothing_is_kept(
    site: Site, nowhere: dict[str, str | None], tmp_path: Path
) -> None:
    """The vault knows the versions; that none failed or was revoked nobody can say."""
    site.run("revoke", "reporting", "--reason", "seen in a chat", **nowhere)
    page = tmp_path / "evidence.html"
    told = site.run("evidence", "reporting", "--json", "--html", str(page), **nowhere).json
    assert (told["summary"]["revocations"], told["summary"]["failures"]) == (None, None)
    [control] = [one["shown"] for one in told["controls"] if "8.6.3" in one["control"]]
    assert control.endswith("; how many replacements followed a suspicion is not known.")
    assert "or found it broken: not known." in page.read_text()


def test_evidence_counts_none_where_the_folder_tells_of_it(site: Site) -> None:
    """An attempt is on record, so that none of another kind is an answer."""
    site.run("rotate", "reporting")
    told = site.run("evidence", "reporting", "--json").json
    assert (told["summary"]["revocations"], told["summary"]["failures"]) == (0, 0)
