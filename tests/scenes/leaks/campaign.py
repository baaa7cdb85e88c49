"""What happens to the credentials of the leak search: success and every failure, by DAG and by command.

Each step says how it must end: a campaign in which nothing went wrong would prove nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from psycopg import sql

from sandbox.airflow_api import Refused
from sandbox.aws.faults import Fault as AwsFault
from sandbox.bitwarden.faults import Fault
from sandbox.bitwarden.stand_in import StoredSecret
from sandbox.demo.warehouse import _KEY_POLICY, ROLES, Role
from sandbox.kept import wait_until
from scenes.airflow.office import RETIRE, ROTATE, ROTATE_CLOUD, Ended
from scenes.leaks.ground import Command, LeakGround
from scenes.postgres.cut import Cutter

ETL, REPORTING, ORDERS, PAIR, KEYS = ROLES
_HTML = "<!doctype html><title>Just a moment...</title>"
_NO_BUCKETS = {**_KEY_POLICY, "Statement": [_KEY_POLICY["Statement"][0]]}
_GRACE = 3.0
"""Seconds: longer than what the ground makes of the demo's minute, for grace and soak."""


def inventory(text: str, cut: int) -> str:
    """The demo's; keys do not soak for a day, and `orders-api` has somebody in front who can lose a reply."""
    text = text.replace("grace: 1m", "grace: 1m, soak: 1m")
    head, _, tail = text.partition("principal: orders\n    target: *warehouse")
    plain = f"{{host: 127.0.0.1, port: {cut}, sslmode: disable}}"
    return f"{head}principal: orders\n    target: {plain}{tail}"


