"""The page "Credentials" in a real browser on a real Airflow. One Airflow for all tests of this file."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Frame, Locator, expect

from credential_rotation.evidence.seal import check
from sandbox.demo.warehouse import ROLES
from sandbox.kept import wait_until
from sandbox.places import PLUGINS
from scenes.airflow.office import APPROVAL, RETIRE, ROTATE
from scenes.inventory.policies import set_policies
from scenes.page import browser as seen
from scenes.page.desk import Desk

pytest_plugins = ["scenes.page.fixtures"]
pytestmark = [pytest.mark.airflow, pytest.mark.feature]

ETL, REPORTING, _, BILLING, _ = ROLES
STATIC = PLUGINS / "credential_rotation" / "ui" / "static"
ROUTES = [
    "", "data/credentials", "data/credential?name=warehouse-etl", "wish", "word",
    "data/evidence?name=warehouse-etl&kind=html", "data/evidence?name=warehouse-etl&kind=json",
    "openapi.json", "docs", "redoc", "nothing/here",
    *(f"static/{path.relative_to(STATIC)}" for path in sorted(STATIC.rglob("*")) if path.is_file()),
]  # fmt: skip


EMPTY: dict[str, object] = {
    "now": "2026-11-26T12:00:00+00:00", "as_of": None, "stale": False, "problems": [], "credentials": [],
    "folder": "/opt/airflow/credential_rotation_state", "may_trigger": {},
}  # fmt: skip


def test_at_first_it_says_what_to_do(desk: Desk) -> None:
    """While no planner has told anything."""
    page = seen.visitor(desk.browser, desk.url)
    page.route("**/data/credentials", lambda route: route.fulfill(json=EMPTY))
    seen.log_in(page, "admin", desk.passwords["admin"])
    inside = seen.frame(page)
    expect(inside.get_by_role("heading", name="Nothing to show yet")).to_be_visible()
    expect(inside.get_by_role("link", name="retire_credentials")).to_be_visible()
    assert seen.serious(inside) == []


def test_rotate_now_from_the_list_to_the_proof(desk: Desk) -> None:
    """Log in, look, filter, open, press, fill in, see it succeed in its pool, see the page change."""
    for dag in (RETIRE, ROTATE):
        desk.office.api.unpause(dag)
    desk.office.run(RETIRE)
    desk.office.run(ROTATE)
    before = desk.office.warehouse.stored(ETL)
    page = desk.visit("admin")
    inside = seen.frame(page)
    inside.get_by_label("Search").fill("warehouse-e")
    expect(inside.locator(".list tbody tr")).to_have_count(1)
    inside.get_by_role("link", name=ETL.name).click()
    inside.get_by_role("heading", name=ETL.name).wait_for()
    version = inside.locator(".age").inner_text()
    inside.get_by_role("button", name="Rotate now").click()
    inside.get_by_label("Force:").check()
    inside.get_by_role("button", name="Rotate", exact=True).click()
    expect(inside.get_by_role("status")).to_contain_text("A forced rotation needs a reason")
    inside.get_by_label("Force:").uncheck()
    expect(inside.get_by_role("status"), "it was about what is not asked for any more").to_be_empty()
    inside.get_by_label("Reason").fill("a <b>laptop</b> was lost")
    seen.picture(page, "page-rotate-now")
    inside.get_by_role("button", name="Rotate", exact=True).click()
    expect(inside.locator("#ended")).to_contain_text("is CURRENT, and proved", timeout=60_000)
    inside.get_by_role("button", name="Close").click()
    expect(inside.locator(".timeline > li").first).to_contain_text("a <b>laptop</b> was lost")
    expect(inside.locator(".timeline > li").first).to_contain_text("asked for by admin")
    expect(inside.locator(".age")).not_to_have_text(version)
    after = desk.office.warehouse.stored(ETL)
    assert before != after
    assert desk.office.warehouse.logs_in(ETL, after)
    inside.get_by_role("link", name="Log in Airflow").first.click()
    page.wait_for_url(f"**/dags/{ROTATE}/runs/**/tasks/rotate.pool-default_pool/mapped/0**")


@pytest.mark.parametrize(("words", "kind"), [("page that prints", "html"), ("JSON", "json")])
def test_evidence_is_downloaded_from_the_detail(desk: Desk, words: str, kind: str, tmp_path: Path) -> None:
    """By a click inside Airflow's frame, by a viewer too; what arrives is whole and has no value in it."""
    page = desk.visit("viewer")
    inside = seen.frame(page)
    inside.get_by_role("link", name=ETL.name).click()
    with page.expect_download() as arrives:
        inside.get_by_role("link", name=words).click()
    assert arrives.value.suggested_filename.startswith(f"evidence-{ETL.name}-")
    assert arrives.value.suggested_filename.endswith(f".{kind}")
    arrives.value.save_as(tmp_path / "evidence")
    text = (tmp_path / "evidence").read_bytes().decode()
    verdict = check(text)
    assert verdict.is_whole, verdict.what
    assert "by viewer" in verdict.what
    assert desk.office.warehouse.stored(ETL).password not in text


