"""A second person's yes in a real Airflow: two people, one question each, and what comes of their answers."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from sandbox.airflow_api import AirflowApi, Refused, TaskInstance
from sandbox.demo.warehouse import ROLES, Warehouse
from sandbox.kept import wait_until
from sandbox.places import PLUGINS, ROOT
from sandbox.sandbox import Sandbox
from scenes.airflow.office import APPROVAL, ROTATE, Ended, Office
from scenes.inventory.policies import set_policies

pytestmark = [pytest.mark.airflow, pytest.mark.feature, pytest.mark.usefixtures("tick")]

ETL, REPORTING, ORDERS, PAIR, KEYS = ROLES
PEOPLE = {"admin": "admin", "ben": "op", "eve": "viewer"}
BY_NAME = "approval: {within: 8h, by: [admin, ben]}"
POLICIES = {
    ETL.name: "{max_age: 30d, approval: required}",
    REPORTING.name: "{max_age: 30d, approval: {within: 2h}}",
    ORDERS.name: f"{{max_age: 30d, {BY_NAME}}}",
    KEYS.name: "{grace: 1m, approval: required}",
    PAIR.name: "{grace: 1m, approval: {by: [admin]}}",
}
"""By the schedule, but for the keys and the pair; nobody answers for `reporting`."""
OVER = ("success", "skipped", "failed")
SLOW = 300
"""Seconds, on a machine that has other things to do."""


@dataclass(frozen=True)
class Asked:
    """A run of the DAG that asks, which waits for somebody."""

    office: Office
    run: str

    def ended(self) -> Ended:
        """When it is over."""
        api = self.office.api
        return Ended(api, APPROVAL, self.run, api.wait(APPROVAL, self.run, within=SLOW))

    def states(self) -> dict[str, str | None]:
        """How its tasks stand now."""
        return {one.name: one.state for one in self.office.api.task_instances(APPROVAL, self.run)}

    def index(self, name: str) -> int:
        """Which of the mapped tasks asks about this credential."""
        return self._task(name).map_index

    def answer(self, who: AirflowApi, name: str, choice: str) -> None:
        """A person's answer, by their own login."""
        who.answer(APPROVAL, self.run, "rotate", choice, map_index=self.index(name))

    def waits(self, name: str) -> bool:
        """The question is asked, and the scheduler has seen the task end that asked it.

        An answer within that moment meets a race of Airflow's: it takes the task for lost, and asks again.
        """
        if self.states().get(f"rotate[{name}]") != "awaiting_input":
            return False
        key = f"task_id='rotate', run_id='{self.run}', try_number=1, map_index={self.index(name)})"
        log = self.office.sandbox.airflow.log("scheduler").splitlines()
        return any("Received executor event" in line and key in line for line in log)

    def end(self, who: AirflowApi, name: str, choice: str) -> dict[str, Any]:
        """The outcome that follows from a person's answer, while others may still wait."""
        self.answer(who, name, choice)
        wait_until(lambda: self._task(name).state in OVER, "the end", within=SLOW)
        api = self.office.api
        outcome: dict[str, Any] = api.xcom(
            APPROVAL, self.run, "rotate", key="outcome", map_index=self.index(name)
        )
        return outcome

    def _task(self, name: str) -> TaskInstance:
        tasks = self.office.api.task_instances(APPROVAL, self.run)
        return next(one for one in tasks if one.name == f"rotate[{name}]")

    def kept(self, name: str) -> list[dict[str, Any]]:
        """What history has of this run and credential."""
        found = [json.loads(file.read_text()) for file in sorted(_state(self.office, f"history/{name}"))]
        mine = [one for one in found if one["asked"]["run_id"] == self.run]
        return [one for one in mine if one["outcome"] != "adopted"]  # the first look at a person's value


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with Sandbox(tmp_path_factory.mktemp("office")) as sandbox:
        warehouse = Warehouse(sandbox)
        include = warehouse.build(ROOT)
        set_policies(include / "credentials" / "warehouse.yaml", POLICIES)
        users = ",".join(f"{name}:{role}" for name, role in PEOPLE.items())
        sandbox.start_airflow(
            env=warehouse.environment() | {"AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": users},
            dags=ROOT / "dags",
            plugins=PLUGINS,
            include=include,
        )
        made = Office(sandbox, warehouse)
        made.api.wait_for_dags(APPROVAL, ROTATE)
        yield made


