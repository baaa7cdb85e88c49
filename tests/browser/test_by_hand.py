"""What people do by hand, in a real Airflow and on its page: nothing attempts it, and people are reminded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from sandbox.airflow_api import Refused
from sandbox.demo.warehouse import ROLES, Login, Warehouse
from sandbox.sandbox import Sandbox
from scenes import browser as seen
from scenes.airflow import DAGS, RETIRE, ROOT, ROTATE, VERIFY, WATCHDOG, Office

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
            plugins=ROOT / "plugins",
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
    return warehouse.environment() | {"ROTATION_STATE_PATH": str(sandbox.run_directory / "state")}


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


def _command(office: Office, *arguments: str) -> dict[str, dict[str, str]]:
    """As an operator runs it, with the deployment's settings; the outcomes by name."""
    environ = _environment(office.sandbox, office.warehouse) | {
        "PYTHONPATH": str(ROOT / "plugins"),
        "PATH": os.defpath,
        "ROTATION_INCLUDE": str(office.sandbox.run_directory / "include"),
    }
    command = [sys.executable, "-m", "credential_rotation", *arguments, "--json"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    return {one["name"]: one for one in json.loads(done.stdout)["credentials"]}


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
    """Hourly runs skip and say whom they wait for; the digest reminds; the command ends it."""
    old = _in_journal_before(office)
    ended = office.run(RETIRE, credentials=[PAIR.name])
    waits = ended.outcome(f"retire[{PAIR.name}]")
    assert (waits["outcome"], waits["waits_for"]) == ("waiting", ["Looker"])
    assert "confirm billing --consumer Looker" in ended.log(f"retire[{PAIR.name}]")
    assert office.warehouse.logs_in(PAIR, old)
    _digests(office)
    said = _digests(office)
    [told] = [one for one in said if "Looker" in one]  # once, and not each day
    assert "a new value has to be handed on by hand until" in told
    assert "confirm billing --consumer Looker --version 1" in told
    assert all("signing-key (security): never closed" in one for one in said[-2:])
    assert _command(office, "confirm", PAIR.name)[PAIR.name]["outcome"] == "ok"
    assert office.run(RETIRE, credentials=[PAIR.name]).state == "success"
    assert not office.warehouse.logs_in(PAIR, old)
    assert office.warehouse.logs_in(PAIR, office.warehouse.stored(PAIR))


def _in_journal_before(office: Office) -> Login:
    """The value that was CURRENT before the first tick, which its version 0 keeps."""
    kept = [one for one in office.sandbox.bitwarden.secrets("rotation-journal") if not one.deleted]
    [first] = [one for one in kept if one.key.startswith(f"rotation/{PAIR.name}/000000/")]
    value = json.loads(first.value)
    return Login(value["login"] or value["principal"], value["password"])


def test_h1_the_page_says_what_to_do_instead_of_rotating(office: Office, browser: Browser) -> None:
    """No button, but the instructions and the command; once it is closed the page tells that."""
    passwords = json.loads(office.sandbox.airflow.settings.passwords_file.read_text())
    page = seen.visitor(browser, office.sandbox.airflow.url)
    seen.log_in(page, "admin", passwords["admin"])
    inside = seen.frame(page)
    expect(inside.locator(".people")).to_contain_text("signing-key")
    inside.get_by_role("link", name="signing-key").first.click()
    inside.get_by_role("heading", name="signing-key").wait_for()
    expect(inside.get_by_role("button", name="Rotate now")).to_have_count(0)
    expect(inside.get_by_text("No tool can rotate it: a person does")).to_be_visible()
    link = inside.get_by_role("link", name="https://wiki.example.com/signing-key")
    assert link.get_attribute("href") == "https://wiki.example.com/signing-key"
    expect(inside.locator("main")).to_contain_text("credential_rotation close signing-key --reason")
    assert seen.serious(inside) == []
    seen.picture(page, "page-by-hand")
    closed = _command(office, "close", "signing-key", "--reason", "made <b>anew</b>")["signing-key"]
    assert closed["outcome"] == "closed"
    page.reload()
    inside = seen.frame(page)
    expect(inside.locator(".timeline > li").first).to_contain_text("made <b>anew</b>")
    expect(inside.locator(".timeline > li").first).to_contain_text("closed")
    expect(inside.locator("header .badge")).to_contain_text("Fine")


def test_h3_compromise_mode_shows_whom_it_breaks_before_it_does(office: Office, browser: Browser) -> None:
    """Who takes values by hand is nobody that could be asked anew."""
    passwords = json.loads(office.sandbox.airflow.settings.passwords_file.read_text())
    page = seen.visitor(browser, office.sandbox.airflow.url)
    seen.log_in(page, "admin", passwords["admin"])
    inside = seen.frame(page)
    inside.get_by_role("link", name=PAIR.name).first.click()
    inside.get_by_role("heading", name=PAIR.name).wait_for()
    inside.get_by_role("button", name="Rotate now").click()
    inside.get_by_label("Compromise mode").check()
    told = inside.get_by_text("Broken until a person gives it the new value by hand: Looker.")
    expect(told).to_be_visible()


@pytest.fixture
def browser() -> Iterator[Browser]:
    """Started after Airflow, which forks."""
    with seen.chromium() as one:
        yield one
