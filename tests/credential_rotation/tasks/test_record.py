"""What people say in Airflow is kept as by command, and under the name of who triggered the run."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from bitwarden_vault.client import VaultClient
from bitwarden_vault.settings import read_settings
from bitwarden_vault.state_folder import state_folder
from credential_rotation.ui.shelf import Shelf
from credential_rotation.ui.view import days
from scenes.airflow.tasks import as_task
from scenes.campaign.kinds import Pair
from scenes.site.deployment import Site

pytest_plugins = ["scenes.airflow.imported", "scenes.site.fixtures"]
pytestmark = pytest.mark.usefixtures("airflow")

ENTRY = """\
credentials:
  - name: signing-key
    engine: manual
    instructions: https://wiki.example.com/signing-key
    vault: {{key: signing/key, project: {data}}}
    policy: {{max_age: 90d}}
    owner: security
"""
CLOSE: Mapping[str, Any] = {"credential": "signing-key", "done": "close", "reason": "made anew"}
CONFIRM: Mapping[str, Any] = {"credential": "pair", "done": "confirm", "consumer": "Looker"}


@pytest.fixture
def site(site: Site, tmp_path: Path) -> Iterator[Site]:
    """An entry that no tool can change, with its secret, and a state folder of its own."""
    site.environ["ROTATION_STATE_PATH"] = str(tmp_path / "state")
    site.write_entries(ENTRY.format(data=site.project("data")), file="by_hand.yaml")
    site.further_secrets.append("canary-of-the-signing-key")
    site.bitwarden.put_secret(
        project=site.projects["data"], key="signing/key", value=site.further_secrets[-1]
    )
    yield site
    VaultClient(read_settings(site.environ)).stop()


@pytest.fixture
def pair(site: Site) -> Site:
    """A pair whose new value Looker and Tableau take by hand, just rotated."""
    Pair(site).set_up()
    path = site.folder / "credentials" / "pair.yaml"
    consumers = "    consumers: [{manual: Looker, owner: bi}, {manual: Tableau}]\n"
    path.write_text(path.read_text().replace("grace: 1d", "grace: 1h") + consumers)
    assert site.run("rotate", "pair").code == 1
    return site


def run_of(by: str | None, conf: Mapping[str, Any], **changed: Any) -> dict[str, Any]:  # noqa: ANN401 - as Airflow tells it
    now = datetime.now(timezone.utc)
    return {
        "conf": dict(conf), "run_type": "manual", "triggering_user_name": by, "run_after": now, **changed,
    }  # fmt: skip


def say(site: Site, run: Mapping[str, Any]) -> str:
    """Run the task; what it says where it is red, else nothing."""
    with as_task(site, "record_by_hand", "record", run, module="record") as tasks:
        from credential_rotation.tasks.airflow_ends import AirflowFailException  # noqa: PLC0415 - after Airflow's home

        try:
            tasks.record.function()
        except AirflowFailException as red:
            return str(red)
    return ""


def kept(site: Site, folder: str) -> list[dict[str, Any]]:
    files = Path(site.environ["ROTATION_STATE_PATH"], folder).rglob("*.json")
    return [json.loads(file.read_text()) for file in sorted(files)]


# --- I have changed it ----------------------------------------------------------------------------------


def test_h1_a_close_names_the_user_who_triggered_the_run_in_history_and_evidence(site: Site) -> None:
    """With the reason, where it was said, and when it is due again; the page's list has it too."""
    assert say(site, run_of("anna", CLOSE)) == ""
    [closing] = kept(site, "closings")
    assert (closing["version"], closing["by"], closing["why"]) == (1, "anna", "made anew")
    [event] = kept(site, "history/signing-key")
    assert (event["outcome"], event["asked"]["by"], event["asked"]["why"]) == ("closed", "anna", "made anew")
    assert (event["asked"]["dag_id"], event["asked"]["task_id"]) == ("record_by_hand", "record")
    [row] = kept(site, "runs")[-1]["rows"]
    assert (row["outcome"], row["version"]) == ("closed", 1)
    [rotation] = site.run("evidence", "signing-key", "--json").json["rotations"]
    assert (rotation["by"], rotation["why"], rotation["dag_id"]) == ("anna", "made anew", "record_by_hand")
    assert site.run("status", "signing-key", "--json").words == {"signing-key": "ok"}


def test_h1_a_close_for_an_earlier_day_is_of_that_day(site: Site) -> None:
    """As `--changed-on`; never for one that has not come."""
    day = datetime.now(timezone.utc) - timedelta(days=20)
    tomorrow = f"{datetime.now(timezone.utc) + timedelta(days=2):%Y-%m-%d}"
    assert "which has not come" in say(site, run_of("anna", {**CLOSE, "changed_on": tomorrow}))
    assert kept(site, "closings") == []
    assert say(site, run_of("anna", {**CLOSE, "changed_on": f"{day:%Y-%m-%d}"})) == ""
    assert kept(site, "closings")[0]["changed"].startswith(f"{day:%Y-%m-%d}T00:00:00")