@pytest.fixture(scope="module")
def tick(office: Office) -> Asked:
    """The hourly run, and no run before it: it asks about all that were never rotated."""
    office.api.unpause(APPROVAL)
    wait_until(lambda: office.api.runs(APPROVAL), "the hourly run", within=SLOW)
    run, *_ = office.api.runs(APPROVAL)
    asked = Asked(office, str(run["dag_run_id"]))
    names = (ETL.name, REPORTING.name, ORDERS.name)
    wait_until(lambda: all(map(asked.waits, names)), "three questions", within=SLOW)
    return asked


@pytest.fixture(scope="module")
def ben(office: Office) -> Iterator[AirflowApi]:
    yield from _login(office, "ben")


@pytest.fixture(scope="module")
def eve(office: Office) -> Iterator[AirflowApi]:
    yield from _login(office, "eve")


def _login(office: Office, name: str) -> Iterator[AirflowApi]:
    passwords = json.loads(office.sandbox.airflow.settings.passwords_file.read_text())
    person = AirflowApi(office.sandbox.airflow.url)
    person.login(name, passwords[name])
    yield person
    person.close()


def _state(office: Office, folder: str) -> list[Path]:
    return list((office.sandbox.airflow.home / "credential_rotation_state" / folder).glob("*.json"))


def _questions(office: Office) -> list[str]:
    """What Slack shows of questions that are open."""
    shown = [str(one["blocks"]) for one in office.sandbox.slack.messages()]
    return [one for one in shown if "waits for a person's yes" in one and "/required_actions" in one]


def _answered(office: Office, words: str) -> int:
    """How often Slack says so: the question reads so now, and a reply to it does."""
    return sum(one["text"].startswith(words) for one in office.sandbox.slack.messages())


def _ask(office: Office, name: str) -> Asked:
    """Somebody (the administrator) asks for it on the page."""
    asked = Asked(office, office.api.trigger(APPROVAL, {"credentials": [name], "reason": "an audit"}))
    wait_until(lambda: asked.waits(name), "the question", within=SLOW)
    return asked


def test_the_hourly_run_asks_and_slack_has_one_link_to_each_question(office: Office, tick: Asked) -> None:
    """Three that are due, three questions; the one that is due only when asked is not among them."""
    links = _questions(office)
    names = (ETL.name, REPORTING.name, ORDERS.name)
    assert len(links) == len(names)
    for name in names:
        assert tick.states()[f"rotate[{name}]"] == "awaiting_input"
        where = f"/tasks/rotate/mapped/{tick.index(name)}/required_actions"
        assert sum(where in link for link in links) == 1
    assert "report_approvals" not in {name for name, state in tick.states().items() if state}


def test_a_question_says_what_about_and_nothing_else_about_the_credential(
    office: Office, tick: Asked
) -> None:
    """Name, role, where, owner, who asks, until when; no value, and nothing that silence would choose."""
    asked = office.api.question(APPROVAL, tick.run, "rotate", map_index=tick.index(ORDERS.name))
    assert asked["subject"] == "May orders-api be rotated?"
    assert "Asked by: schedule" in asked["body"]
    assert asked["defaults"] is None
    assert [one["id"] for one in asked["assigned_users"]] == ["admin", "ben"]
    assert office.warehouse.stored(ORDERS).password not in str(asked)


def test_the_next_run_goes_ahead_and_asks_about_none_of_them_again(office: Office, tick: Asked) -> None:
    """A run that waits for people holds up no other, and one question is enough."""
    before = _questions(office)
    ended = office.run(APPROVAL)
    assert ended.state == "success"
    assert "not asked about now, schedule asked" in ended.log("plan_approvals")
    assert _questions(office) == before
    assert tick.states()[f"rotate[{ORDERS.name}]"] == "awaiting_input"


