"""What the page is told: complete, from what is on the shelf, and tolerant of what others put there."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from bitwarden_vault.state_folder import StateFolder
from credential_rotation.model import ApprovalRule, Strategy, Target
from credential_rotation.outcome import Fact, Shows, Step, told
from credential_rotation.planning.planning import Known
from credential_rotation.planning.status_rows import status_document
from credential_rotation.state.approvals import Question, QuestionBook
from credential_rotation.state.history import Asked, keep_command, keep_run, keep_status
from credential_rotation.ui.shelf import Shelf
from credential_rotation.ui.view import credential_rows, detail_view, list_view, readers_by_place
from credential_rotation.ui.wish import refusal, refusal_of_word
from scenes.page.fleet import credential, fill

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
NOTHING = Known((), has_current=True)


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    fill({"ROTATION_STATE_PATH": str(tmp_path)}, 12, NOW)
    return Shelf(StateFolder(str(tmp_path)))


def shown(shelf: Shelf, now: datetime = NOW) -> dict[str, dict[str, Any]]:
    found = list_view(shelf.status(), shelf.rows(now), readers_by_place(shelf.readers(), now), now)
    json.dumps(found)
    return {one["name"]: one for one in found["credentials"]}


def test_every_entry_has_a_row_with_all_that_the_list_shows(shelf: Shelf) -> None:
    rows = shown(shelf)
    assert len(rows) == 12
    one = rows["payments-read"]
    assert (one["engine"], one["owner"], one["tags"]) == ("PostgreSQL", "finance", ["pci"])
    assert one["where"] == "db-4.internal:5432/warehouse"
    assert one["policy"] == "every 90 days"
    assert 0 < float(str(one["share"])) < 1


def test_ages_and_days_add_up(shelf: Shelf) -> None:
    found = list_view(shelf.status(), shelf.rows(NOW), {}, NOW)
    assert sum(one["count"] for one in found["ages"]) == sum(
        o["share"] is not None for o in found["credentials"]
    )
    assert len(found["days"]) == 90
    assert found["days"][-1]["failed"] == 1


def test_a_run_after_the_planners_look_tells_the_newer_version(shelf: Shelf) -> None:
    """The page changes with the run, not with the next hour."""
    later = NOW + timedelta(minutes=5)
    one = credential(7)
    row = {**replace(told(one, "rotated", "done"), version=5, steps=(Step("rotated", later),)).as_dict()}
    more = {"written": later.isoformat(), "due": (later + timedelta(days=90)).isoformat(), "act_by": None}
    environ = {"ROTATION_STATE_PATH": shelf.folder.path}
    keep_run(
        environ, Asked("anna", dag_id="rotate_database_credentials", run_id="r"), [row | more], now=later
    )
    changed = shown(shelf, later + timedelta(seconds=1))[one.name]
    assert (changed["version"], changed["written"]) == (5, later.isoformat())


def test_where_names_do_not_tell_which_version_is_in_use_its_run_does(shelf: Shelf) -> None:
    """In grace both are recorded, as where the newer one was never applied: that one made it CURRENT."""
    one = shown(shelf)["billing-ledger"]
    assert (one["version"], one["state"]["word"]) == (4, "In grace")
    status = shelf.status()
    assert status is not None
    rows = [row for row in shelf.rows(NOW) if not row.written]
    [one] = [o for o in credential_rows(status, rows, {}, NOW) if o["name"] == "billing-ledger"]
    assert (one["version"], one["may_be"], one["age"]) == (None, [4, 3], None)
    assert one["state"]["word"] == "Begun"
    assert "version 4 is recorded, and was not seen to become CURRENT" in one["state"]["why"]


def test_h1_what_no_tool_can_change_has_a_row_and_no_dag_to_trigger(tmp_path: Path) -> None:
    """Its detail tells what to do instead of "Rotate now", and a close changes it at once."""
    made = replace(
        credential(7),
        engine="manual",
        strategy=Strategy.BY_HAND,
        principals=(),
        target=Target("", {}),
        options={"instructions": "Ring up the bank."},
    )
    known = {made.name: Known((), has_current=True)}
    status = status_document([made], known, problems=[], now=NOW)
    [row] = credential_rows(status, [], {}, NOW)
    assert (row["engine"], row["dag"], row["state"]["word"]) == ("By hand", None, "Never closed")
    detail = detail_view(status["credentials"][0], row, [])
    assert detail["by_hand"]["instructions"] == "Ring up the bank."
    assert "close payments-read --reason" in detail["by_hand"]["how"]
    later = NOW + timedelta(minutes=1)
    changed = Step("changed by hand", later - 9 * HOUR, "version 1", Fact(Shows.CHANGED_BY_HAND, 1))
    steps = (changed, Step("closed", later, "rang them up"))
    closed = replace(told(made, "closed", "rang them up"), version=1, steps=steps)
    environ = {"ROTATION_STATE_PATH": str(tmp_path)}
    keep_command(environ, [made], [closed], Asked("anna"), now=later)
    shelf = Shelf(StateFolder(str(tmp_path)))
    [row] = credential_rows(status, shelf.rows(later), {}, later)
    assert (row["version"], row["state"]["word"], row["last"]["outcome"]) == (1, "Fine", "closed")
    [outcome] = detail_view(status["credentials"][0], row, shelf.outcomes(made.name))["outcomes"]
    assert [step["ms"] for step in outcome["steps"]] == [0, 0]  # not the weeks since the day of the change


def test_readers_are_found_by_key(shelf: Shelf) -> None:
    """An agent that has not been heard of for a day is gone, and what it knew with it."""
    assert not readers_by_place(shelf.readers(), NOW + timedelta(days=2))
    assert [one["dag"] for one in shown(shelf)["reporting"]["readers"]] == [
        "nightly_load", "reload_marts", "export_invoices",
    ]  # fmt: skip


def test_an_object_store_is_read_many_at_a_time_and_in_order(shelf: Shelf, tmp_path: Path) -> None:
    """The memory of fsspec stands in for it."""
    store = StateFolder(f"memory://{tmp_path.name}")
    for folder in shelf.folder.folders("runs"):
        for name in shelf.folder.names(folder):
            store.write(name, shelf.folder.read(name) or {})
    assert Shelf(store).rows(NOW) == shelf.rows(NOW)
    assert len(shelf.rows(NOW)) > 20


def test_a_dry_run_is_no_result(shelf: Shelf) -> None:
    """The list goes on telling what happened before."""
    one, before = credential(7), shown(shelf)["payments-read"]
    row = told(one, "planned", "would begin version 5").as_dict()
    keep_run({"ROTATION_STATE_PATH": shelf.folder.path}, Asked("anna", run_id="dry"), [row], now=NOW)
    assert shown(shelf)["payments-read"] == before


def test_the_detail_has_each_step_with_what_it_took(shelf: Shelf) -> None:
    status = shelf.status()
    assert status is not None
    [row] = [one for one in credential_rows(status, [], {}, NOW) if one["name"] == "warehouse-etl"]
    found = detail_view(status["credentials"][0], row, shelf.outcomes("warehouse-etl"))
    newest = found["outcomes"][0]
    assert (newest["version"], newest["asked"]["by"], newest["asked"]["why"]) == (
        4,
        "anna",
        "a laptop was lost",
    )
    took = {step["step"]: step["ms"] for step in newest["steps"]}
    assert (took["recorded"], took["promoted"]) == (310, 420)
    assert found["outcomes"][0]["old_value"] == "refused"


def test_a_planner_that_has_not_come_for_hours_is_told(shelf: Shelf) -> None:
    assert not list_view(shelf.status(), [], {}, NOW)["stale"]
    assert list_view(shelf.status(), [], {}, NOW + timedelta(hours=4))["stale"]


@pytest.mark.parametrize(
    ("name", "document"),
    [
        ("status/zz", {"written": "9", "credentials": None}),
        ("readers/zz", {"readers": [1, {"key": None}]}),
        ("readers/yy", {"readers": "no"}),
        ("runs/2026-11-26/zz", {"rows": [7, {"name": "etl"}], "asked": None}),
        ("history/reporting/zz", {"steps": 7, "asked": []}),
    ],
)
def test_what_is_not_ours_is_passed_over(shelf: Shelf, name: str, document: dict[str, object]) -> None:
    shelf.folder.write(name, document)
    rows = shown(shelf)
    assert len(rows) == 12
    detail_view({}, rows["reporting"], shelf.outcomes("reporting"))


def test_a_run_is_read_once_and_a_day_that_is_over_listed_once(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On an object store each is a request."""
    before = shelf.rows(NOW)
    asked: list[str] = []
    names = shelf.folder.names

    def listed(folder: str) -> list[str]:
        asked.append(folder)
        return names(folder)

    monkeypatch.setattr(shelf.folder, "read", asked.append)
    monkeypatch.setattr(shelf.folder, "names", listed)
    assert shelf.rows(NOW) == before
    assert asked == ["runs/2026-11-26"]


