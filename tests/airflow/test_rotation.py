"""Rotations in a real Airflow, and what a person sees of them. One Airflow for all tests of this file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.airflow_api import Refused
from sandbox.bitwarden.faults import Fault
from sandbox.demo.warehouse import ROLES, Warehouse
from sandbox.kept import wait_until
from sandbox.places import PLUGINS, ROOT
from sandbox.sandbox import Sandbox
from sandbox.tick import REPAIR, clear_of
from scenes.airflow.office import DAGS, RETIRE, ROTATE, ROTATE_CLOUD, VERIFY, WATCHDOG, Ended, Office
from scenes.statsd import StatsD

pytestmark = pytest.mark.airflow

ETL, REPORTING, ORDERS, PAIR, KEYS = ROLES


@pytest.fixture(scope="module")
def statsd() -> Iterator[StatsD]:
    with StatsD() as listening:
        yield listening


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, statsd: StatsD) -> Iterator[Office]:
    with Sandbox(tmp_path_factory.mktemp("office")) as sandbox:
        warehouse = Warehouse(sandbox)
        include = warehouse.build(ROOT)
        environment = warehouse.environment() | statsd.environment()
        running = sandbox.start_airflow(env=environment, dags=ROOT / "dags", plugins=PLUGINS, include=include)
        running.api.wait_for_dags(*DAGS)
        for dag in DAGS:
            running.api.unpause(dag)
        office = Office(sandbox, warehouse)
        for dag in (ROTATE, ROTATE_CLOUD):
            office.run(dag)  # the scheduled first tick may be under way; both are over when this one is
        yield office


def test_a_chosen_credential_is_rotated_and_the_task_bears_its_name(office: Office) -> None:
    """PostgreSQL refuses the old password and takes the one that Bitwarden has now."""
    before = office.warehouse.stored(ETL)
    ended = office.run(ROTATE, credentials=[ETL.name], reason="a laptop was lost")
    assert ended.states() == {
        "plan_rotations": "success",
        f"rotate[{ETL.name}]": "success",
        "report": "success",
    }
    assert ended.outcome(f"rotate[{ETL.name}]")["outcome"] == "rotated"
    assert not office.warehouse.logs_in(ETL, before)
    assert office.warehouse.logs_in(ETL, office.warehouse.stored(ETL))


def test_a_statsd_receives_outcome_duration_and_age(office: Office, statsd: StatsD) -> None:
    """By the names in docs/settings.md, from the tasks of a real Airflow; no value in any."""
    office.run(ROTATE, credentials=[ETL.name])
    office.run(WATCHDOG)
    ours = "airflow.credential_rotation"
    counted, timed = f"{ours}.outcome.{ETL.name}.rotated", f"{ours}.duration.{ETL.name}"
    aged, left = f"{ours}.age.{ETL.name}", f"{ours}.left.{ETL.name}"
    all_of_them = [f"{ours}.{what}" for what in ("outcome", "duration", "age", "left")]
    statsd.wait_for(counted, timed, aged, left, *all_of_them)
    assert statsd.counters[counted] >= 1
    assert statsd.counters[f"{ours}.outcome"] >= statsd.counters[counted]
    assert 20 < max(statsd.timers[timed]) < 60_000, statsd.timers[timed]
    assert 0 <= statsd.gauges[aged] < 600
    assert 29 * 86400 < statsd.gauges[left] <= 30 * 86400
    assert not [one for one in statsd.garbage if "credential_rotation" in one]


def test_xcom_and_logs_hold_no_value(office: Office) -> None:
    """Names and outcomes travel; values do not, also in the scheduler's unmasked copy of task logs."""
    before = office.warehouse.stored(REPORTING)
    ended = office.run(ROTATE, credentials=[REPORTING.name])
    after = office.warehouse.stored(REPORTING)
    seen = str(ended.outcome(f"rotate[{REPORTING.name}]")) + "".join(map(ended.log, ended.states()))
    seen += "".join(office.sandbox.airflow.log(part) for part in ("scheduler", "api-server", "dag-processor"))
    assert len(seen) > 10_000
    assert before.password not in seen
    assert after.password not in seen