def test_other_dags_begin_nothing_that_wants_a_yes(office: Office, tick: Asked) -> None:
    """By hand it is refused with the way to go; forced too. The hourly run leaves it alone."""
    office.api.unpause(ROTATE)
    before = office.warehouse.stored(ORDERS)
    for more in ({}, {"force": True, "reason": "now!"}):
        ended = office.run(ROTATE, credentials=[ORDERS.name], **more)
        outcome = ended.outcome(f"rotate[{ORDERS.name}]")
        assert (ended.state, outcome["outcome"]) == ("failed", "refused")
        assert "Trigger the DAG rotate_with_approval" in outcome["next_step"]
    quiet = office.run(ROTATE)
    assert not [name for name in quiet.states() if name in {f"rotate[{one.name}]" for one in (ETL, ORDERS)}]
    assert office.warehouse.stored(ORDERS) == before
    assert tick.states()[f"rotate[{ORDERS.name}]"] == "awaiting_input"


def test_who_may_not_answer_is_refused_by_airflow(tick: Asked, eve: AirflowApi) -> None:
    """A viewer's answer never reaches the task."""
    with pytest.raises(Refused) as refused:
        tick.answer(eve, ORDERS.name, "Approve")
    assert refused.value.status == 403
    assert tick.states()[f"rotate[{ORDERS.name}]"] == "awaiting_input"


def test_a_yes_rotates_at_once_while_others_still_wait(office: Office, tick: Asked, ben: AirflowApi) -> None:
    """Anybody who is named may approve what the schedule asks; history says who did; so does the question."""
    before = office.warehouse.stored(ORDERS)
    outcome = tick.end(ben, ORDERS.name, "Approve")
    assert outcome["outcome"] == "rotated"
    assert "approved by ben" in outcome["reason"]
    assert not office.warehouse.logs_in(ORDERS, before)
    assert office.warehouse.logs_in(ORDERS, office.warehouse.stored(ORDERS))
    [kept] = tick.kept(ORDERS.name)
    assert (kept["asked"]["by"], kept["asked"]["approved_by"]) == ("schedule", "ben")
    assert datetime.fromisoformat(kept["asked"]["approved_at"]) <= datetime.now(timezone.utc)
    assert _answered(office, "orders-api: approved by ben, 20") == 2


def test_a_second_answer_comes_too_late(office: Office, tick: Asked) -> None:
    """One question, one answer."""
    with pytest.raises(Refused) as refused:
        tick.answer(office.api, ORDERS.name, "Refuse")
    assert refused.value.status == 409


def test_nobody_approves_their_own_request(office: Office, ben: AirflowApi) -> None:
    """The own yes is refused and red, and nothing is changed; the same request with another's yes rotates."""
    before = office.warehouse.stored(KEYS)
    own = _ask(office, KEYS.name)
    outcome = own.end(office.api, KEYS.name, "Approve")
    assert (own.ended().state, outcome["outcome"]) == ("failed", "refused")
    assert "admin asked for it and approved it too" in outcome["reason"]
    assert office.warehouse.stored(KEYS) == before
    assert [one["asked"]["approved_by"] for one in own.kept(KEYS.name)] == [""]

    other = _ask(office, KEYS.name)
    outcome = other.end(ben, KEYS.name, "Approve")
    assert (other.ended().state, outcome["outcome"]) == ("success", "rotated")
    assert office.warehouse.stored(KEYS) != before
    [kept] = other.kept(KEYS.name)
    assert (kept["asked"]["by"], kept["asked"]["approved_by"]) == ("admin", "ben")


def test_who_asks_is_not_among_those_who_are_asked(office: Office, ben: AirflowApi) -> None:
    """Where the policy names people, Airflow itself takes no answer of who asked."""
    own = _ask(office, ORDERS.name)
    with pytest.raises(Refused) as refused:
        own.answer(office.api, ORDERS.name, "Approve")
    assert refused.value.status == 403
    before = office.warehouse.stored(ORDERS)
    own.end(ben, ORDERS.name, "Refuse")
    assert own.ended().state == "success"
    assert office.warehouse.stored(ORDERS) == before