def test_h1_a_run_that_is_tried_again_is_the_same_word(site: Site) -> None:
    """A task that was killed finds its own closing; one of last month does not come back as a new one."""
    first = run_of("anna", CLOSE)
    assert say(site, first) == ""
    before = kept(site, "closings")
    assert say(site, first) == ""
    assert kept(site, "closings") == before
    assert "anna said so already" in kept(site, "history/signing-key")[-1]["reason"]
    assert say(site, run_of("ben", {**CLOSE, "unchanged": True})) == ""
    assert "it cannot have been changed on" in say(site, first)
    [closing] = kept(site, "closings")
    assert (closing["version"], closing["by"]) == (2, "ben")


def test_h1_a_secret_that_was_not_changed_is_refused_red_and_on_record(site: Site) -> None:
    """With what to do; the next word, which says that it is right, is kept."""
    assert say(site, run_of("anna", CLOSE)) == ""
    time.sleep(0.01)
    red = say(site, run_of("anna", CLOSE))
    assert red.startswith("refused: 'signing/key' in Bitwarden was not changed since the last close")
    assert "say that it is unchanged" in red
    assert [one["outcome"] for one in kept(site, "history/signing-key")] == ["closed", "refused"]
    assert say(site, run_of("anna", {**CLOSE, "unchanged": True})) == ""


def test_h1_a_word_that_was_refused_is_not_kept_when_somebody_clears_its_run_later(site: Site) -> None:
    """Nobody knows who cleared it, nor whether its author would still say so; a new run is theirs to make."""
    assert say(site, run_of("anna", CLOSE)) == ""
    time.sleep(0.01)
    refused = run_of("anna", CLOSE)
    assert "was not changed since the last close" in say(site, refused)
    [secret] = [one for one in site.bitwarden.secrets(site.projects["data"]) if one.key == "signing/key"]
    site.bitwarden.edit_secret(secret.id, note="somebody has put the new value here by now")
    red = say(site, {**refused, "clear_number": 1})
    assert red.startswith("signing-key: this run was cleared, and its word was not kept when it was given. ")
    assert "give it again" in red
    assert [one["version"] for one in kept(site, "closings")] == [1]
    assert say(site, run_of("anna", CLOSE)) == ""
    assert [one["version"] for one in kept(site, "closings")] == [2]


def test_h1_a_word_that_was_kept_is_not_denied_where_somebody_has_closed_it_since(site: Site) -> None:
    """Of a run that is cleared later: the last close alone is kept, so it says whose that is."""
    first = run_of("anna", CLOSE)
    assert say(site, first) == ""
    assert say(site, run_of("ben", {**CLOSE, "unchanged": True})) == ""
    red = say(site, {**first, "clear_number": 1})
    assert red.startswith("signing-key: this run was cleared and keeps no word; it was closed since, on ")
    assert "by ben" in red
    assert "was not kept" not in red
    assert "evidence signing-key" in red
    assert [one["version"] for one in kept(site, "closings")] == [2]


@pytest.mark.parametrize("clear_number", [0, 1])
def test_h1_a_word_that_is_told_twice_is_one_new_version_on_the_page(site: Site, clear_number: int) -> None:
    """A task that was killed after it kept it, or was cleared: the page's chart has one."""
    first = run_of("anna", CLOSE)
    assert say(site, first) == ""
    assert say(site, {**first, "clear_number": clear_number}) == ""
    now, shelf = datetime.now(timezone.utc), Shelf(state_folder(site.environ))
    assert sum(day["rotated"] for day in days(shelf.rows(now), now)) == 1


# --- somebody has the new value -------------------------------------------------------------------------


def test_h3_a_confirmation_names_the_user_and_lets_the_old_value_end(pair: Site) -> None:
    """One word for one consumer; the last one ends the waiting."""
    assert say(pair, run_of("anna", {**CONFIRM, "version": 1, "reason": "in its settings"})) == ""
    assert say(pair, run_of("ben", {**CONFIRM, "consumer": "Tableau"})) == ""
    assert {one["consumer"]: one["by"] for one in kept(pair, "confirmations")} == {
        "Looker": "anna",
        "Tableau": "ben",
    }
    events = [one for one in kept(pair, "history/pair") if one["outcome"] == "ok"]
    assert [(one["asked"]["by"], one["asked"]["why"]) for one in events] == [
        ("anna", "in its settings"),
        ("ben", None),
    ]
    [rotation] = [
        one for one in pair.run("evidence", "pair", "--json").json["rotations"] if one["version"] == 1
    ]
    assert [(one["consumer"], one["by"]) for one in rotation["confirmed"]] == [
        ("manual Looker", "anna"),
        ("manual Tableau", "ben"),
    ]
    deployment = pair.deployment()
    deployment.clock = lambda: datetime.now(timezone.utc) + timedelta(hours=2)
    assert deployment.rotate(deployment.entry("pair"), None).outcome == "retired"