def test_a_pair_takes_turns_and_both_log_in_through_grace(office: Office) -> None:
    """Who read the old value is not refused until grace is over."""
    before = office.warehouse.stored(PAIR)
    ended = office.run(ROTATE, credentials=[PAIR.name])
    assert ended.outcome(f"rotate[{PAIR.name}]")["outcome"] in {"rotated", "waiting"}
    now = office.warehouse.stored(PAIR)
    assert office.warehouse.logs_in(PAIR, now)
    assert office.warehouse.logs_in(PAIR, before)


def test_an_iam_user_gets_a_second_key_and_keeps_the_first_through_grace(office: Office) -> None:
    """The cloud's own DAG; the new key is proved on every service that is used before it is stored."""
    [first, second] = office.sandbox.start_aws().keys("exports-uploader")
    assert [first.status, second.status] == ["Active", "Active"]
    assert office.warehouse.stored(KEYS).user in {first.id, second.id}
    assert office.warehouse.logs_in(KEYS, office.warehouse.stored(KEYS))
    ticks = [one["state"] for one in office.api.runs(ROTATE_CLOUD) if one["run_type"] == "scheduled"]
    assert set(ticks) == {"success"}


def test_a_third_key_is_never_asked_for(office: Office) -> None:
    """Asked for again within grace: the run says until when it waits, and nothing is made."""
    aws = office.sandbox.start_aws()
    before = aws.keys("exports-uploader")
    ended = office.run(ROTATE_CLOUD, credentials=[KEYS.name], dry_run=True)
    assert ended.state == "success"
    assert aws.keys("exports-uploader") == before


def test_a_dry_run_changes_nothing(office: Office) -> None:
    """It says what would happen."""
    before = office.warehouse.stored(ETL)
    ended = office.run(ROTATE, credentials=[ETL.name], dry_run=True)
    assert ended.outcome(f"rotate[{ETL.name}]")["outcome"] == "planned"
    assert office.warehouse.stored(ETL) == before


def test_nothing_due_is_a_green_run_without_tasks(office: Office) -> None:
    """The hourly tick of a quiet day."""
    ended = office.run(ROTATE)
    assert ended.state == "success"
    assert ended.states()["report"] == "success"


def test_a_name_that_is_not_offered_is_refused_at_the_form(office: Office) -> None:
    """Airflow itself names what is offered."""
    with pytest.raises(
        Refused, match="'warehouse-etl', 'reporting', 'orders-api', 'billing', 'warehouse-admin'"
    ):
        office.run(ROTATE, credentials=["warehouse-elt"])


@pytest.mark.parametrize(
    ("conf", "said"),
    [
        ({"credentials": [ETL.name], "force": True}, "a forced rotation needs a reason"),
        ({"force": True, "reason": "audit"}, "no credential is chosen"),
        ({"credential": ETL.name}, "unknown in the run's configuration: credential"),
    ],
    ids=["forced without a reason", "forced without a name", "a misspelled key"],
)
def test_a_request_that_cannot_mean_anything_is_red(
    office: Office, conf: dict[str, object], said: str
) -> None:
    """Never a green run that did nothing; nothing is rotated, and Slack says why."""
    before = [office.warehouse.stored(role) for role in ROLES]
    ended = office.run(ROTATE, **conf)
    assert ended.state == "failed"
    assert said in ended.log("plan_rotations")
    assert said in ended.log("report")
    assert said in str(office.sandbox.slack.messages()[-1])
    assert [office.warehouse.stored(role) for role in ROLES] == before


ON_A_ROTATION = """
from airflow.sdk import Asset, dag, task

@dag(schedule=[Asset("credential://warehouse-etl")], is_paused_upon_creation=False)
def reload_the_cache():
    @task
    def reload():
        pass
    reload()

reload_the_cache()
"""


def test_a_dag_can_be_scheduled_on_a_rotation(office: Office) -> None:
    """A green rotation is an asset event that says which version; a red one is none."""
    file = office.sandbox.airflow.home / "dags" / "reload_the_cache.py"
    file.write_text(ON_A_ROTATION)
    try:
        office.api.wait_for_dags("reload_the_cache")
        ended = office.run(ROTATE, credentials=[ETL.name])
        event = office.api.asset_events("credential://warehouse-etl")[-1]
        wait_until(lambda: office.api.runs("reload_the_cache"), "a run of the DAG", within=30)
    finally:
        file.unlink()
    outcome = ended.outcome(f"rotate[{ETL.name}]")
    assert event["source_run_id"] == ended.run
    assert event["extra"] == {key: outcome[key] for key in ("version", "outcome", "attempt")}