def test_a_no_is_an_outcome_and_no_error(office: Office, tick: Asked, ben: AirflowApi) -> None:
    """The task is skipped and says who and when; nothing changed, history has it, nobody is asked again."""
    before = office.warehouse.stored(ETL)
    outcome = tick.end(ben, ETL.name, "Refuse")
    assert tick.states()[f"rotate[{ETL.name}]"] == "skipped"
    assert outcome["outcome"] == "refused"
    assert outcome["reason"].startswith("ben said no, 20")
    assert "asks again 24 h after" in outcome["next_step"]
    assert office.warehouse.stored(ETL) == before
    assert [one["outcome"] for one in tick.kept(ETL.name)] == ["refused"]
    assert "not asked about now, ben said no" in office.run(APPROVAL).log("plan_approvals")
    assert _answered(office, "warehouse-etl: ben said no, 20") == 2


def _run_out(office: Office, asked: Asked, name: str) -> None:
    """The time for an answer is over."""
    with (
        closing(sqlite3.connect(office.sandbox.airflow.home / "airflow.db", timeout=60)) as database,
        database,
    ):
        changed = database.execute(
            "UPDATE task_instance SET trigger_timeout = '2000-01-01 00:00:00.000000' "
            "WHERE run_id = ? AND task_id = 'rotate' AND map_index = ? AND state = 'awaiting_input'",
            (asked.run, asked.index(name)),
        )
        assert changed.rowcount == 1


def test_silence_is_an_outcome_too_and_then_the_run_is_green(office: Office, tick: Asked) -> None:
    """Nobody answered for `reporting`: told as such, left alone for a day, and the whole run has ended."""
    _run_out(office, tick, REPORTING.name)
    ended = tick.ended()
    outcome = ended.outcome(f"rotate[{REPORTING.name}]")
    assert outcome["outcome"] == "refused"
    assert outcome["reason"].startswith("nobody answered until 20")
    assert (ended.state, ended.states()[f"rotate[{REPORTING.name}]"]) == ("success", "skipped")
    assert "Traceback" not in ended.log(f"rotate[{REPORTING.name}]")
    assert "not asked about now, nobody answered" in office.run(APPROVAL).log("plan_approvals")


def test_a_dry_run_asks_nobody(office: Office) -> None:
    """It says what would be done, and that a person would be asked first."""
    before = _questions(office)
    ended = office.run(APPROVAL, credentials=[ETL.name], dry_run=True)
    outcome = ended.outcome(f"rotate[{ETL.name}]")
    assert (ended.state, outcome["outcome"]) == ("success", "planned")
    assert "a person would be asked first" in outcome["reason"]
    assert _questions(office) == before


def test_compromise_mode_waits_for_nobody(office: Office) -> None:
    """The page makes such a run of this DAG; a question would leave what is in wrong hands alive."""
    before, told = office.warehouse.stored(ETL), len(_questions(office))
    ended = office.run(APPROVAL, credentials=[ETL.name], revoke=True, reason="it was in a chat")
    outcome = ended.outcome(f"rotate[{ETL.name}]")
    assert (ended.state, outcome["outcome"]) == ("success", "revoked")
    assert not office.warehouse.logs_in(ETL, before)
    assert office.warehouse.logs_in(ETL, office.warehouse.stored(ETL))
    assert len(_questions(office)) == told


def test_an_entry_that_needs_nobody_is_sent_to_its_own_dag(office: Office) -> None:
    """Nothing is asked for nothing."""
    ended = office.run(APPROVAL, credentials=["warehouse-admin"])
    assert ended.state == "failed"
    assert "the policy of warehouse-admin wants nobody's approval" in ended.log("plan_approvals")


def test_who_alone_may_approve_cannot_ask(office: Office) -> None:
    """Nobody is left to answer: it is refused at once, and no question waits for ever."""
    ended = office.run(APPROVAL, credentials=[PAIR.name])
    outcome = ended.outcome(f"rotate[{PAIR.name}]")
    assert (ended.state, outcome["outcome"]) == ("failed", "refused")
    assert outcome["reason"] == "only admin may approve it, who asks for it"
