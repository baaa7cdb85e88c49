"""Compromise mode from the page and through Airflow's API, in a real browser on a real Airflow."""

from __future__ import annotations

import httpx
import psycopg
import pytest
from playwright.sync_api import Frame, Page, expect

from sandbox.demo.warehouse import ROLES
from scenes.airflow.office import RETIRE, ROTATE, VERIFY
from scenes.page import browser as seen
from scenes.page.desk import Desk

pytest_plugins = ["scenes.page.fixtures"]
pytestmark = [pytest.mark.airflow, pytest.mark.feature]

ETL, REPORTING, _, PAIR, _ = ROLES


@pytest.fixture(scope="module")
def rotated(desk: Desk) -> Desk:
    """Everything has a version, and the pair an old value in its grace."""
    for dag in (RETIRE, ROTATE):
        desk.office.api.unpause(dag)
    desk.office.run(ROTATE)
    desk.office.run(RETIRE)
    return desk


def opened(desk: Desk) -> tuple[Page, Frame]:
    """The form, over the pair's detail."""
    page = desk.visit("admin")
    inside = seen.frame(page)
    inside.get_by_role("link", name=PAIR.name).click()
    inside.get_by_role("button", name="Rotate now").click()
    inside.get_by_label("Compromise mode").check()
    expect(inside.get_by_text("dies, without grace")).to_be_visible()
    return page, inside


def test_it_is_shown_what_it_breaks_and_the_name_has_to_be_typed(rotated: Desk) -> None:
    """Before anything is sent; a wrong name, or none, leaves the button dead, and so does Enter."""
    page, inside = opened(rotated)
    for said in (
        "Open sessions of billing_a, billing_b are ended",
        "Whoever keeps it in memory",
        "hold it up",
    ):
        expect(inside.get_by_text(said)).to_be_visible()
    go = inside.get_by_role("button", name="Revoke now")
    expect(go).to_be_disabled()
    inside.get_by_label("To go on, type the name").fill("billin")
    expect(go).to_be_disabled()
    page.keyboard.press("Enter")
    expect(inside.get_by_role("status")).to_be_empty()
    expect(inside.get_by_label("Force:")).to_be_disabled()
    assert seen.serious(inside) == []
    inside.get_by_label("To go on, type the name").fill(PAIR.name)
    inside.get_by_label("Reason").fill("seen in a chat")
    expect(go).to_be_enabled()
    expect(inside.get_by_text("until grace is over")).to_be_hidden()
    seen.picture(page, "page-compromise")
    inside.get_by_label("Reason").fill(" ")
    go.click()
    expect(inside.get_by_role("status")).to_contain_text("Compromise mode needs a reason")
    inside.get_by_label("Compromise mode").uncheck()
    expect(inside.get_by_role("button", name="Rotate", exact=True)).to_be_enabled()


def test_a_dry_run_names_sessions_and_leaves_everything_alone(rotated: Desk) -> None:
    """No name to type: nothing is broken by looking."""
    before = rotated.office.warehouse.stored(PAIR)
    _, inside = opened(rotated)
    with rotated.office.sandbox.postgres.connect(
        before.user, before.password, application_name="nightly"
    ) as held:
        inside.get_by_label("Dry run").check()
        inside.get_by_label("Reason").fill("only looking")
        inside.get_by_role("button", name="Look").click()
        expect(inside.locator("#ended")).to_contain_text(
            f"role {before.user} has 1 live session", timeout=60_000
        )
        expect(inside.locator("#ended")).to_contain_text("1 of nightly")
        assert held.execute("SELECT 1").fetchone() == (1,)
    assert rotated.office.warehouse.stored(PAIR) == before


def test_from_the_switch_to_the_dead_value(rotated: Desk) -> None:
    """Old values refused, in grace or not; sessions ended; timeline, evidence and Slack say who and why."""
    warehouse, postgres = rotated.office.warehouse, rotated.office.sandbox.postgres
    first = warehouse.stored(PAIR)
    rotated.office.run(ROTATE, credentials=[PAIR.name], reason="so that one is in grace")
    second = warehouse.stored(PAIR)
    assert warehouse.logs_in(PAIR, first)
    held = postgres.connect(second.user, second.password)
    _, inside = opened(rotated)
    inside.get_by_label("Reason").fill("seen <b>in</b> a chat")
    inside.get_by_label("To go on, type the name").fill(PAIR.name)
    inside.get_by_role("button", name="Revoke now").click()
    expect(inside.locator("#ended")).to_contain_text("every value from before is dead", timeout=90_000)
    with pytest.raises(psycopg.OperationalError):
        held.execute("SELECT 1")
    third = warehouse.stored(PAIR)
    assert [warehouse.logs_in(PAIR, one) for one in (first, second, third)] == [False, False, True]
    inside.get_by_role("button", name="Close").click()
    newest = inside.locator(".timeline > li").first
    expect(newest).to_contain_text("revoked")
    expect(newest).to_contain_text("asked for by admin in compromise mode: “seen <b>in</b> a chat”")
    [told] = [
        one for one in rotated.office.sandbox.slack.messages() if "revoked — every value" in one["text"]
    ]
    assert "seen &lt;b&gt;in&lt;/b&gt; a chat" in str(told["blocks"])
    assert "admin" in str(told["blocks"])


@pytest.mark.parametrize(
    ("conf", "says"),
    [
        ({"credentials": [], "revoke": True, "reason": "x"}, "no credential is chosen"),
        ({"credentials": [REPORTING.name], "revoke": True}, "compromise mode needs a reason"),
    ],
)
def test_the_task_refuses_what_the_form_would_not_send(
    rotated: Desk, conf: dict[str, object], says: str
) -> None:
    """Through the API anything can be asked for."""
    before = rotated.office.warehouse.stored(REPORTING)
    ran = rotated.office.run(ROTATE, **conf)
    assert ran.state == "failed"
    assert says in ran.log("plan_rotations")
    assert rotated.office.warehouse.stored(REPORTING) == before


@pytest.mark.parametrize("dag", [RETIRE, VERIFY])
def test_a_dag_that_begins_nothing_refuses_it(rotated: Desk, dag: str) -> None:
    """Green, it would look as if the value were dead."""
    rotated.office.api.unpause(dag)
    ran = rotated.office.run(dag, credentials=[REPORTING.name], revoke=True, reason="seen in a chat")
    assert ran.state == "failed"
    assert "mean nothing here" in "".join(ran.log(name) for name in ran.tasks() if name.startswith("plan"))


def test_a_wish_that_makes_no_sense_is_refused_before_a_run_is_made(rotated: Desk) -> None:
    """By the task's own rules, whoever sends it."""
    with httpx.Client(base_url=rotated.url, trust_env=False) as client:
        token = client.post("/auth/token", json={"username": "op", "password": rotated.passwords["op"]})
        client.headers["Authorization"] = f"Bearer {token.json()['access_token']}"
        wish = {"credentials": ["a"], "revoke": True, "reason": "x", "not_before": "2027-01-01T00:00:00Z"}
        assert "begins at once" in client.post("/credential_rotation/wish", json=wish).json()["refused"]
