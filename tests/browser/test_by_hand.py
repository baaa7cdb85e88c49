"""What people do by hand, in a real Airflow and on its page: nothing attempts it, and they say it is done."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from sandbox.airflow_api import AirflowApi, Refused
from sandbox.demo.warehouse import ROLES, Login, Warehouse
from sandbox.places import PLUGINS, ROOT
from sandbox.sandbox import Sandbox
from scenes.airflow.office import DAGS, RECORD, RETIRE, ROTATE, VERIFY, WATCHDOG, Ended, Office
from scenes.page import browser as seen

pytestmark = [pytest.mark.airflow, pytest.mark.feature]

_, _, _, PAIR, _ = ROLES
SIGNING = """\
credentials:
  - name: signing-key
    engine: manual
    instructions: https://wiki.example.com/signing-key
    policy: {max_age: 365d}
    owner: security
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    seen.needs_chromium()
    with Sandbox(tmp_path_factory.mktemp("office")) as sandbox:
        warehouse = Warehouse(sandbox)
        include = warehouse.build(ROOT)
        _to_be_done_by_hand(include)
        running = sandbox.start_airflow(
            env=_environment(sandbox, warehouse),
            dags=ROOT / "dags",
            plugins=PLUGINS,
            include=include,
        )
        running.api.wait_for_dags(*DAGS)
        running.api.unpause(ROTATE)
        office = Office(sandbox, warehouse)
        office.run(ROTATE)  # the first tick, which may be under way, is over when this one is
        for dag in (RETIRE, VERIFY, WATCHDOG):
            running.api.unpause(dag)
        yield office


def _environment(sandbox: Sandbox, warehouse: Warehouse) -> dict[str, str]:
    return warehouse.environment() | {
        "ROTATION_STATE_PATH": str(sandbox.run_directory / "state"),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,bi:user,security:user,viewer:viewer",
    }


def _to_be_done_by_hand(include: Path) -> None:
    """An entry that no tool can change, and a user of the pair that takes values by hand."""
    (include / "credentials" / "by_hand.yaml").write_text(SIGNING)
    path = include / "credentials" / "warehouse.yaml"
    before, name, after = path.read_text().partition(f"- name: {PAIR.name}\n")
    entry, following, rest = after.partition("  - name: ")
    entry = entry.replace("consumers: []", "consumers: [{manual: Looker, owner: bi}]").replace(
        ", grace: 1m", ""
    )
    assert "Looker" in entry
    others = [text.replace("policy: monthly", "policy: manual") for text in (before, rest)]
    path.write_text(others[0] + name + entry + following + others[1])