def test_h3_a_second_yes_is_green_and_says_who_was_first(
    pair: Site, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing more is kept of it: nothing has happened."""
    assert say(pair, run_of("anna", CONFIRM)) == ""
    before = kept(pair, "confirmations"), kept(pair, "history/pair")
    with caplog.at_level("INFO"):
        assert say(pair, run_of("ben", CONFIRM)) == ""
    assert "Looker has version 1, as anna said already, on " in caplog.text
    assert (kept(pair, "confirmations"), kept(pair, "history/pair")) == before


def test_h3_a_run_that_is_cleared_later_confirms_nothing_of_today(pair: Site) -> None:
    """Its word was about the version of its day; with a number, the command's rule says so too."""
    before = run_of("anna", CONFIRM, run_after=datetime.now(timezone.utc) - timedelta(days=30))
    assert "version 1 was made after this was said" in say(pair, before)
    assert "version 4 is not CURRENT, version 1 is" in say(pair, run_of("anna", {**CONFIRM, "version": 4}))
    assert kept(pair, "confirmations") == []


def test_h3_a_confirmation_that_was_refused_is_not_kept_when_its_run_is_cleared(pair: Site) -> None:
    """The version that it names was not there when it was given, and may be by now."""
    cleared = run_of("anna", {**CONFIRM, "version": 1}, clear_number=1)
    assert "pair: this run was cleared, and its word was not kept when it was given" in say(pair, cleared)
    assert kept(pair, "confirmations") == []
    first = run_of("anna", {**CONFIRM, "version": 1})
    assert (say(pair, first), say(pair, {**first, "clear_number": 1})) == ("", "")
    assert [one["by"] for one in kept(pair, "confirmations")] == ["anna"]


def test_h3_a_confirmation_that_is_told_again_is_of_the_moment_at_which_it_was_kept(pair: Site) -> None:
    """Whoever clears its run later, nobody gave their word then: evidence has it once, and of its day."""
    first = run_of("anna", {**CONFIRM, "version": 1})
    assert say(pair, first) == ""
    [word] = kept(pair, "confirmations")
    assert (say(pair, first), say(pair, {**first, "clear_number": 1})) == ("", "")
    [event] = [one for one in kept(pair, "history/pair") if one["outcome"] == "ok"]
    assert event["at"] == word["at"]
    found = pair.run("evidence", "pair", "--json").json["rotations"]
    [told] = [one for rotation in found for one in rotation["confirmed"]]
    assert (told["by"], told["at"]) == ("anna", word["at"])


# --- what counts for nothing ----------------------------------------------------------------------------

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no reason": ({**CLOSE, "reason": None}, "a close needs a reason"),
    "who says it, as a field": ({**CLOSE, "by": "ben"}, "unknown in the run's configuration: by"),
    "no such credential": ({**CLOSE, "credential": "signing-kex"}, "did you mean 'signing-key'?"),
    "what the rotation changes": ({**CLOSE, "credential": "etl"}, "the rotation changes it"),
    "nobody takes it by hand": ({"credential": "etl", "done": "confirm"}, "no consumer of it takes values"),
    "what is closed, not confirmed": (
        {"credential": "signing-key", "done": "confirm"},
        "no consumer of it takes values",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_meant_is_red_with_a_message_and_not_kept(site: Site, case: str) -> None:
    """What the form asks, the task enforces."""
    conf, says = WRONG[case]
    assert says in say(site, run_of("anna", conf))
    assert kept(site, "") == []


def test_of_an_entry_with_mistakes_these_are_said(site: Site) -> None:
    """Not that there is none of this name; and not the mistakes of others."""
    entry = ENTRY.format(data=site.project("data")).replace("90d", "soon").replace("signing/key", "other/key")
    for name, wrong in (("broken-key", entry), ("odd-key", entry.replace("security", "[]"))):
        site.write_entries(wrong.replace("signing-key", name).replace("other", name), file=f"{name}.yaml")
    red = say(site, run_of("anna", {**CLOSE, "credential": "broken-key"}))
    assert "max_age" in red
    assert "there is no credential" not in red
    assert "odd-key" not in red


def test_h3_of_several_consumers_one_is_named(pair: Site) -> None:
    """Nobody gives their word for others by leaving a name out."""
    red = say(pair, run_of("anna", {**CONFIRM, "consumer": None}))
    assert "which consumer?" in red
    assert "one of: Looker, Tableau" in red
    assert kept(pair, "confirmations") == []


@pytest.mark.parametrize(
    "changed",
    [{"triggering_user_name": None}, {"run_type": "scheduled"}, {"run_type": "operator_triggered"}],
    ids=["nobody", "the schedule", "a DAG in somebody's name"],
)
def test_a_run_that_no_person_asked_for_says_nothing(site: Site, changed: dict[str, Any]) -> None:
    """Airflow hands a user's name on to the runs that a DAG of theirs triggers."""
    assert "only a person can give their word" in say(site, run_of("anna", CLOSE, **changed))
    assert kept(site, "") == []


def test_a_folder_that_cannot_be_used_is_red(site: Site) -> None:
    """Green would mean that it is kept."""
    Path(site.environ["ROTATION_STATE_PATH"]).symlink_to("/dev/null")
    assert "See to the folder, then close it again." in say(site, run_of("anna", CLOSE))