def _is_offered(office: Office, name: str) -> bool:
    """Asked of a form that is made anew: a file that was being read just then would wait for its minute."""
    office.sandbox.airflow.parse_again()
    return name in str(office.api.dag_details(ROTATE)["params"])


def test_an_entry_that_vanished_after_the_form_was_made_is_refused(office: Office) -> None:
    """The task reads the inventory again; a stale form rotates nothing."""
    file = office.sandbox.airflow.include / "credentials" / "warehouse.yaml"
    kept = file.read_text()
    file.write_text(kept.replace("name: orders-api", "name: orders-db"))
    try:
        ended = office.run(ROTATE, credentials=[ORDERS.name])
    except Refused as refusal:  # the form was made anew already
        assert "orders-db" in str(refusal)  # noqa: PT017 - either door may be the one that is shut
    else:
        assert ended.state == "failed"
        assert "no such credential for this DAG: orders-api" in ended.log("plan_rotations")
    finally:
        file.write_text(kept)
    wait_until(lambda: _is_offered(office, ORDERS.name), "the form as before", within=60)


def test_one_broken_file_stops_nothing_and_is_told_by_the_daily_proof(office: Office) -> None:
    """The good entries rotate; the mistake has file and line, in the log, in Slack, and in a red report."""
    broken = office.sandbox.airflow.include / "credentials" / "broken.yaml"
    broken.write_text("credentials:\n  - name: half\n    engine: oracle\n")
    try:
        rotated = office.run(ROTATE, credentials=[ETL.name])
        verified = office.run(VERIFY)
    finally:
        broken.unlink()
    assert rotated.state == "success"
    assert "broken.yaml:3" in rotated.log("plan_rotations")
    assert verified.state == "failed"
    assert verified.states()[f"verify[{ETL.name}]"] == "success"
    assert "broken.yaml:3" in str(office.sandbox.slack.messages()[-1])


def test_an_outage_of_bitwarden_is_told_and_healed_by_the_hourly_repair(office: Office) -> None:
    """The task is red, Slack says that only the new value works; the repair, another DAG, ends its thread."""
    clear_of(REPAIR, within=120)
    before = office.warehouse.stored(ORDERS)
    office.sandbox.bitwarden.fault(Fault("answer", verb="PUT", path="/api/secrets/*", status=503))
    failed = office.run(ROTATE, credentials=[ORDERS.name])
    office.sandbox.bitwarden.clear_faults()
    outcome = failed.outcome(f"rotate[{ORDERS.name}]")
    assert (failed.state, outcome["outcome"]) == ("failed", "failed")
    assert (outcome["old_value"], outcome["new_value"]) == ("refused", "works")
    message = office.sandbox.slack.messages()[-1]
    assert "only the new password works" in message["text"]
    assert f"/dags/{ROTATE}/runs/" in str(message["blocks"])
    assert office.warehouse.stored(ORDERS) == before

    healed = office.run(RETIRE)
    assert healed.outcome(f"retire[{ORDERS.name}]")["outcome"] == "recovered"
    assert office.warehouse.logs_in(ORDERS, office.warehouse.stored(ORDERS))
    assert not office.warehouse.logs_in(ORDERS, before)
    [thread] = [one for one in office.sandbox.slack.threads() if one[0]["ts"] == message["ts"]]
    assert all(one["text"].startswith(f"{ORDERS.name}: resolved after") for one in thread)
    assert len(thread) == 2


def test_who_acts_is_the_owner_of_the_entry(office: Office) -> None:
    """The message names the team."""
    office.sandbox.postgres.execute("ALTER ROLE reporting NOLOGIN")
    try:
        ended = office.run(ROTATE, credentials=[REPORTING.name])
    finally:
        office.sandbox.postgres.execute("ALTER ROLE reporting LOGIN")
    assert ended.state == "failed"
    assert "analytics" in str(office.sandbox.slack.messages()[-1]["blocks"])


