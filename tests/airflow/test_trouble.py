"""Airflow dies in the middle of a rotation: what is there afterwards, and who is told. One Airflow for all.

A Bitwarden that does not answer the write of CURRENT holds a rotation between apply and promote, where
in_place has its outage; then somebody is killed.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import psutil
import pytest

from sandbox.bitwarden.faults import Fault
from sandbox.demo.warehouse import JOURNAL, ROLES, Login, Role, Warehouse
from sandbox.kept import wait_until
from sandbox.places import PLUGINS, ROOT
from sandbox.sandbox import Sandbox
from sandbox.tick import REPAIR, ROTATIONS, clear_of
from scenes.airflow.office import DAGS, RETIRE, ROTATE, VERIFY, WATCHDOG, Ended, Office
from scenes.airflow.past import (
    begun_since,
    by_policy,
    grew_old,
    ran_last,
    scheduled,
    settled,
)

pytestmark = [pytest.mark.airflow, pytest.mark.feature]

ETL, REPORTING, ORDERS, _, _ = ROLES
_DIES_SOON = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_SEC": "2",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "12",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEARTBEAT_SEC": "1",
    "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": "12",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "2",
}
"""Who is silent is taken for dead in seconds, as everywhere; only that Airflow waits for minutes."""

IN_A_HURRY = "rotate_in_a_hurry"
_HURRIED_DAG = """\
import os
from datetime import timedelta
from airflow.sdk import dag
from credential_rotation.engines.registry import DATABASES
from credential_rotation.tasks.mapped import plan_rotations, report, rotate
from credential_rotation.tasks.trigger_form import rotation_params

@dag(schedule=None, params=rotation_params(DATABASES, os.environ), is_paused_upon_creation=False)
def rotate_in_a_hurry():
    hurried = rotate.override(
        execution_timeout=timedelta(seconds=10), retries=0, max_active_tis_per_dagrun=1
    )
    outcomes = hurried.expand(name=plan_rotations(list(DATABASES)))
    outcomes >> report(worker="rotate", planner="plan_rotations", work="rotation")

rotate_in_a_hurry()
"""
"""As `rotate_database_credentials`, one by one, with seconds instead of 45 minutes, and no second try."""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with Sandbox(tmp_path_factory.mktemp("office")) as sandbox:
        warehouse = Warehouse(sandbox)
        include = warehouse.build(ROOT)
        _only_by_hand(include)
        environment = {**warehouse.environment(), **_DIES_SOON}
        running = sandbox.start_airflow(env=environment, dags=ROOT / "dags", plugins=PLUGINS, include=include)
        (running.dags / "rotate_in_a_hurry.py").write_text(_HURRIED_DAG)
        running.api.wait_for_dags(*DAGS, IN_A_HURRY)
        office = Office(sandbox, warehouse)
        running.api.unpause(ROTATE)
        office.run(ROTATE)  # the scheduled first tick has nothing to do, and is over when this one is
        office.run(RETIRE)
        yield office


def _only_by_hand(include: Path) -> None:
    """No tick gets in the way of a test."""
    file = include / "credentials" / "warehouse.yaml"
    file.write_text(file.read_text().replace("policy: monthly", "policy: manual"))


@pytest.fixture(autouse=True)
def _works_again(office: Office) -> Iterator[None]:
    """Whatever a test does to it; the hourly repair, which would put it right, does not come in between."""
    clear_of(REPAIR, within=90)
    yield
    office.sandbox.bitwarden.clear_faults()


# --- who is killed -------------------------------------------------------------------------------------


def hold_at_promote(office: Office, times: int = 1) -> None:
    """So many writes of CURRENT are not made, and not answered."""
    office.sandbox.bitwarden.fault(Fault("hang", verb="PUT", path="/api/secrets/*", times=times))


def held(office: Office) -> int:
    """How many writes of CURRENT have been held."""
    return sum(one.fault == "hang" for one in office.sandbox.bitwarden.requests())


def begin(office: Office, role: Role, dag: str = ROTATE) -> Ended:
    """A run that is in the middle of it: its value is applied, and CURRENT is not written."""
    office.sandbox.bitwarden.clear_requests()
    run = office.api.trigger(dag, {"credentials": [role.name]})
    wait_until(lambda: held(office), "the write of CURRENT", within=60)
    return Ended(office.api, dag, run, "running")


def end(begun: Ended) -> Ended:
    """The same run, when it is over."""
    return Ended(begun.api, begun.dag, begun.run, begun.api.wait(begun.dag, begun.run, within=120))


def task_process(office: Office) -> psutil.Process:
    """The one process in which a task's code runs: the child of the worker that watches it."""
    scheduler = psutil.Process(office.sandbox.airflow.components["scheduler"].pid)
    everyone = {
        one: words for one in scheduler.children(recursive=True) if (words := _words(one)) is not None
    }
    workers = {one.pid for one, words in everyone.items() if "LocalExecutor:" in words}
    [found] = [one for one in everyone if one.ppid() in workers]
    return found