def test_nothing_that_is_served_holds_a_value(desk: Desk) -> None:
    """Neither of the list nor of any detail, nor evidence."""
    values = [desk.office.warehouse.stored(role).password for role in ROLES]
    with httpx.Client(base_url=desk.url, trust_env=False) as client:
        token = client.post("/auth/token", json={"username": "admin", "password": desk.passwords["admin"]})
        client.headers["Authorization"] = f"Bearer {token.json()['access_token']}"
        said = client.get("/credential_rotation/data/credentials").text
        for role in ROLES:
            said += client.get(f"/credential_rotation/data/credential?name={role.name}").text
            for kind in ("html", "json"):
                said += client.get(f"/credential_rotation/data/evidence?name={role.name}&kind={kind}").text
        headers = client.get("/credential_rotation/").headers
    assert ETL.name in said
    assert not [value for value in values if value in said]
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]


@pytest.mark.parametrize("route", ROUTES)
def test_an_anonymous_visitor_gets_nothing(desk: Desk, route: str) -> None:
    """No file, no schema, no unknown path; by no method."""
    with httpx.Client(base_url=desk.url, trust_env=False) as client:
        answers = [
            client.request(verb, f"/credential_rotation/{route}") for verb in ("GET", "POST", "DELETE")
        ]
    assert {answer.status_code for answer in answers} == {401}
    assert not {"script", "svg", "openapi"} & {word for answer in answers for word in answer.text.split()}


def test_a_viewer_may_look_and_not_trigger(desk: Desk) -> None:
    """No button, and a word why; Airflow itself refuses who asks all the same."""
    page = desk.visit("viewer")
    inside = seen.frame(page)
    inside.get_by_role("link", name=REPORTING.name).click()
    inside.get_by_role("heading", name=REPORTING.name).wait_for()
    expect(inside.get_by_text("You may look.")).to_be_visible()
    expect(inside.get_by_role("button", name="Rotate now")).to_have_count(0)
    for conf in ({}, {"credentials": [REPORTING.name], "revoke": True, "reason": "x"}):
        status = inside.evaluate(
            "([dag, conf]) => fetch(`../api/v2/dags/${dag}/dagRuns`, {method: 'POST', "
            "headers: {'Content-Type': 'application/json'}, "
            "body: JSON.stringify({logical_date: null, conf})}).then(a => a.status)",
            [ROTATE, conf],
        )
        assert status == 403


def test_a_thousand_credentials_are_usable_within_a_second(desk: Desk) -> None:
    """From the frame's navigation to the table; and again from a key in the search to the rows."""
    with desk.shelf(desk.state.with_name("thousand")):
        _measure(desk)