@pytest.mark.parametrize(
    ("conf", "says"),
    [
        ({"credentials": ["etl"], "force": True}, "A forced rotation needs a reason"),
        ({"credentials": ["etl"], "reason": "x" * 501}, "at most 500 characters"),
        ({"credentials": "etl"}, "not a list of names"),
        ({"credentials": ["etl"], "colour": "red"}, "unknown in the run's configuration: colour"),
    ],
)  # fmt: skip
def test_the_form_is_refused_by_the_task_s_own_rules(conf: dict[str, object], says: str) -> None:
    """Before a run is made, with what to do instead."""
    refused = refusal(conf, at=NOW, by="anna")
    assert refused is not None
    assert says.lower() in refused.lower()


@pytest.mark.parametrize(
    ("conf", "says"),
    [
        ({"credential": "signing-key", "done": "close"}, "A close needs a reason, and none was given. Say"),
        ({"credential": "etl", "done": "confirm", "changed_on": "2026-11-26"}, "would mean nothing"),
        ({"credential": "etl", "done": "confirm", "by": "anna"}, "unknown in the run's configuration: by"),
        ({"credentials": ["etl"]}, "unknown in the run's configuration: credentials"),
    ],
)
def test_h1_a_word_is_refused_by_the_task_s_own_rules(conf: dict[str, object], says: str) -> None:
    """Before a run is made, as a wish is."""
    assert says.lower() in str(refusal_of_word(conf)).lower()