def _command(office: Office, *arguments: str) -> dict[str, Any]:
    """As an operator runs it, with the deployment's settings; the document that it prints."""
    environ = _environment(office.sandbox, office.warehouse) | {
        "PYTHONPATH": str(PLUGINS),
        "PATH": os.defpath,
        "ROTATION_INCLUDE": str(office.sandbox.run_directory / "include"),
    }
    command = [sys.executable, "-m", "credential_rotation", *arguments, "--json"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def _password(office: Office, user: str) -> str:
    found: dict[str, str] = json.loads(office.sandbox.airflow.settings.passwords_file.read_text())
    return found[user]


def _say(office: Office, user: str, **conf: object) -> Ended:
    """A run of `record_by_hand`, by this user through Airflow's API."""
    api = AirflowApi(office.sandbox.airflow.url)
    api.login(user, _password(office, user))
    try:
        run = api.trigger(RECORD, conf)
    finally:
        api.close()
    return Ended(office.api, RECORD, run, office.api.wait(RECORD, run))


def _outcome(ended: Ended) -> dict[str, Any]:
    found: dict[str, Any] = ended.api.xcom(ended.dag, ended.run, "record", key="outcome")
    return found


def _evidence(office: Office, name: str) -> dict[str, Any]:
    """The newest version's."""
    found: dict[str, Any] = _command(office, "evidence", name)["rotations"][-1]
    return found


def _digests(office: Office) -> list[str]:
    """All that the watchdog has said by now; a run of its own began when it was unpaused."""
    assert office.run(WATCHDOG).state == "success"
    return [str(one) for one in office.sandbox.slack.messages() if "Daily digest" in str(one)]


def test_h1_no_dag_attempts_what_no_tool_can_change(office: Office) -> None:
    """It is offered by no form, planned by no run, and refused where somebody names it all the same."""
    for dag in (ROTATE, RETIRE, VERIFY):
        assert not [name for name in office.run(dag).tasks() if "signing-key" in name]
        with pytest.raises(Refused):
            office.api.trigger(dag, {"credentials": ["signing-key"]})


def test_h3_looker_is_waited_for_until_a_person_says_that_it_has_the_new_value(office: Office) -> None:
    """Hourly runs skip and say whom they wait for; the digest reminds; the word of a user ends it."""
    old = _in_journal_before(office)
    ended = office.run(RETIRE, credentials=[PAIR.name])
    waits = ended.outcome(f"retire[{PAIR.name}]")
    assert (waits["outcome"], waits["waits_for"]) == ("waiting", ["Looker"])
    assert "say so: page Credentials or DAG record_by_hand" in ended.log(f"retire[{PAIR.name}]")
    assert office.warehouse.logs_in(PAIR, old)
    _digests(office)
    digests = _digests(office)
    [told] = [one for one in digests if "Looker" in one]  # once, and not each day
    assert "a new value has to be handed on by hand until" in told
    assert "confirm billing --consumer Looker --version 1" in told
    assert all("signing-key (security): never closed" in one for one in digests[-2:])
    said = _say(office, "bi", credential=PAIR.name, done="confirm", consumer="Looker", version=1)
    assert said.state == "success"
    assert "Looker has version 1, as bi said; what it replaced is ended" in _outcome(said)["reason"]
    again = _say(office, "security", credential=PAIR.name, done="confirm")
    assert again.state == "success"
    assert "as bi said already, on " in _outcome(again)["reason"]
    [word] = _evidence(office, PAIR.name)["confirmed"]
    assert (word["consumer"], word["by"]) == ("manual Looker", "bi")
    assert office.run(RETIRE, credentials=[PAIR.name]).state == "success"
    assert not office.warehouse.logs_in(PAIR, old)
    assert office.warehouse.logs_in(PAIR, office.warehouse.stored(PAIR))


def _in_journal_before(office: Office) -> Login:
    """The value that was CURRENT before the first tick, which its version 0 keeps."""
    kept = [one for one in office.sandbox.bitwarden.secrets("rotation-journal") if not one.deleted]
    [first] = [one for one in kept if one.key.startswith(f"rotation/{PAIR.name}/000000/")]
    value = json.loads(first.value)
    return Login(value["login"] or value["principal"], value["password"])


def _open(office: Office, browser: Browser, user: str, name: str) -> tuple[Page, Frame]:
    """One credential on the page."""
    page = seen.visitor(browser, office.sandbox.airflow.url)
    seen.log_in(page, user, _password(office, user))
    inside = seen.frame(page)
    inside.get_by_role("link", name=name).first.click()
    inside.get_by_role("heading", name=name).wait_for()
    return page, inside


def test_h1_the_page_says_what_to_do_instead_of_rotating_and_takes_a_persons_word(
    office: Office, browser: Browser
) -> None:
    """Instructions and a button, by the keyboard alone; once it is closed the page tells by whom."""
    page, inside = _open(office, browser, "security", "signing-key")
    expect(inside.get_by_role("button", name="Rotate now")).to_have_count(0)
    expect(inside.get_by_text("No tool can rotate it: a person does")).to_be_visible()
    link = inside.get_by_role("link", name="https://wiki.example.com/signing-key")
    assert link.get_attribute("href") == "https://wiki.example.com/signing-key"
    expect(inside.locator("main")).to_contain_text("credential_rotation close signing-key --reason")
    expect(inside.locator("dt", has_text=re.compile("^At$"))).to_have_count(0)
    expect(inside.locator("header .badge")).to_contain_text("Never closed")
    seen.picture(page, "page-by-hand")
    inside.get_by_role("button", name="I have changed it").focus()
    page.keyboard.press("Enter")
    expect(inside.get_by_label("What was done")).to_be_focused()
    for theme in ("dark", "light"):
        seen.set_theme(page, theme)
        expect(inside.locator("html")).to_have_class(theme)
        assert seen.serious(inside) == []
    page.keyboard.press("Tab")
    expect(inside.get_by_label("Changed on")).to_be_focused()
    inside.get_by_role("button", name="Say so").press("Enter")
    expect(inside.get_by_role("status")).to_contain_text("A close needs a reason, and none was given")
    inside.get_by_label("Changed on").fill("1969-12-31")
    inside.get_by_label("What was done").fill("made <b>anew</b>")
    inside.get_by_role("button", name="Say so").press("Enter")
    expect(inside.locator("#ended")).to_contain_text(
        "it cannot have been changed on 1969-12-31", timeout=60_000
    )
    inside.get_by_label("Changed on").fill("")
    inside.get_by_role("button", name="Say so").press("Enter")
    expect(inside.locator("#ended")).to_contain_text("version 1 is in use since", timeout=60_000)
    page.keyboard.press("Escape")
    expect(inside.locator("dialog")).to_have_count(0)
    newest = inside.locator(".timeline > li").first
    expect(newest).to_contain_text("closed")
    expect(newest).to_contain_text("asked for by security: “made <b>anew</b>”")
    expect(inside.locator("header .badge")).to_contain_text("Fine")


def test_h1_a_change_is_said_by_a_user_in_airflow_and_refused_in_plain_words(office: Office) -> None:
    """Red where a form was passed by; history and evidence name who triggered the run."""
    before = _outcome(_say(office, "security", credential="signing-key", done="close", reason="as listed"))
    number = before["version"] + 1
    for conf, says in (
        ({"done": "close"}, "a close needs a reason, and none was given"),
        ({"done": "confirm"}, "no consumer of it takes values by hand"),
        ({"done": "close", "reason": "x", "changed_on": "2999-01-01"}, "which has not come"),
        ({"done": "close", "reason": "x", "changed_on": "2025-10-01"}, "it cannot have been changed on"),
        ({"done": "close", "reason": "x", "by": "bi"}, "unknown in the run's configuration: by"),
    ):
        red = _say(office, "security", credential="signing-key", **conf)
        assert red.state == "failed"
        assert says in red.log("record")
    with pytest.raises(Refused):
        _say(office, "viewer", credential="signing-key", done="close", reason="x")
    said = _say(office, "security", credential="signing-key", done="close", reason="and once more")
    assert said.state == "success"
    assert (_outcome(said)["outcome"], _outcome(said)["version"]) == ("closed", number)
    found = _evidence(office, "signing-key")
    assert (found["version"], found["by"], found["why"]) == (number, "security", "and once more")
    assert found["dag_id"] == RECORD
    office.api.clear(RECORD, said.run)
    assert office.api.wait(RECORD, said.run) == "success"
    assert "security said so already" in _outcome(said)["reason"]
    assert _evidence(office, "signing-key")["version"] == number


def test_h1_a_viewer_may_look_and_not_say_so(office: Office, browser: Browser) -> None:
    """No button, and a word why; Airflow refuses who asks all the same."""
    _, inside = _open(office, browser, "viewer", "signing-key")
    expect(
        inside.get_by_text("You may look. To say that it is done, you need the permission")
    ).to_be_visible()
    expect(inside.get_by_role("button", name="I have changed it")).to_have_count(0)


def test_h1_while_its_dag_is_paused_the_page_and_the_digest_say_so(office: Office, browser: Browser) -> None:
    """A run would stay queued; the page has the command instead."""
    office.api.unpause(RECORD, paused=True)
    try:
        _, inside = _open(office, browser, "security", "signing-key")
        inside.get_by_role("button", name="I have changed it").click()
        inside.get_by_label("What was done").fill("made anew")
        inside.get_by_role("button", name="Say so").click()
        told = inside.get_by_role("status")
        expect(told).to_contain_text("record_by_hand is paused: a run would stay queued and do nothing")
        expect(told).to_contain_text(
            "or say it from a shell: python -m credential_rotation close signing-key"
        )
        digest = _digests(office)[-1]
    finally:
        office.api.unpause(RECORD)
    assert "record_by_hand is paused: nobody can say in Airflow what was done by hand" in digest


def test_h3_looker_is_given_the_new_value_and_its_owner_says_so_on_the_page(
    office: Office, browser: Browser
) -> None:
    """Right after the rotation, before a planner has looked; what was said is seen at once."""
    assert office.run(ROTATE, credentials=[PAIR.name]).state == "failed"
    _, inside = _open(office, browser, "bi", PAIR.name)
    expect(inside.locator("header .badge")).to_contain_text("Not proved")
    expect(inside.get_by_text("Give Looker version 2")).to_be_visible()
    expect(inside.locator("main")).to_contain_text("confirm billing --consumer Looker --version 2")
    assert seen.serious(inside) == []
    inside.get_by_role("button", name="Looker has the new value").click()
    expect(inside.get_by_label("Changed on")).to_have_count(0)
    inside.get_by_label("Remark").fill("in its settings")
    inside.get_by_role("button", name="Say so").click()
    expect(inside.locator("#ended")).to_contain_text("Looker has version 2, as bi said", timeout=60_000)
    inside.get_by_role("button", name="Close").click()
    expect(inside.get_by_role("button", name="Looker has the new value")).to_have_count(0)
    expect(inside.locator("header .badge")).not_to_contain_text("Not proved")
    expect(inside.locator(".timeline > li").first).to_contain_text("asked for by bi: “in its settings”")


def test_h3_compromise_mode_shows_whom_it_breaks_before_it_does(office: Office, browser: Browser) -> None:
    """Who takes values by hand is nobody that could be asked anew."""
    _, inside = _open(office, browser, "admin", PAIR.name)
    inside.get_by_role("button", name="Rotate now").click()
    inside.get_by_label("Compromise mode").check()
    told = inside.get_by_text("Broken until a person gives it the new value by hand: Looker.")
    expect(told).to_be_visible()


@pytest.fixture
def browser() -> Iterator[Browser]:
    """Started after Airflow, which forks."""
    with seen.chromium() as one:
        yield one