def _measure(desk: Desk) -> None:
    page = desk.visit("admin")
    inside = seen.frame(page)
    expect(inside.get_by_role("status")).to_have_text("1000 credentials")
    took = []
    for _ in range(3):
        page.reload()
        inside = seen.frame(page)
        inside.locator(".list tbody tr").first.wait_for()
        took.append(inside.evaluate("() => performance.getEntriesByName('usable')[0].startTime"))
    filtered = inside.evaluate(
        "() => { const began = performance.now(); const search = document.getElementById('search');"
        " search.value = 'risk-models-042'; search.dispatchEvent(new Event('input'));"
        " document.body.offsetHeight; return performance.now() - began; }"
    )
    expect(inside.locator(".list tbody tr")).to_have_count(1)
    print(f"usable after {min(took):.0f} ms, filtered in {filtered:.0f} ms")  # noqa: T201 - a figure for the docs
    assert min(took) < 1000
    assert filtered < 1000


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nobody_is_kept_out(desk: Desk, theme: str) -> None:
    """Axe finds nothing serious in list, detail and form; the frame follows Airflow's own theme."""
    with desk.shelf(desk.state.with_name("dozen")):
        page = desk.visit("admin", dark=theme == "light")  # the system wants the other one
        inside = seen.frame(page)
        seen.drawn(inside)  # Airflow sets its own theme while it starts
        seen.set_theme(page, theme)
        expect(inside.locator("html")).to_have_class(theme)
        assert seen.serious(inside) == []
        inside.get_by_role("link", name=ETL.name).first.click()
        inside.get_by_role("heading", name=ETL.name).wait_for()
        assert seen.serious(inside) == []
        inside.get_by_role("button", name="Rotate now").click()
        assert seen.serious(inside) == []
        _pictures(desk, theme)


def _pictures(desk: Desk, theme: str) -> None:
    if not os.environ.get(seen.TAKE_PICTURES):
        return
    page = desk.visit("admin")
    seen.set_theme(page, theme)
    inside = seen.frame(page)
    page.set_viewport_size({"width": 1500, "height": 1640})
    seen.drawn(inside)
    inside.evaluate("() => scrollTo(0, 0)")
    seen.picture(page, f"page-{theme}")
    inside.get_by_role("link", name=ETL.name).first.click()
    inside.get_by_role("heading", name=ETL.name).wait_for()
    page.set_viewport_size({"width": 1500, "height": 1000})
    seen.picture(page, f"page-detail-{theme}")
    if theme == "dark":
        return
    phone = desk.visit("admin", width=390)
    phone.goto("/credential_rotation/")
    phone.wait_for_selector("main[aria-busy=false]")
    seen.picture(phone, "page-phone")


def test_the_address_of_a_credential_can_be_sent_to_others(desk: Desk) -> None:
    """Airflow's own address bar has it; it opens, and reloads, as what it was."""
    page = desk.visit("op")
    seen.frame(page).get_by_role("link", name=REPORTING.name).click()
    page.wait_for_url("**/plugin/credentials/credential_rotation/?credential=reporting")
    page.reload()
    expect(seen.frame(page).get_by_role("heading", name=REPORTING.name)).to_be_visible()


def test_a_keyboard_is_enough(desk: Desk) -> None:
    """Sort, open a credential and the form, and leave it again, without a mouse."""
    page = desk.visit("op")
    inside = seen.frame(page)
    inside.get_by_role("button", name="Credential", exact=True).focus()
    page.keyboard.press("Enter")
    expect(inside.locator("th").first).to_have_attribute("aria-sort", "ascending")
    inside.get_by_role("link", name=REPORTING.name).focus()
    page.keyboard.press("Enter")
    inside.get_by_role("button", name="Rotate now").focus()
    page.keyboard.press("Enter")
    expect(inside.get_by_label("Reason")).to_be_focused()
    page.keyboard.press("Escape")
    expect(inside.locator("dialog")).to_have_count(0)


def test_a_folder_that_cannot_be_read_is_said_on_the_page(desk: Desk) -> None:
    """With its path; rotations go on."""
    loop = desk.state.with_name("loop")
    loop.symlink_to(loop)
    with desk.shelf(loop):
        inside = seen.frame(desk.visit("viewer"))
        expect(inside.get_by_role("alert")).to_contain_text("The state folder cannot be read")
        expect(inside.get_by_role("alert")).to_contain_text(str(desk.state))