@dataclass
class Campaign:
    """All of it, and how each step ended."""

    ground: LeakGround
    cut: Cutter
    ends: dict[str, str] = field(default_factory=dict)
    """Step and credential → the outcome's word, or the run's or command's end."""

    def play(self) -> None:
        """From the first tick to where everything is mended."""
        self._success()
        self._trouble()
        self._target_down()
        self._commands()
        self._mended()

    # --- steps -----------------------------------------------------------------------------------------

    def _success(self) -> None:
        """The first tick of each rotating DAG takes everything over and rotates it."""
        api = self.ground.office.api
        for dag in (ROTATE, ROTATE_CLOUD):
            api.unpause(dag)
        for dag in (ROTATE, ROTATE_CLOUD):
            wait_until(lambda dag=dag: api.runs(dag), f"a tick of {dag}", within=60)
            run = str(api.runs(dag)[0]["dag_run_id"])
            self._note("tick", Ended(api, dag, run, api.wait(dag, run, within=180)))

    def _trouble(self) -> None:
        """A firewall before the vault, a CURRENT that a person spoilt, lost replies, a bug, no bucket."""
        sandbox = self.ground.office.sandbox
        wall = {"status": 403, "body": _HTML, "content_type": "text/html"}
        update = f"/api/secrets/{self._current(ETL).id}"
        sandbox.bitwarden.fault(Fault("answer", verb="PUT", path=update, **wall))  # type: ignore[arg-type]  # its own fields
        create = "/api/organizations/*/secrets"
        sandbox.bitwarden.fault(Fault("drop_after_commit", verb="POST", path=create, times=1))
        sandbox.start_aws().put_user_policy("exports-uploader", _NO_BUCKETS)
        self.ground.wish(billing="bug")
        self.cut.is_armed = True
        with self._spoilt(REPORTING):
            self._run("trouble", (ROTATE, [ETL, REPORTING, ORDERS, PAIR]), (ROTATE_CLOUD, [KEYS]))
            self._end("spoilt", self.ground.begin("rotate", REPORTING.name))
        self.cut.is_armed = False
        self.ground.wish()
        sandbox.bitwarden.clear_faults()
        sandbox.start_aws().put_user_policy("exports-uploader", _KEY_POLICY)

    def _target_down(self) -> None:
        """And Slack with it, while somebody asks for what cannot be."""
        sandbox = self.ground.office.sandbox
        time.sleep(_GRACE)  # else it still runs for the key, and nobody asks AWS for anything
        sandbox.postgres.stop()
        sandbox.slack.outage(True)  # noqa: FBT003 - reads as a switch
        sandbox.start_aws().fault(AwsFault("drop_after", "iam:*"))
        try:
            commands = [self.ground.begin("rotate", role.name, "--json") for role in (ORDERS, KEYS)]
            self._run("down", (ROTATE, [REPORTING]))
            self._run("refused", (ROTATE, [REPORTING]), force=True)
            for command in commands:
                self._end("down", command)
        finally:
            sandbox.start_aws().clear_faults()
            sandbox.slack.outage(False)  # noqa: FBT003 - reads as a switch
            sandbox.postgres.start()

    def _commands(self) -> None:
        """All that an operator may do, and what may go wrong with it."""
        postgres = self.ground.office.sandbox.postgres
        self.ground.wish(reporting="bug")
        postgres.execute("REVOKE etl FROM rotator")
        self._set_by_hand("orders", "Nobody-has-noted-this-1")
        self._end_all(
            ("rotate", REPORTING.name),
            ("rotate", ETL.name),
            ("rotate", ORDERS.name),
            ("revoke", PAIR.name, "--reason", "a laptop was lost"),
            ("rotate", "warehouse-elt"),
        )
        self.ground.wish()
        postgres.let_rotate("rotator", "etl")
        self._end_all(("check",), ("plan", "--json"), ("verify",), ("status",))

    def _mended(self) -> None:
        """What nobody knows any more by force, and the rest by the hourly repair."""
        self._run("forced", (ROTATE, [ORDERS]), force=True, reason="set by hand")
        self._run("mended", (RETIRE, list(ROLES)))

    # --- how ----------------------------------------------------------------------------------------------

    def _run(self, step: str, *wanted: tuple[str, list[Role]], **conf: object) -> None:
        """Runs at once; all but the last as they are, the last one with more in its configuration."""
        runs = [(dag, {"credentials": [role.name for role in roles]}) for dag, roles in wanted]
        runs[-1][1].update(conf)  # type: ignore[arg-type]  # JSON
        for ended in self.ground.together(*runs):
            self._note(step, ended)

    def _note(self, step: str, ended: Ended) -> None:
        for one in ended.tasks().values():
            if one.map_index < 0:
                self.ends[f"{step}, {one.task}"] = str(one.state)
                continue
            try:
                self.ends[f"{step}, {one.label}"] = str(ended.outcome(one.name)["outcome"])
            except Refused:  # it broke down, and left none
                self.ends[f"{step}, {one.label}"] = "none"

    def _end(self, step: str, command: Command) -> None:
        self.ends[f"{step}, {' '.join(command.words[:2])}"] = str(self.ground.end(command))

    def _end_all(self, *wanted: tuple[str, ...]) -> None:
        for command in [self.ground.begin(*words) for words in wanted]:
            self._end("command", command)

    def _current(self, role: Role) -> StoredSecret:
        secrets = self.ground.office.sandbox.bitwarden.secrets()
        [current] = [one for one in secrets if one.key == role.key and not one.deleted]
        return current

    @contextmanager
    def _spoilt(self, role: Role) -> Iterator[None]:
        """A person cut off the end of CURRENT, its value still in it."""
        bitwarden, current = self.ground.office.sandbox.bitwarden, self._current(role)
        bitwarden.edit_secret(current.id, value=current.value[:-1])
        yield
        bitwarden.edit_secret(current.id, value=current.value)

    def _set_by_hand(self, role: str, password: str) -> None:
        """A person sets a password; hashed, since it is not ours that would be in the log."""
        postgres = self.ground.office.sandbox.postgres
        with postgres.connect(postgres.superuser, postgres.superuser_password) as connection:
            made = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
            changed = sql.SQL("ALTER ROLE {} PASSWORD {}")
            connection.execute(changed.format(sql.Identifier(role), sql.Literal(made.decode())))
        with (self.ground.notes / "values").open("a") as file:
            file.write(json.dumps(password) + "\n")


def everything_is_kept(ground: LeakGround) -> None:
    """The server's log has each statement, those that fail and their parameters too; statistics if it can."""
    postgres = ground.office.sandbox.postgres
    kept = {"log_min_duration_statement": "0", "log_parameter_max_length_on_error": "-1"}
    if ground.has_statistics():
        kept["shared_preload_libraries"] = "pg_stat_statements"
    for name, value in kept.items():
        postgres.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    postgres.restart()
    if ground.has_statistics():
        postgres.execute("CREATE EXTENSION pg_stat_statements")


def folder_for_notes(tmp: Path) -> Path:
    """Outside of all that is searched."""
    notes = tmp / "notes"
    notes.mkdir(mode=0o700)
    (notes / "values").touch(mode=0o600)
    return notes
