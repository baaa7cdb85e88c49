"""A deployment whose every value is known, and every place where one of them could be read."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bitwarden_vault.client import VaultClient
from bitwarden_vault.settings import read_settings
from sandbox.airflow_api import Refused
from sandbox.demo.warehouse import ROLES
from scenes.airflow.office import DAGS, Ended, Office
from scenes.leaks.eavesdropper import NOTES
from scenes.leaks.search import Leak, Search
from scenes.processes import Watched, memory

_SHORTEST = 12
"""Different letters that a secret has."""
PAGE = "/credential_rotation"
_ALL = "/api/v2/dags/~/dagRuns/~"
LISTS = ("dags", "connections", "variables", "eventLogs", "importErrors", "assets/events", "dagWarnings")


_ADDED = {
    "model.py": "from credential_rotation.eavesdropper import listen\nlisten(Secret)",
    "attempt/promotion.py": "from credential_rotation.eavesdropper import around\napply = around(apply)",
    "attempt/persevere.py": "WAITS = (0.5, 0.5, 0.5)",
    "times/durations.py": '_UNITS["m"] = timedelta(seconds=2)',
}
"""What the copy has at the end of its files: who notes every value, and less to wait for."""


def with_an_eavesdropper(plugins: Path, folder: Path) -> Path:
    """A copy of the plugins that notes every value, and in which grace is over soon."""
    copy = folder / "plugins"
    shutil.copytree(plugins, copy, ignore=shutil.ignore_patterns("__pycache__"))
    package = copy / "credential_rotation"
    shutil.copy(Path(__file__).with_name("eavesdropper.py"), package)
    for name, lines in _ADDED.items():
        with (package / name).open("a") as file:
            file.write(f"\n\n{lines}\n")
    return copy


@dataclass(frozen=True)
class Command:
    """One that runs."""

    words: tuple[str, ...]
    running: subprocess.Popen[str]


@dataclass
class LeakGround:
    """Airflow and the command line, and all that anybody said."""

    office: Office
    environ: Mapping[str, str] = field(repr=False)
    notes: Path
    watched: Watched = field(repr=False)
    said: list[str] = field(default_factory=list, repr=False)
    """All that commands printed."""

    def wish(self, **wishes: str) -> None:
        """What the eavesdropper does from now on, by credential (`-` is written `_`)."""
        (self.notes / "wishes").write_text(json.dumps({k.replace("_", "-"): v for k, v in wishes.items()}))

    def begin(self, *words: str) -> Command:
        """Start a command as an operator does."""
        airflow = self.office.sandbox.airflow
        more = {
            "PYTHONPATH": str(airflow.plugins),
            "PATH": os.defpath,
            "ROTATION_INCLUDE": str(airflow.include),
            "ROTATION_STATE_PATH": str(self.state_folder),
        }
        running = subprocess.Popen(
            [sys.executable, "-m", "credential_rotation", *words],
            env={**self.environ, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.notes,
        )
        return Command(words, running)

    def end(self, command: Command) -> int:
        """Wait for it; its exit status."""
        self.said += command.running.communicate(timeout=120)
        return command.running.returncode

    def together(self, *wanted: tuple[str, Mapping[str, object]]) -> list[Ended]:
        """Trigger several runs and wait for all."""
        api = self.office.api
        begun = [(dag, api.trigger(dag, conf)) for dag, conf in wanted]
        return [Ended(api, dag, run, api.wait(dag, run, within=180)) for dag, run in begun]

    @property
    def state_folder(self) -> Path:
        """Where tasks and commands keep what people may look back at."""
        return self.office.sandbox.airflow.home / "credential_rotation_state"

    # --- what there is to be found ---------------------------------------------------------------------

    def values(self) -> set[str]:
        """Every secret that ever existed: held by anybody, stored, in the trash, or configured."""
        noted = {str(json.loads(line)) for line in (self.notes / "values").read_text().splitlines()}
        bitwarden = self.office.sandbox.bitwarden
        stored = {text for one in bitwarden.secrets() for text in _secrets_in(one.value)}
        token = Path(self.environ["BWS_ACCESS_TOKEN_FILE"]).read_text()
        found = noted | stored | set(token.split(".", 2)[2].split(":")) | {self.slack_token}
        return {value for value in found if len(set(value)) >= _SHORTEST}  # what measures room is one letter

    @property
    def slack_token(self) -> str:
        return self.office.sandbox.slack.token

    # --- and where -------------------------------------------------------------------------------------

    def look(self) -> dict[str, set[Leak]]:
        """What can be read where."""
        values = self.values()
        searched = Search(values)
        sandbox = self.office.sandbox
        slack, postgres = json.dumps(sandbox.slack.accepted()), sandbox.postgres.log()
        requests = f"{sandbox.bitwarden.requests()} {sandbox.start_aws().requests()}"
        return {
            "metadata database": searched.database(sandbox.airflow.home / "airflow.db"),
            "files and logs": self._files(searched),
            "state folder": searched.tree(self.state_folder),
            "Slack": searched.text("messages", slack),
            "requests": searched.text("as logged", requests)
            | searched.bytes("Bitwarden", sandbox.bitwarden.ciphertext_dump()),
            "processes": self._processes(searched, Search(values - {self.slack_token})),
            "PostgreSQL's log": searched.text("log", postgres)
            | searched.text("statistics", self._statistics()),
            "command line": searched.text("output", "".join(self.said)),
            "Airflow's API": {leak for place, text in self._answers() for leak in searched.text(place, text)},
        }

    def _files(self, searched: Search) -> set[Leak]:
        """All that anybody wrote, the access token's own file excepted."""
        run = self.office.sandbox.run_directory
        token = Path(self.environ["BWS_ACCESS_TOKEN_FILE"])
        sockets = Path(self.environ["BITWARDEN_SOCKET_DIR"])
        return searched.tree(run, without=[token]) | searched.tree(sockets) | self._core_files(run)

    def _core_files(self, folder: Path) -> set[Leak]:
        return {Leak(str(path.relative_to(folder)), "a core file") for path in folder.rglob("core.[0-9]*")}

    def _processes(self, searched: Search, unconfigured: Search) -> set[Leak]:
        """Arguments and environments; Slack's token is one that people put into the latter."""
        found: set[Leak] = set()
        for program, kind, data in list(self.watched.seen):
            used = unconfigured if kind == "environment" else searched
            found |= used.bytes(f"{kind} of {program}", data)
        return found

    def has_statistics(self) -> bool:
        """Whether this PostgreSQL comes with pg_stat_statements."""
        asked = "SELECT 1 FROM pg_available_extensions WHERE name = 'pg_stat_statements'"
        return bool(self.office.sandbox.postgres.execute(asked))

    def _statistics(self) -> str:
        if not self.has_statistics():
            return ""
        return str(self.office.sandbox.postgres.execute("SELECT query FROM pg_stat_statements"))

    def _answers(self) -> Iterator[tuple[str, str]]:
        api = self.office.api
        for name in LISTS:
            yield name, json.dumps(list(api._all(f"/{name}", _plural(name))))
        for dag in DAGS:
            yield f"details of {dag}", json.dumps(api.dag_details(dag))
            yield f"runs of {dag}", json.dumps(api.runs(dag))
        yield "the page", json.dumps(api._ask("GET", f"{PAGE}/data/credentials"))
        for role in ROLES:
            detail = api._ask("GET", f"{PAGE}/data/credential", params={"name": role.name})
            yield f"the page on {role.name}", json.dumps(detail)
        yield "tasks", json.dumps(list(api._all(f"{_ALL[7:]}/taskInstances", "task_instances")))
        for row in api._all(f"{_ALL[7:]}/taskInstances", "task_instances"):
            if row["map_index"] >= 0:
                yield from self._of_task(row)

    def _of_task(self, row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """Its log and what it handed on; where it broke down, it handed on nothing."""
        api = self.office.api
        dag, run, task, index = (row[name] for name in ("dag_id", "dag_run_id", "task_id", "map_index"))
        for number in range(1, row["try_number"] + 1):
            yield f"log of {task}", api.task_log(dag, run, task, map_index=index, attempt=number)
        with suppress(Refused):
            yield f"XCom of {task}", json.dumps(api.xcom(dag, run, task, key="outcome", map_index=index))

    def vault_processes(self) -> dict[str, int]:
        """The vault's agent and its workers: what of ours outlives a task."""
        status: Any = VaultClient(read_settings(self.environ)).status()
        return {"agent": status["pid"], **{f"worker {pid}": pid for pid in status["workers"]}}

    def remembered(self) -> dict[str, set[Leak]]:
        """What they still have in memory, by process."""
        token = Path(self.environ["BWS_ACCESS_TOKEN_FILE"]).read_text().strip()
        searched = Search(self.values() - set(token.split(".", 2)[2].split(":")))
        found: dict[str, set[Leak]] = {}
        for name, pid in self.vault_processes().items():
            regions = list(memory(pid))
            assert any(token.encode() in data for _, data in regions), "memory is not read"
            found[name] = {leak for where, data in regions for leak in searched.bytes(where, data)}
        return found


def environment(office_environ: Mapping[str, str], notes: Path) -> dict[str, str]:
    """What the deployment is told: quick to forget, quick to give up; DAG files are read once."""
    vault = {"BITWARDEN_CACHE_LIFE": "2s", "BITWARDEN_DEADLINE": "5s", "BITWARDEN_PATIENCE": "10s"}
    once = {"MIN_FILE_PROCESS_INTERVAL": "3600", "REFRESH_INTERVAL": "3600"}
    airflow = {f"AIRFLOW__DAG_PROCESSOR__{name}": value for name, value in once.items()}
    return {**office_environ, **vault, **airflow, NOTES: str(notes)}


def _secrets_in(value: str) -> Iterator[str]:
    """The passwords in a stored value."""
    try:
        fields = json.loads(value)
    except ValueError:
        return
    for name in ("password", "aws_secret_access_key"):
        if isinstance(fields.get(name), str):
            yield fields[name]


def _plural(name: str) -> str:
    return {"eventLogs": "event_logs", "importErrors": "import_errors", "assets/events": "asset_events"}.get(
        name, "dag_warnings" if name == "dagWarnings" else name
    )
