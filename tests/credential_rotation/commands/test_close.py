"""`close NAME` on real parts: what no tool can change, of which people are reminded, and which they close."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from bitwarden_vault.client import VaultClient
from bitwarden_vault.settings import read_settings
from bitwarden_vault.state_folder import StateFolder
from credential_rotation.planning.reminders import reminders_of
from credential_rotation.state.reminders import Reminders
from scenes.reworded import reword_all
from scenes.site.deployment import Site

pytest_plugins = ["scenes.site.fixtures"]

ENTRY = """\
credentials:
  - name: signing-key
    engine: manual
    instructions: https://wiki.example.com/signing-key
    vault: {{key: signing/key, project: {data}}}
    policy: {{max_age: 90d}}
    owner: security
  - name: bank-portal
    engine: manual
    instructions: Ring up the bank.
    policy: {{max_age: 30d}}
    owner: treasury
"""
CLOSE = ("close", "signing-key", "--reason", "made anew in the HSM", "--json")
VALUE = "canary-of-the-signing-key"


@pytest.fixture
def manual(site: Site, tmp_path: Path) -> Iterator[Site]:
    """Two entries that no tool can change beside those that are rotated; one has a secret in Bitwarden."""
    site.environ["ROTATION_STATE_PATH"] = str(tmp_path / "state")
    site.write_entries(ENTRY.format(data=site.project("data")), file="by_hand.yaml")
    site.further_secrets.append(VALUE)
    site.bitwarden.put_secret(project=site.projects["data"], key="signing/key", value=VALUE)
    yield site
    VaultClient(read_settings(site.environ)).stop()


def _changed(site: Site, value: str = VALUE + "-2") -> None:
    """A person stores another value."""
    time.sleep(0.01)
    site.further_secrets.append(value)
    site.bitwarden.edit_secret(site.current("signing/key").id, value=value)


def _digest(site: Site, **ahead: float) -> list[str]:
    """What the watchdog says so much later about what people have to do, and that it got through."""
    deployment = site.deployment()
    inventory, now = deployment.inventory(), datetime.now(timezone.utc) + timedelta(**ahead)
    known = deployment.known(inventory.all)
    told = Reminders(deployment.confirmations.folder, reminders_of(inventory.all, known, now))
    told.were_told(told.findings)
    return [f"{one.name} ({one.owner}): {one.what}" for one in told.findings]


def test_h1_a_person_closes_it_and_it_is_evidence_like_any_rotation(manual: Site) -> None:
    """As an operator runs it: outcome `closed`, with who, why, when it is due again."""
    ran = manual.run_process(*CLOSE)
    assert (ran.code, ran.words) == (0, {"signing-key": "closed"})
    assert "made anew in the HSM" in ran.told("signing-key")
    _changed(manual)
    assert manual.run_process(*CLOSE).outcomes["signing-key"]["version"] == 2
    document = manual.run("evidence", "signing-key", "--json").json
    first, second = document["rotations"]
    assert (first["version"], second["version"], second["outcome"]) == (1, 2, "closed")
    assert second["why"] == "made anew in the HSM"
    assert second["by"].endswith("(command line)")
    assert [proof["answer"] for proof in second["accepted"]] == ["changed"]
    assert second["gaps"] == ["that it was changed is a person's word; no login proves it"]
    reword_all(StateFolder(manual.environ["ROTATION_STATE_PATH"]), "signing-key")
    assert manual.run("evidence", "signing-key", "--json").json["rotations"] == document["rotations"]
    told = " ".join(one["shown"] for one in document["controls"])
    assert "made by a person" in told
    assert "by the rotation" not in told
    assert document["entry"]["by_hand"]["instructions"] == "https://wiki.example.com/signing-key"
    for file in Path(manual.environ["ROTATION_STATE_PATH"]).rglob("*.json"):
        assert VALUE not in file.read_text()


def test_h1_it_stands_in_plan_and_status_with_what_to_do(manual: Site) -> None:
    """Due until somebody closes it; then with its age and the day on which it is due again."""
    for command in ("plan", "status"):
        ran = manual.run(command, "--json")
        told = ran.outcomes["signing-key"]
        assert (told["outcome"], told["waits_for"]) == ("waiting", ["security"])
        assert "never closed" in told["reason"]
        assert "https://wiki.example.com/signing-key" in told["next_step"]
        assert "close signing-key --reason" in told["next_step"]
    assert manual.run("status", "signing-key").code == 1
    assert manual.run(*CLOSE).code == 0
    ran = manual.run("status", "signing-key", "--json")
    assert (ran.code, ran.words) == (0, {"signing-key": "ok"})
    due = datetime.now(timezone.utc) + timedelta(days=90)
    assert f"due {due:%Y-%m-%d}" in ran.told("signing-key")


@pytest.mark.parametrize("command", ["rotate", "verify", "retire", "check", "rollback", "adopt"])
def test_h1_no_command_attempts_it(manual: Site, command: str) -> None:
    """It is told what to do instead, and a command for all leaves it out."""
    more = ("--reason", "x") if command == "rollback" else ()
    ran = manual.run(command, "signing-key", *more)
    assert ran.code == 2
    assert "no tool can change it" in ran.flat
    assert "close signing-key" in ran.flat
    if command in {"verify", "retire"}:
        assert "signing-key" not in manual.run(command, "--json").words


def test_h1_the_digest_reminds_once_30_7_and_1_days_ahead_and_daily_when_it_is_overdue(manual: Site) -> None:
    """Not daily before: a digest that says the same every day is not read."""
    assert [line.split(":")[0] for line in _digest(manual)] == [
        "signing-key (security)",
        "bank-portal (treasury)",
    ]
    manual.run(*CLOSE)
    manual.run("close", "bank-portal", "--reason", "rang them up")
    told = {}
    for day in range(95):
        for line in _digest(manual, days=day, hours=1):
            if line.startswith("signing-key"):
                told[day] = line
    assert sorted(told) == [60, 83, 89, *range(90, 95)]
    assert "due in 30 days" in told[60]
    assert "due in 7 days" in told[83]
    assert "due in 1 day" in told[89]
    assert "overdue since" in told[90]
    assert "https://wiki.example.com/signing-key" in told[60]
    assert "close signing-key --reason" in told[60]


def test_h1_a_watchdog_that_missed_the_day_reminds_on_the_next(manual: Site) -> None:
    """Airflow was down on day 60; what is nearer replaces what was not told."""
    manual.run(*CLOSE)
    manual.run("close", "bank-portal", "--reason", "x", "--changed-on", "2020-01-01")
    assert [one for one in _digest(manual, days=64) if one.startswith("signing")]
    assert not [one for one in _digest(manual, days=65) if one.startswith("signing")]
    assert [one for one in _digest(manual, days=89, hours=12) if one.startswith("signing")]


def test_h1_a_month_is_too_short_to_be_reminded_a_month_ahead(manual: Site) -> None:
    """Nobody is told of what they have just done."""
    manual.run(*CLOSE)
    manual.run("close", "bank-portal", "--reason", "rang them up")
    told = [day for day in range(31) if _digest(manual, days=day, hours=1)]
    assert told == [23, 29, 30]


def test_h1_a_secret_that_was_not_changed_since_the_last_close_is_not_closed(manual: Site) -> None:
    """Bitwarden's date of it says so; a person who knows better says that, and it is kept."""
    assert manual.run(*CLOSE).code == 0
    refused = manual.run(*CLOSE)
    assert (refused.code, refused.words) == (1, {"signing-key": "refused"})
    assert "was not changed since the last close" in refused.told("signing-key")
    assert "version 1" not in refused.told("signing-key")
    by_word = manual.run(*CLOSE, "--unchanged")
    assert (by_word.code, by_word.outcomes["signing-key"]["version"]) == (0, 2)
    assert "the person's word" in json.dumps(by_word.outcomes["signing-key"]["steps"])
    assert manual.run(*CLOSE).words == {"signing-key": "refused"}
    _changed(manual)
    assert manual.run(*CLOSE).outcomes["signing-key"]["version"] == 3