def test_a_slack_that_is_down_is_logged_and_changes_no_result(office: Office) -> None:
    """An alert that cannot be sent never turns a rotation red, nor a red one into something else."""
    office.sandbox.slack.outage(True)  # noqa: FBT003 - reads as a switch
    try:
        ended = office.run(ROTATE, credentials=[ETL.name], force=True)
    finally:
        office.sandbox.slack.outage(False)  # noqa: FBT003 - reads as a switch
    assert ended.state == "failed"
    assert "Slack was not told" in ended.log("report")
    assert "a forced rotation needs a reason" in ended.log("report")


def test_the_watchdog_says_what_is_paused_and_nothing_else(office: Office) -> None:
    """A quiet day makes no message; a rotating DAG that is switched off does."""
    before = len(office.sandbox.slack.messages())
    assert office.run(WATCHDOG).state == "success"
    assert len(office.sandbox.slack.messages()) == before
    office.api.unpause(ROTATE_CLOUD, paused=True)
    try:
        assert office.run(WATCHDOG).state == "success"
    finally:
        office.api.unpause(ROTATE_CLOUD)
    [message] = office.sandbox.slack.messages()[before:]
    assert "rotate_cloud_credentials is paused: nothing rotates" in message["text"]


POOL = "warehouse"
IN_POOL = f"rotate.pool-{POOL}"


def test_an_entry_with_a_pool_runs_in_it_and_waits_for_one_that_is_not_there(office: Office) -> None:
    """The others do not wait, the watchdog tells who does, and the report sees all of them."""
    file = office.sandbox.airflow.include / "credentials" / "warehouse.yaml"
    kept = file.read_text()
    file.write_text(kept.replace("owner: analytics", f"owner: analytics\n    pool: {POOL}"))
    try:
        wait_until(lambda: _have_a_task_for_it(office), "tasks for the pool", within=60)
        run = office.api.trigger(ROTATE, {"credentials": [ETL.name, REPORTING.name]})
        wait_until(lambda: _state(office, run, IN_POOL) == "scheduled", "it to wait", within=60)
        wait_until(lambda: _state(office, run, "rotate") == "success", "the other to end", within=60)
        before = len(office.sandbox.slack.messages())
        assert office.run(WATCHDOG).state == "success"
        [message] = office.sandbox.slack.messages()[before:]
        assert f"tasks of {ROTATE} that wait to begin in pool '{POOL}': 1" in str(message["blocks"])
        office.api.add_pool(POOL, 1)
        ended = Ended(office.api, ROTATE, run, office.api.wait(ROTATE, run))
        verified = office.run(VERIFY)
    finally:
        file.write_text(kept)
    tasks = ended.tasks()
    assert (ended.state, tasks["report"].state) == ("success", "success")
    assert (tasks[f"rotate[{ETL.name}]"].pool, tasks[f"{IN_POOL}[{REPORTING.name}]"].pool) == (
        "default_pool",
        POOL,
    )
    for shown in (f"rotate[{ETL.name}]", f"{IN_POOL}[{REPORTING.name}]"):
        outcome = ended.outcome(shown)
        assert outcome["outcome"] == "rotated"
        assert f"{outcome['name']}: rotated, {outcome['reason']}" in ended.log("report")
    assert verified.tasks()[f"verify.pool-{POOL}[{REPORTING.name}]"].pool == POOL
    assert verified.states()["report"] == "success"


def _have_a_task_for_it(office: Office) -> bool:
    """The DAGs, as they are when they are read anew."""
    office.sandbox.airflow.parse_again()
    return IN_POOL in office.api.task_ids(ROTATE) and f"verify.pool-{POOL}" in office.api.task_ids(VERIFY)


def _state(office: Office, run: str, task: str) -> str | None:
    """Of the one mapped task of this id: while it waits the grid has no name for it."""
    found = [
        one.state for one in office.api.task_instances(ROTATE, run) if (one.task, one.map_index) == (task, 0)
    ]
    return found[0] if found else None


def test_the_tree_is_as_it_was(office: Office) -> None:
    """Rotations write nothing into dags, plugins or include."""
    for folder in ("dags", "plugins"):
        here, there = ROOT / folder, office.sandbox.airflow.home / folder
        assert _files(here) == _files(there)


def _files(folder: Path) -> set[str]:
    files = (one for one in folder.rglob("*") if one.is_file() and "__pycache__" not in one.parts)
    return {str(one.relative_to(folder)) for one in files}