def test_h1_a_sound_word_is_let_through() -> None:
    assert (
        refusal_of_word({"credential": "etl", "done": "confirm", "consumer": "Looker", "version": 4}) is None
    )
    assert refusal_of_word({"credential": "signing-key", "done": "close", "reason": "made anew"}) is None


def test_a_sound_wish_is_let_through() -> None:
    assert refusal({"credentials": ["etl"], "force": True, "reason": "audit"}, at=NOW, by="anna") is None


def test_who_wants_a_second_persons_yes_is_rotated_by_the_dag_that_asks(tmp_path: Path) -> None:
    """There `Rotate now` asks; an open question stands beside the entry, with its place in Airflow."""
    environ = {"ROTATION_STATE_PATH": str(tmp_path)}
    one = credential(7)
    guarded = replace(one, policy=replace(one.policy, approval=ApprovalRule(by=("ben",))))
    keep_status(environ, "plan", status_document([guarded], {one.name: NOTHING}, problems=(), now=NOW))
    question = Question(
        one.name, NOW, NOW + HOUR, NOW + 24 * HOUR, "schedule", "r", "https://a.internal/dags/d/x"
    )
    QuestionBook(StateFolder(str(tmp_path))).keep(question)
    row = shown(Shelf(StateFolder(str(tmp_path))))[one.name]
    assert (row["dag"], row["needs_approval"]) == ("rotate_with_approval", True)
    state = row["state"]
    assert isinstance(state, dict)
    assert (state["word"], state["path"], state["needs_person"]) == ("Waits for approval", "dags/d/x", True)


def test_what_a_person_closes_has_no_dag_that_asks(tmp_path: Path) -> None:
    """Whatever its policy says of approval: no tool begins anything for it."""
    environ = {"ROTATION_STATE_PATH": str(tmp_path)}
    one = credential(7)
    policy = replace(one.policy, approval=ApprovalRule())
    by_hand = replace(one, engine="manual", policy=policy, options={"instructions": "in the wiki"})
    keep_status(environ, "plan", status_document([by_hand], {one.name: NOTHING}, problems=(), now=NOW))
    row = shown(Shelf(StateFolder(str(tmp_path))))[one.name]
    assert (row["dag"], row["needs_approval"]) == (None, False)