def test_h1_a_secret_that_is_not_there_is_not_closed(manual: Site) -> None:
    """The entry says where the value lies, and it does not."""
    path = manual.folder / "credentials" / "by_hand.yaml"
    path.write_text(path.read_text().replace("signing/key,", "signing/kex,"))
    ran = manual.run(*CLOSE)
    assert ran.code == 1
    assert "there is no secret 'signing/kex'" in ran.flat
    assert manual.run("status", "signing-key", "--json").words == {"signing-key": "waiting"}


def test_h1_it_can_be_closed_for_the_day_on_which_it_was_changed(manual: Site) -> None:
    """What was changed before it came into the inventory; never for tomorrow, nor before the last change."""
    day = datetime.now(timezone.utc) - timedelta(days=80)
    ran = manual.run(*CLOSE, "--changed-on", f"{day:%Y-%m-%d}")
    assert ran.code == 0
    assert f"in use since {day:%Y-%m-%d}" in ran.told("signing-key")
    for wrong in (day - timedelta(days=1), day, day + timedelta(days=90)):
        refused = manual.run(*CLOSE, "--unchanged", "--changed-on", f"{wrong:%Y-%m-%d}")
        assert (refused.code, "cannot have been changed on" in refused.flat) == (2, True)


def test_h1_losing_the_state_folder_brings_it_back(manual: Site) -> None:
    """Rather once too often than never."""
    manual.run(*CLOSE)
    shutil.rmtree(manual.environ["ROTATION_STATE_PATH"])
    assert "never closed" in manual.run("status", "signing-key", "--json").told("signing-key")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("etl", "--reason", "x"), "the rotation changes it"),
        (("signing-kex", "--reason", "x"), "did you mean 'signing-key'?"),
        (("signing-key", "--reason", "  "), "needs a reason"),
        (("signing-key",), "Missing option '--reason'"),
    ],
)
def test_h1_what_cannot_be_closed_is_said(manual: Site, arguments: tuple[str, ...], words: str) -> None:
    """Nothing is kept."""
    ran = manual.run("close", *arguments)
    assert (ran.code, words in ran.flat) == (2, True), ran.flat
    assert manual.run("status", "signing-key", "--json").words == {"signing-key": "waiting"}


def test_h1_an_inventory_of_nothing_else_is_one(manual: Site) -> None:
    """People want one place that reminds, also before anything is rotated."""
    (manual.folder / "credentials" / "all.yaml").unlink()
    assert set(manual.run("plan", "--json").words) == {"signing-key", "bank-portal"}
    assert manual.run("rotate", "--json", "signing-key").code == 2
    assert manual.run("verify", "--json").words == {}
