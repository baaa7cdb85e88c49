"""`confirm NAME` on real parts: a pair of roles, one of whose users takes values by hand."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from bitwarden_vault.client import VaultClient
from bitwarden_vault.settings import read_settings
from bitwarden_vault.state_folder import StateFolder
from credential_rotation.outcome import Outcome
from credential_rotation.planning.reminders import reminders_of
from credential_rotation.state.reminders import Reminders
from scenes.campaign.kinds import Pair, Value
from scenes.reworded import reword_all
from scenes.site.deployment import Site

pytest_plugins = ["scenes.site.fixtures"]

CONFIRM = ("confirm", "pair", "--consumer", "Looker")


@pytest.fixture
def pair(site: Site, tmp_path: Path) -> Iterator[Pair]:
    """A pair that was never rotated, with an hour of grace, and Looker, to which bi brings its values."""
    site.environ["ROTATION_STATE_PATH"] = str(tmp_path / "state")
    kind = Pair(site)
    kind.set_up()
    path = site.folder / "credentials" / "pair.yaml"
    text = path.read_text().replace("grace: 1d", "grace: 1h")
    path.write_text(f"{text}    consumers: [{{manual: Looker, owner: bi}}]\n")
    yield kind
    VaultClient(read_settings(site.environ)).stop()


def _later(kind: Pair, **ahead: float) -> Outcome:
    """What the hourly repair does so much later."""
    deployment = kind.site.deployment()
    deployment.clock = lambda: datetime.now(timezone.utc) + timedelta(**ahead)
    return deployment.rotate(deployment.entry(kind.name), None)


def _value(kind: Pair) -> Value:
    found = json.loads(kind.site.current(kind.key).value)
    return found["username"], found["password"]


def _kept(site: Site, folder: str) -> list[Path]:
    return sorted((Path(site.environ["ROTATION_STATE_PATH"]) / folder).rglob("*.json"))


def _digest(site: Site, **ahead: float) -> list[str]:
    """What the watchdog says so much later about what people have to do, and that it got through."""
    deployment = site.deployment()
    inventory, now = deployment.inventory(), datetime.now(timezone.utc) + timedelta(**ahead)
    known = deployment.known(inventory.credentials)
    told = Reminders(deployment.confirmations.folder, reminders_of(inventory.credentials, known, now))
    told.were_told(told.findings)
    return [f"{one.name} ({one.owner}): {one.what}" for one in told.findings]


def test_h3_a_pair_waits_for_looker_and_is_retired_after_the_word_for_its_version(pair: Pair) -> None:
    """From the rotation to the dead password, with the command as an operator runs it."""
    before = _value(pair)
    ran = pair.site.run("rotate", "pair", "--json")
    assert (ran.code, ran.words) == (1, {"pair": "unproved"})
    assert "confirm pair --consumer Looker --version 1" in ran.told("pair")
    waits = _later(pair, hours=2)
    assert (waits.outcome, waits.waits_for) == ("waiting", ("Looker",))
    assert pair.logs_in(before)
    told = pair.site.run_process(*CONFIRM, "--version", "1", "--json")
    assert (told.code, told.words) == (0, {"pair": "ok"})
    assert "Looker has version 1" in told.told("pair")
    assert _later(pair, hours=2).outcome == "retired"
    assert not pair.logs_in(before)
    assert pair.logs_in(_value(pair))


def test_h3_without_a_word_nothing_is_ended_and_who_asks_is_told_that_a_person_is_needed(pair: Pair) -> None:
    """Exit 1, not 3: no later run heals it."""
    pair.site.run("rotate", "pair")
    before = _later(pair, days=80)
    assert before.outcome == "unproved"
    path = pair.site.folder / "credentials" / "pair.yaml"
    path.write_text(path.read_text().replace(", grace: 1h", ""))
    ran = pair.site.run("retire", "pair", "--json")
    assert (ran.code, ran.words) == (1, {"pair": "waiting"})
    assert ran.outcomes["pair"]["waits_for"] == ["Looker"]
    assert len(pair.site.records("pair")) == 2


def test_h3_losing_the_state_folder_makes_it_wait_again(pair: Pair) -> None:
    """A word that nobody finds was not said."""
    pair.site.run("rotate", "pair")
    assert pair.site.run(*CONFIRM).code == 0
    shutil.rmtree(pair.site.environ["ROTATION_STATE_PATH"])
    assert _later(pair, hours=2).outcome == "waiting"


@pytest.mark.parametrize("wrong", ["torn", "of another version", "of another attempt", "a loop"])
def test_h3_a_word_that_cannot_be_understood_was_not_said(pair: Pair, wrong: str) -> None:
    """Whatever the folder makes of it."""
    pair.site.run("rotate", "pair")
    pair.site.run(*CONFIRM)
    [file] = _kept(pair.site, "confirmations")
    document = json.loads(file.read_text())
    if wrong == "torn":
        file.write_text(file.read_text()[:40])
    elif wrong == "a loop":
        shutil.rmtree(file.parent)
        file.parent.symlink_to(file.parent)
    else:
        name = wrong.rpartition(" ")[2]
        file.write_text(json.dumps({**document, name: 7 if name == "version" else "another"}))
    assert _later(pair, hours=2).outcome == "waiting"


def test_h3_a_word_for_the_version_before_does_not_count_for_the_next(pair: Pair) -> None:
    """Also not under the same number: a journal that begins anew numbers from one."""
    site = pair.site
    site.run("rotate", "pair")
    site.run(*CONFIRM)
    assert _later(pair, hours=2).outcome == "retired"
    deployment = site.deployment()
    deployment.clock = lambda: datetime.now(timezone.utc) + timedelta(hours=3)
    site.run("rotate", "pair")
    waits = _later(pair, hours=4)
    assert (waits.outcome, waits.version) == ("waiting", 2)
    refused = site.run(*CONFIRM, "--version", "1")
    assert (refused.code, "version 1 is not CURRENT, version 2 is" in refused.flat) == (2, True)
    assert _later(pair, hours=4).outcome == "waiting"


def test_h3_what_is_kept_says_who_and_when_and_the_first_word_stays(pair: Pair) -> None:
    """One document per version and consumer, without any value."""
    pair.site.run("rotate", "pair")
    pair.site.run(*CONFIRM)
    [file] = _kept(pair.site, "confirmations")
    document = json.loads(file.read_text())
    assert (document["name"], document["version"], document["consumer"]) == ("pair", 1, "Looker")
    assert document["by"].endswith("(command line)")
    assert datetime.fromisoformat(document["at"]).tzinfo
    again = pair.site.run(*CONFIRM)
    assert (again.code, file.read_text()) == (0, json.dumps(document, separators=(",", ":")))


def test_h3_verify_is_green_once_somebody_has_said_it(pair: Pair) -> None:
    """A person's word is this consumer's proof, and it is told as one."""
    pair.site.run("rotate", "pair")
    before = pair.site.run("verify", "pair", "--json")
    assert before.words == {"pair": "unproved"}
    assert "confirm pair" in before.told("pair")
    pair.site.run(*CONFIRM)
    after = pair.site.run("verify", "pair", "--json")
    assert (after.code, after.words) == (0, {"pair": "ok"})
    [asked] = after.outcomes["pair"]["consumers"]
    assert asked["why"].startswith("confirmed by ")


def test_h3_status_and_the_digest_say_whom_it_waits_for_until_when_and_what_to_do(pair: Pair) -> None:
    """Told when it begins, a day ahead, and daily after the deadline."""
    site = pair.site
    assert _digest(site) == []
    site.run("rotate", "pair")
    told = site.run("status", "pair", "--json")
    assert told.outcomes["pair"]["waits_for"] == ["Looker"]
    assert "waits until Looker (bi) has the new value" in told.told("pair")
    [line] = _digest(site)
    until = datetime.now(timezone.utc) + timedelta(days=7, hours=1)
    assert line.startswith("pair (bi): a new value has to be handed on by hand until ")
    assert f"until {until:%Y-%m-%d}" in line
    assert line.endswith("confirm pair --consumer Looker --version 1")
    assert _digest(site, days=1) == []
    assert len(_digest(site, days=6, hours=2)) == 1
    assert _digest(site, days=6, hours=3) == []
    for days in (8, 9):
        [late] = _digest(site, days=days)
        assert "had to be handed on" in late
    site.run(*CONFIRM)
    assert _digest(site, days=9) == []


def test_h3_the_confirmation_is_in_the_evidence_of_its_version(pair: Pair) -> None:
    """With who and when, and it closes the gap that the rotation left."""
    pair.site.run("rotate", "pair")
    pair.site.run(*CONFIRM)
    document = pair.site.run("evidence", "pair", "--json").json
    [rotation] = [one for one in document["rotations"] if one["version"] == 1]
    [word] = rotation["confirmed"]
    assert (word["consumer"], word["by"].endswith("(command line)")) == ("manual Looker", True)
    assert "manual Looker: unknown" not in rotation["gaps"]
    assert "handed on by people to: manual Looker" in json.dumps(document["controls"])
    reword_all(StateFolder(pair.site.environ["ROTATION_STATE_PATH"]), "pair")
    assert pair.site.run("evidence", "pair", "--json").json["rotations"] == document["rotations"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("pair", "--consumer", "Loocker"), "did you mean 'Looker'?"),
        (("pair",), "CURRENT has no version yet"),
        (("reporting",), "no consumer of it takes values by hand"),
        (("pear",), "did you mean 'pair'?"),
    ],
)
def test_h3_what_cannot_be_confirmed_is_said(pair: Pair, arguments: tuple[str, ...], words: str) -> None:
    """Nothing is kept."""
    ran = pair.site.run("confirm", *arguments)
    assert (ran.code, words in ran.flat) == (2, True), ran.flat
    assert _kept(pair.site, "confirmations") == []


def test_h3_one_of_several_has_to_be_named(pair: Pair) -> None:
    """Nobody gives their word for others."""
    path = pair.site.folder / "credentials" / "pair.yaml"
    path.write_text(path.read_text().replace("owner: bi}", "owner: bi}, {manual: Tableau}"))
    pair.site.run("rotate", "pair")
    ran = pair.site.run("confirm", "pair")
    assert (ran.code, "one of: Looker, Tableau" in ran.flat) == (2, True)
    told = pair.site.run(*CONFIRM, "--json")
    assert "1 more to confirm" in told.told("pair")
    assert _later(pair, hours=2).waits_for == ("Tableau",)


def test_h3_a_shell_that_does_not_know_the_folder_says_so(pair: Pair) -> None:
    """What is kept where nobody looks would never be found."""
    pair.site.run("rotate", "pair")
    ran = pair.site.run(*CONFIRM, ROTATION_STATE_PATH=None, AIRFLOW_HOME=None)
    assert (ran.code, "ROTATION_STATE_PATH" in ran.flat) == (2, True)


def test_h3_check_tells_what_in_place_cannot_promise(site: Site) -> None:
    """By schedule, where nobody is there to hand it on; with policy manual somebody is."""
    site.change_entries("owner: analytics", "owner: analytics\n    consumers: [{manual: Looker, owner: bi}]")

    def warned() -> list[str]:
        return [text for text in site.run("check", "--json").json["warnings"] if "Looker (bi)" in text]

    [text] = warned()
    assert text.startswith("reporting is rotated in place by schedule")
    site.change_entries("policy: weekly\n    owner: analytics", "policy: manual\n    owner: analytics")
    assert warned() == []