def _words(process: psutil.Process) -> str | None:
    """How it was started; None where it is over, as a callback's may be while we look."""
    try:
        return None if process.status() == psutil.STATUS_ZOMBIE else " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return None


def kill(process: psutil.Process) -> None:
    """With -9, and seen to be gone."""
    os.kill(process.pid, signal.SIGKILL)
    wait_until(
        lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, "its end", within=10
    )


def outcome(ended: Ended, role: Role) -> tuple[int, str]:
    """The last try's number, and what came of it."""
    task = f"rotate[{role.name}]"
    return ended.tasks()[task].tries, ended.outcome(task)["outcome"]


# --- and what is there afterwards ----------------------------------------------------------------------


def versions(office: Office, role: Role) -> list[int]:
    """The epochs of its records."""
    kept = [one.key for one in office.sandbox.bitwarden.secrets(JOURNAL) if not one.deleted]
    return sorted(int(key.split("/")[2]) for key in kept if key.startswith(f"rotation/{role.name}/"))


def works_alone(office: Office, role: Role, before: Login) -> bool:
    """CURRENT is new and logs in, and what it replaced does not."""
    now = office.warehouse.stored(role)
    return office.warehouse.logs_in(role, now) and not office.warehouse.logs_in(role, before)


def test_f1_a_killed_task_is_tried_again_and_wakes_nobody(office: Office) -> None:
    """The retry goes on with the version that was begun; while one is left, Slack is not told."""
    before, told = office.warehouse.stored(ETL), office.sandbox.slack.messages()
    hold_at_promote(office)
    begun = begin(office, ETL)
    assert not office.warehouse.logs_in(ETL, before)
    kill(task_process(office))
    ended = end(begun)
    assert (ended.state, *outcome(ended, ETL)) == ("success", 2, "recovered")
    assert versions(office, ETL) == [1]
    assert works_alone(office, ETL, before)
    assert office.sandbox.slack.messages() == told


def test_f1_a_task_that_was_killed_to_the_last_is_told_and_the_cleared_run_ends_right(office: Office) -> None:
    """The message names the credential, says that nobody knows the values, and links to the run.

    Who clears it, twice if they like, gets the version that was begun and no other: "now" is the run's own.
    """
    before, told = office.warehouse.stored(ORDERS), len(office.sandbox.slack.messages())
    hold_at_promote(office, times=2)
    begun = begin(office, ORDERS)
    kill(task_process(office))
    wait_until(lambda: held(office) == 2, "the retry, which gets as far", within=60)
    assert len(office.sandbox.slack.messages()) == told
    kill(task_process(office))
    lost = end(begun)
    assert (lost.state, [one.state for one in lost.tasks().values() if one.task == "rotate"]) == (
        "failed",
        ["failed"],
    )
    [message] = office.sandbox.slack.messages()[told:]
    shown = str(message["blocks"])
    assert ORDERS.name in shown
    assert "Old values\\n❓ not known" in shown
    assert "New values\\n❓ not known" in shown
    assert office.api.run_url(ROTATE, begun.run).split("/runs/")[0] in shown

    office.api.clear(ROTATE, begun.run)
    again = end(begun)
    assert (again.state, outcome(again, ORDERS)[1]) == ("success", "recovered")
    office.api.clear(ROTATE, begun.run)
    once_more = end(begun)
    assert (once_more.state, outcome(once_more, ORDERS)[1]) == ("success", "unchanged")
    assert versions(office, ORDERS) == [1]
    assert works_alone(office, ORDERS, before)


def test_a_killed_scheduler_takes_its_workers_along_and_the_next_one_ends_it(office: Office) -> None:
    """Scheduler, workers, tasks and the vault's agent at once: the next scheduler tries the task again."""
    before = office.warehouse.stored(REPORTING)
    hold_at_promote(office)
    begun = begin(office, REPORTING)
    task = task_process(office)
    office.sandbox.airflow.crash("scheduler")
    assert not task.is_running()
    ended = end(begun)
    assert (ended.state, *outcome(ended, REPORTING)) == ("success", 2, "recovered")
    assert versions(office, REPORTING) == [1]
    assert works_alone(office, REPORTING, before)


def test_a_killed_worker_leaves_its_task_alone_and_the_retry_beside_it_does_no_harm(office: Office) -> None:
    """Whoever of the two promotes: one version, and CURRENT works."""
    before = office.warehouse.stored(ETL)
    epochs = versions(office, ETL)
    hold_at_promote(office)
    begun = begin(office, ETL)
    task = task_process(office)
    worker = psutil.Process(task.ppid())
    assert "LocalExecutor:" in " ".join(worker.cmdline())
    kill(worker)
    ended = end(begun)
    assert ended.state == "success"
    assert outcome(ended, ETL)[0] == 2
    assert versions(office, ETL) == [max(epochs, default=0) + 1]
    assert works_alone(office, ETL, before)


# --- who is not killed, and does not come to an end all the same ----------------------------------------