def test_of_a_guarded_credential_the_page_asks_another_person(desk: Desk) -> None:
    """Asked on the page by one; the page leads the other to the question, whose yes rotates it."""
    for dag in (ROTATE, RETIRE, APPROVAL):
        desk.office.api.unpause(dag)
    desk.office.run(ROTATE, credentials=[REPORTING.name])  # so that the hourly run has nothing to ask
    inventory = desk.office.sandbox.airflow.include / "credentials" / "warehouse.yaml"
    set_policies(inventory, {REPORTING.name: "{max_age: 30d, approval: required}"})
    desk.office.run(RETIRE)  # tells the page
    before = desk.office.warehouse.stored(REPORTING)
    inside = seen.frame(desk.visit("admin"))
    inside.locator(".list").get_by_role("link", name=REPORTING.name).click()
    inside.get_by_role("button", name="Rotate now").click()
    inside.get_by_role("button", name="Rotate", exact=True).click()
    expect(inside.locator("#ended")).to_contain_text("Asked. It begins when somebody else says yes")
    api = desk.office.api
    [run] = [one["dag_run_id"] for one in api.runs(APPROVAL) if one["run_type"] == "manual"]
    wait_until(lambda: "awaiting_input" in _states(desk, run), "the question", within=60)
    other = desk.visit("op")
    seen.frame(other).get_by_role("link", name="Open the question").click()
    other.get_by_role("button", name="Approve").click()
    assert api.wait(APPROVAL, run, within=120) == "success"
    assert desk.office.warehouse.stored(REPORTING) != before


def test_what_kept_a_run_from_being_planned_is_said_on_the_page(desk: Desk) -> None:
    """The reason itself and what to do next, of a dry run and of a question; no log has to be opened."""
    for dag in (RETIRE, APPROVAL):
        desk.office.api.unpause(dag)
    inventory = desk.office.sandbox.airflow.include / "credentials" / "warehouse.yaml"
    set_policies(inventory, {BILLING.name: "{max_age: 30d, approval: required}"})
    desk.office.run(RETIRE)  # tells the page, which does not know of the next edit
    set_policies(inventory, {BILLING.name: "{max_age: 30d}"})
    page = desk.visit("op")
    inside = seen.frame(page)
    inside.locator(".list").get_by_role("link", name=BILLING.name).click()
    for is_dry in (True, False):
        told = _told_by_planner(inside, is_dry=is_dry)
        expect(told).to_contain_text(f"the policy of {BILLING.name} wants nobody's approval", timeout=60_000)
        expect(told).to_contain_text("Trigger the DAG of its engine instead")
        inside.get_by_role("button", name="Close").click()
    row = {"name": BILLING.name, "outcome": "waiting", "reason": "not read yet", "next_step": "Again, soon."}
    shares = {"value": {"names": {"": []}, "left_out": [{**row, "name": "other"}, row]}}
    page.route("**/plan_approvals/xcomEntries/shares", lambda route: route.fulfill(json=shares))
    expect(_told_by_planner(inside, is_dry=True)).to_contain_text(
        "not read yet. Again, soon.", timeout=60_000
    )
    inside.get_by_role("button", name="Close").click()
    page.route("**/taskInstances/plan_approvals", lambda route: route.fulfill(json={"state": "failed"}))
    page.route("**/plan_approvals/xcomEntries/*", lambda route: route.fulfill(status=404, json={}))
    killed = _told_by_planner(inside, is_dry=False)
    expect(killed).to_contain_text("The run failed; its log says why.", timeout=60_000)
    expect(killed).not_to_contain_text("Asked")


def _told_by_planner(inside: Frame, *, is_dry: bool) -> Locator:
    inside.get_by_role("button", name="Rotate now").click()
    if is_dry:
        inside.get_by_label("Dry run").check()
    inside.get_by_role("button", name="Look" if is_dry else "Rotate", exact=True).click()
    return inside.locator("#ended")


def _states(desk: Desk, run: str) -> set[str | None]:
    return {one.state for one in desk.office.api.task_instances(APPROVAL, run)}
