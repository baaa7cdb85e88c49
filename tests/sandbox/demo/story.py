"""The story: by schedule, by hand, a failure on purpose, recovery, grace. Every claim is checked."""

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sandbox.airflow import AirflowSandbox
from sandbox.airflow_api import AirflowApi
from sandbox.bitwarden.faults import Fault
from sandbox.demo import telling
from sandbox.demo.warehouse import ROLES, SETTLE, Login, Role, Warehouse
from sandbox.kept import wait_until
from sandbox.sandbox import Sandbox
from sandbox.tick import REPAIR, wait_for

ROTATE, ROTATE_CLOUD = "rotate_database_credentials", "rotate_cloud_credentials"
RETIRE, VERIFY = "retire_credentials", "verify_credentials"
ETL, REPORTING, ORDERS, PAIR, KEYS = ROLES
GRACE = 62.0
"""Seconds; the minute of grace that two entries of the demo have, and a little."""


class OtherwiseThanTold(Exception):
    """Something did not happen as the story says: a bug, or a machine that is too slow."""


@dataclass
class Result:
    """What the report says of one credential."""

    role: Role
    outcome: dict[str, Any]
    run_id: str
    state: str
    old_refused: bool
    new_accepted: bool


class Story:
    """Told once, on a sandbox that has just started."""

    def __init__(self, sandbox: Sandbox, root: Path, report: Path) -> None:
        self._sandbox = sandbox
        self._root = root
        self._warehouse = Warehouse(sandbox, read_by_airflow=True)
        self.results: dict[str, Result] = {}
        report.unlink(missing_ok=True)

    @property
    def airflow(self) -> AirflowSandbox:
        """The running Airflow."""
        return self._sandbox.airflow

    @property
    def api(self) -> AirflowApi:
        """Airflow as the person at its page uses it."""
        return self.airflow.api

    @property
    def slack_messages(self) -> list[dict[str, Any]]:
        """The channel as people see it now."""
        return self._sandbox.slack.messages()

    def ways_in(self) -> dict[str, str]:
        """For `make up`."""
        return {
            "airflow": self.airflow.url,
            "username": self.airflow.username,
            "password": self.airflow.password,
        }

    def tell(self) -> None:
        """All chapters. Raises: OtherwiseThanTold."""
        self.set_the_scene()
        self.start_airflow()
        self.by_schedule()
        self.by_hand()
        self.fail_on_purpose()
        self.recover()
        self.retire_what_lived_on()
        self.verify_all()
        self.show_the_trail()
        self.sum_up()

    # --- chapters --------------------------------------------------------------------------------------

    def set_the_scene(self) -> None:
        telling.chapter("PostgreSQL runs, and stand-ins for Bitwarden, AWS and Slack; the SDKs are real")
        include = self._warehouse.build(self._root)
        for role in ROLES:
            self._expect(self._warehouse.logs_in(role, self._warehouse.stored(role)), f"{role.name} logs in")
            telling.fact(f"{role.name}: {role.told}")
        telling.fact(
            f"ROTATION_SETTLE, how long a run waits for writes of one that was killed: {SETTLE} here, not 15m"
        )
        self._include = include

    def start_airflow(self) -> None:
        telling.chapter("Starting Airflow with the three folders in its AIRFLOW_HOME (about 20 s) …")
        self._sandbox.start_airflow(
            env=self._warehouse.environment(),
            dags=self._root / "dags",
            plugins=self._root / "plugins",
            include=self._include,
        )
        self.api.wait_for_dags(ROTATE, ROTATE_CLOUD, RETIRE, VERIFY)
        errors = self.api.import_errors()
        self._expect(not errors, f"import errors: {errors}")
        telling.fact(f"Airflow at {self.airflow.url}, seven DAGs, no import errors", good=True)

    def by_schedule(self) -> None:
        telling.chapter("By schedule: the rotating DAGs are unpaused; their hourly run finds what is due")
        before = {role.name: self._warehouse.stored(role) for role in ROLES}
        for dag in (ROTATE, ROTATE_CLOUD):
            self.api.unpause(dag)
        for dag, roles in ((ROTATE, (ETL, REPORTING, ORDERS, PAIR)), (ROTATE_CLOUD, (KEYS,))):
            run = self._scheduled(dag)
            self._expect_state(dag, run, "success")
            for role in roles:
                self._prove(role, before[role.name], dag, run, "rotate")
        self._lives_on = {role: before[role.name] for role in (PAIR, KEYS)}
        self._grace_ends = time.monotonic() + GRACE

    def by_hand(self) -> None:
        telling.chapter(f"By hand: {ETL.name} is chosen in the trigger form, with a reason")
        before = self._warehouse.stored(ETL)
        run = self.api.trigger(ROTATE, {"credentials": [ETL.name], "reason": "a laptop was lost"})
        self._expect_state(ROTATE, run, "success")
        self._prove(ETL, before, ROTATE, run, "rotate")

    def fail_on_purpose(self) -> None:
        telling.chapter(
            f"A failure on purpose: {ORDERS.name} gets a new password, and Bitwarden refuses to store it"
        )
        telling.fact("the task tries again for half a minute, because consumers still get the old password")
        wait = wait_for(REPAIR, within=90, now=datetime.now(timezone.utc))
        if wait:
            telling.fact(f"{wait:.0f} s until the hourly repair is over, which would put it right at once")
            time.sleep(wait)
        before = self._warehouse.stored(ORDERS)
        self._sandbox.bitwarden.fault(Fault("answer", verb="PUT", path="/api/secrets/*", status=503))
        run = self.api.trigger(ROTATE, {"credentials": [ORDERS.name], "reason": "the yearly audit"})
        self._expect_state(ROTATE, run, "failed")
        self._show_red_tasks(ROTATE, run)
        old, new = self._warehouse.stored(ORDERS), self._warehouse.in_journal(ORDERS)
        self._expect(old == before and new is not None, "CURRENT is as it was, and a record is there")
        self._expect(not self._warehouse.logs_in(ORDERS, old), "the old password is refused")
        self._expect(
            new is not None and self._warehouse.logs_in(ORDERS, new), "the recorded password logs in"
        )
        telling.fact("PostgreSQL refuses the password in CURRENT, the secret that consumers read", good=False)
        telling.fact("PostgreSQL accepts the one in the journal, from which CURRENT is repaired", good=True)
        self._expect(bool(self.slack_messages), "Slack was told")
        telling.slack_message(self.slack_messages[-1])

    def recover(self) -> None:
        telling.chapter(f"Bitwarden takes writes again: {RETIRE}, the hourly repair, is triggered now")
        before = self._warehouse.stored(ORDERS)
        self._sandbox.bitwarden.clear_faults()
        self.api.unpause(RETIRE)
        run = self.api.trigger(RETIRE, {"credentials": [ORDERS.name]})
        self._expect_state(RETIRE, run, "success")
        self._prove(ORDERS, before, RETIRE, run, "retire")

    def retire_what_lived_on(self) -> None:
        telling.chapter("A minute of grace is over: the same DAG ends the old role and the old key")
        time.sleep(max(0.0, self._grace_ends - time.monotonic()))
        run = self.api.trigger(RETIRE, {"credentials": [PAIR.name, KEYS.name]})
        self._expect_state(RETIRE, run, "success")
        for role, old in self._lives_on.items():
            refused, accepted = self._asked(role, old, self._warehouse.stored(role))
            self._expect(refused and accepted, f"the old value of {role.name} is refused")
            self.results[role.name].old_refused = refused
        telling.fact(f"{PAIR.name}: PostgreSQL refuses the role that was replaced", good=True)
        telling.fact(f"{KEYS.name}: AWS refuses the old key; inactive for a day, then deleted", good=True)

    def verify_all(self) -> None:
        telling.chapter("The daily proof: every credential is read from Bitwarden and logs in")
        run = self.api.trigger(VERIFY)
        self.api.unpause(VERIFY)
        self._expect_state(VERIFY, run, "success")
        for one in self.api.task_instances(VERIFY, run):
            if one.task == "verify":
                outcome = self._outcome(VERIFY, run, "verify", one.map_index)
                telling.fact(f"{outcome['name']}: {outcome['outcome']}, {outcome['reason']}", good=True)

    def show_the_trail(self) -> None:
        telling.chapter("The audit trail: each request to Bitwarden is a line, chained to the one before")
        files = sorted(self._warehouse.trail.glob("*.jsonl"))
        lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
        written = [one for one in lines if one.get("operation") == "update_secret" and one["outcome"] == "ok"]
        last, task = written[-1], written[-1]["claimed"]
        telling.fact(f"{len(lines)} lines, no value in any; the newest write among them:")
        telling.quote(
            f"{last['at']} {task['dag']}, {task['task']}: {last['secrets'][0]['key']}, {last['outcome']}"
        )
        command = [sys.executable, "-m", "bitwarden_vault", "audit", "verify", str(self._warehouse.trail)]
        plugins = {"PYTHONPATH": str(self._root / "plugins")}
        ran = subprocess.run(command, env=plugins, capture_output=True, text=True, check=False)
        self._expect(ran.returncode == 0, f"the trail is whole:\n{ran.stdout}{ran.stderr}")
        telling.fact(
            "`python -m bitwarden_vault audit verify`: nothing is missing, nothing was changed", good=True
        )

    def sum_up(self) -> None:
        telling.chapter("What was proved, asked of the targets themselves")
        telling.table(
            ("credential", "strategy", "outcome", "version", "old value", "new value"),
            (
                (
                    result.role.name,
                    result.outcome["strategy"],
                    result.outcome["outcome"],
                    str(result.outcome["version"]),
                    "refused" if result.old_refused else "STILL ACCEPTED",
                    "accepted" if result.new_accepted else "REFUSED",
                )
                for result in self.results.values()
            ),
        )

    # --- their parts -----------------------------------------------------------------------------------

    def _prove(self, role: Role, before: Login, dag: str, run: str, task: str) -> None:
        """What the run says of a credential, and what the target itself says of its old and new value."""
        [index] = [
            one.map_index
            for one in self.api.task_instances(dag, run)
            if one.task == task and one.label == role.name
        ]
        outcome = self._outcome(dag, run, task, index)
        after = self._warehouse.stored(role)
        old_refused, new_accepted = self._asked(role, before, after)
        is_so = new_accepted and before != after and old_refused is not role.lives_on
        self._expect(is_so, f"{role.name} was rotated: {outcome}")
        where = "AWS" if role is KEYS else "PostgreSQL"
        old = ", and the old one until its grace is over" if role.lives_on else " and refuses the old one"
        telling.fact(
            f"{role.name}: {outcome['outcome']}, version {outcome['version']}; {where} accepts the new value"
            f"{old}",
            good=True,
        )
        self.results[role.name] = Result(
            role, outcome, run, self.api.state(dag, run), old_refused, new_accepted
        )

    def _asked(self, role: Role, old: Login, new: Login) -> tuple[bool, bool]:
        """Whether the target refuses the old value and accepts the new one."""
        return not self._warehouse.logs_in(role, old), self._warehouse.logs_in(role, new)

    def _scheduled(self, dag: str) -> str:
        """The run that the scheduler makes for a DAG that was just switched on."""
        wait_until(lambda: self.api.runs(dag), "the scheduled run", within=60)
        return str(self.api.runs(dag)[0]["dag_run_id"])

    def _outcome(self, dag: str, run: str, task: str, index: int) -> dict[str, Any]:
        outcome: dict[str, Any] = self.api.xcom(dag, run, task, key="outcome", map_index=index)
        return outcome

    def _show_red_tasks(self, dag: str, run: str) -> None:
        ran = self.api.task_instances(dag, run)
        for one in sorted(ran, key=lambda one: one.task == "report"):  # the cause first
            if one.state == "failed":
                telling.fact(f"task {one.name} is red; the end of its log:", good=False)
                log = self.api.task_log(dag, run, one.task, map_index=one.map_index, attempt=one.tries or 1)
                telling.quote("\n".join(line for line in log.splitlines() if "AirflowFailException" in line))

    def _expect_state(self, dag: str, run: str, state: str) -> None:
        found = self.api.wait(dag, run, within=180)
        if found != state:
            self._show_red_tasks(dag, run)
        self._expect(found == state, f"run {run} of {dag} ends as {state}, and was {found}")

    def _expect(self, is_so: bool, words: str) -> None:  # noqa: FBT001 - an assertion with words
        if not is_so:
            raise OtherwiseThanTold(f"the demo expected: {words}\nlogs are in {self._sandbox.run_directory}")