def test_a_task_that_is_cleared_while_it_runs_ends_right(office: Office) -> None:
    """Airflow ends it and begins it anew: the same version, and not one more."""
    before, epochs = office.warehouse.stored(REPORTING), versions(office, REPORTING)
    hold_at_promote(office)
    begun = begin(office, REPORTING)
    office.api.clear(ROTATE, begun.run)
    ended = end(begun)
    assert (ended.state, outcome(ended, REPORTING)[1]) == ("success", "recovered")
    assert versions(office, REPORTING) == [max(epochs, default=0) + 1]
    assert works_alone(office, REPORTING, before)


def test_a_task_that_takes_too_long_is_ended_told_and_put_right_by_the_next_run(office: Office) -> None:
    """Airflow's own time limit, in the middle of the write of CURRENT: the journal has what works."""
    before, told = office.warehouse.stored(ORDERS), len(office.sandbox.slack.messages())
    hold_at_promote(office)
    ended = end(begin(office, ORDERS, IN_A_HURRY))
    [(name, task)] = [(name, one) for name, one in ended.tasks().items() if one.task == "rotate"]
    assert (ended.state, task.state) == ("failed", "failed")
    assert "AirflowTaskTimeout" in ended.log(name)
    [message] = office.sandbox.slack.messages()[told:]
    assert ORDERS.name in str(message["blocks"])
    assert office.api.run_url(IN_A_HURRY, ended.run).split("/runs/")[0] in str(message["blocks"])
    assert not office.warehouse.logs_in(ORDERS, before)
    kept = office.warehouse.in_journal(ORDERS)
    assert kept is not None
    assert office.warehouse.logs_in(ORDERS, kept)

    healed = office.run(RETIRE, credentials=[ORDERS.name])
    assert (healed.state, healed.outcome(f"retire[{ORDERS.name}]")["outcome"]) == ("success", "recovered")
    assert works_alone(office, ORDERS, before)


def test_a_run_that_goes_wrong_begins_nothing_new(office: Office) -> None:
    """So many failures in a row, and the others keep their values; the run says why."""
    policies = office.sandbox.airflow.include / "policies.yaml"
    usual, roles = policies.read_text(), (ETL, REPORTING, ORDERS)
    before = {role: office.warehouse.stored(role) for role in roles}
    policies.write_text(usual.replace("stop_after_failures: 3", "stop_after_failures: 1"))
    office.sandbox.postgres.execute("ALTER ROLE etl NOLOGIN")
    try:
        ended = office.run(IN_A_HURRY, credentials=[role.name for role in roles])
    finally:
        office.sandbox.postgres.execute("ALTER ROLE etl LOGIN")
        policies.write_text(usual)
    failed, *held_back = (ended.outcome(f"rotate[{role.name}]") for role in roles)
    assert failed["outcome"] == "failed"
    for one in held_back:
        assert one["outcome"] == "waiting"
        assert one["reason"] == "brake: 1 in a row failed (warehouse-etl); nothing new begins in this run"
    assert office.run(RETIRE).state == "success"
    assert rotated(office, before) == []


def test_a_dag_that_was_paused_for_weeks_catches_up_within_the_brake_and_without_a_storm(
    office: Office,
) -> None:
    """The watchdog has told meanwhile. One run for all the hours that were missed; the next hour goes on."""
    late = (ETL, REPORTING, ORDERS)
    clear_of(ROTATIONS, within=180)
    for role in late:
        if not versions(office, role):
            assert office.run(ROTATE, credentials=[role.name]).state == "success"
    office.api.unpause(ROTATE, paused=True)
    with by_policy(office, per_tick=2):
        for role, days in zip(late, (60, 50, 40), strict=True):
            grew_old(office, role, timedelta(days=days))
        edited = datetime.now(timezone.utc)
        ran_last(office, ROTATE, timedelta(days=21))
        before = {role: office.warehouse.stored(role) for role in late}
        earlier, told = scheduled(office, ROTATE), len(office.sandbox.slack.messages())

        office.api.unpause(VERIFY, paused=True)
        assert office.run(WATCHDOG).state == "success"
        office.api.unpause(VERIFY)
        [digest] = office.sandbox.slack.messages()[told:]
        assert f"DAG {ROTATE} is paused" in str(digest)
        assert f"DAG {VERIFY} is paused" in str(digest)
        assert str(digest["text"]).count("overdue since") == len(late)
        assert all(role.name in digest["text"] for role in late)
        assert scheduled(office, ROTATE) == earlier

        settled(edited)
        office.api.unpause(ROTATE)
        first = begun_since(office, ROTATE, earlier)
        assert rotated(office, before) == [ETL, REPORTING]
        assert office.run(RETIRE).state == "success"  # the scheduler has had time for more
        assert begun_since(office, ROTATE, earlier) == first
        assert len(first) == 1

        ran_last(office, ROTATE, timedelta(hours=1))
        assert len(begun_since(office, ROTATE, scheduled(office, ROTATE))) == 1
        assert rotated(office, before) == [ETL, REPORTING, ORDERS]
        for role in late:
            assert works_alone(office, role, before[role])


def rotated(office: Office, before: dict[Role, Login]) -> list[Role]:
    """Whose CURRENT is another one by now."""
    return [role for role, login in before.items() if office.warehouse.stored(role) != login]
