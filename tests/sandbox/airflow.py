"""A real Airflow with the three folders in its AIRFLOW_HOME, an executor (`sandbox.executors`) and one login.

    with AirflowSandbox(home, env={…}, dags=…, plugins=…, include=…) as airflow:
        run = airflow.api.trigger("some_dag")
        airflow.api.wait("some_dag", run, within=60)

1. The folders are copies: a test may edit `airflow.include` and so on while Airflow runs.
2. Its components see a bare environment plus `env`; no secret is on a command line.
3. It ends with whoever started it, and so does every task and every daemon that a task started.
"""

import json
import os
import shutil
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from sandbox import migrated
from sandbox.airflow_api import AirflowApi
from sandbox.airflow_settings import AirflowSettings
from sandbox.executors import executor
from sandbox.kept import DidNotStart, Kept, wait_until
from sandbox.supervisor import Supervisor

_READY_WITHIN = 180.0
_TRIES = 3
_PATIENCE = 30
"""Seconds for SQLite's one writer. The api-server keeps its 5: at times it waits for itself until then."""
_HEALTHY = ("metadatabase", "scheduler", "dag_processor")
_WITHOUT_CACHES = shutil.ignore_patterns("__pycache__", "*.pyc")


class AirflowSandbox:
    """api-server, scheduler and dag-processor; a triggerer is needed by nothing here."""

    def __init__(  # noqa: PLR0913 - the three folders are three
        self,
        home: Path,
        *,
        env: Mapping[str, str] | None = None,
        dags: Path | None = None,
        plugins: Path | None = None,
        include: Path | None = None,
        hold: int | None = None,
    ) -> None:
        """Nothing runs before `start()`; `home` is emptied then."""
        self.home, self._env, self._hold = home, dict(env or {}), hold
        self._originals = {"dags": dags, "plugins": plugins, "include": include}
        self.dags, self.plugins, self.include = home / "dags", home / "plugins", home / "include"
        self.settings = AirflowSettings(home)
        self._executor = executor()
        self._told_by_executor: dict[str, str] = {}
        self.components: dict[str, Kept] = {}
        self._api: AirflowApi | None = None
        self._supervisor: Supervisor | None = None

    def __enter__(self) -> "AirflowSandbox":  # noqa: PYI034 - typing.Self is 3.11
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address of the page."""
        return self.settings.url

    @property
    def username(self) -> str:
        return self.settings.username

    @property
    def password(self) -> str:
        return self.settings.password

    @property
    def api(self) -> AirflowApi:
        """Logged in."""
        assert self._api is not None, "Airflow is not running"
        return self._api

    def start(self) -> None:
        """Returns once every component says that it is healthy."""
        for left in reversed(range(_TRIES)):
            try:
                self._lay_out()
                self._told_by_executor = self._executor.start(self.home)
                self._migrate()
                self._serve()
            except BaseException as failure:
                self.stop()
                if not left or "address already in use" not in str(failure):
                    raise
                self.settings = AirflowSettings(self.home)
            else:
                self._supervise()
                return

    def read_again(self, more: Mapping[str, str]) -> None:
        """All but the api-server anew, with more in their environment."""
        self._env |= more
        anew = [name for name in self.components if name != "api-server"]
        self._leave_alone()
        for name in anew:
            self.components.pop(name).stop()
        for name in anew:
            self.components[name] = self._component(name)
        self._supervise()

    def restart(self) -> None:
        """Every component anew, as after a deployment; returns once all are healthy."""
        self._leave_alone()
        for name in tuple(self.components):
            self.components.pop(name).stop()
        self._serve()
        self._supervise()

    def parse_again(self) -> None:
        """Have the DAG files read now, as what they depend on has changed; else it is once a minute.

        A file that is being read at this moment is taken for read: that one waits for its minute.
        """
        for file in self.dags.rglob("*.py"):
            if "plugins" not in file.parts:  # code that changed is another matter
                os.utime(file)

    def crash(self, name: str) -> None:
        """Kill -9 of a component, and of all that it started; then start it again, as a service would."""
        self._leave_alone()
        os.kill(self.components[name].pid, signal.SIGKILL)
        self._start_again(name)
        self._supervise()

    def stop(self) -> None:
        """End it; again is fine. Its home stays, for whoever wants to read the logs."""
        self._leave_alone()
        if self._api is not None:
            self._api.close()
            self._api = None
        if "scheduler" in self.components:
            self.components["scheduler"].stop()
        for component in self.components.values():
            component.release()
        for component in self.components.values():
            component.stop()
        self.components.clear()
        self._executor.stop()

    def _supervise(self) -> None:
        name = "scheduler"
        self._supervisor = Supervisor(lambda: self.components.get(name), lambda: self._start_again(name))

    def _leave_alone(self) -> None:
        if self._supervisor is not None:
            self._supervisor.stop()
            self._supervisor = None

    def _start_again(self, name: str) -> None:
        self.components.pop(name).stop()
        self.components[name] = self._component(name)

    def log(self, component: str) -> str:
        """All that a component wrote; the scheduler's has every line of every task, unmasked."""
        path = self._log_of(component)
        return path.read_text(errors="replace") if path.exists() else ""

    def _lay_out(self) -> None:
        shutil.rmtree(self.home, ignore_errors=True)
        self.home.mkdir(mode=0o700, parents=True)
        for name, original in self._originals.items():
            if original is None:
                (self.home / name).mkdir()
            else:
                shutil.copytree(original, self.home / name, ignore=_WITHOUT_CACHES)
        (self.home / "airflow.cfg").touch()  # else each component writes the defaults there, and reads them
        passwords = self.settings.passwords_file
        passwords.touch(mode=0o600)
        passwords.write_text(json.dumps({self.username: self.password}))

    def _migrate(self) -> None:
        if not self._executor.has_sqlite:
            self._run_to_the_end("db", "migrate")
        elif not migrated.is_copied(self.home):
            self._run_to_the_end("db", "migrate")
            migrated.keep(self.home)

    def _run_to_the_end(self, *words: str) -> None:
        running = self._kept(words[0], words)
        try:
            code = running.wait(_READY_WITHIN)
        finally:
            running.stop()
        if code != 0:
            raise DidNotStart(f"airflow {' '.join(words)} failed:\n{running.tail()}")

    def _serve(self) -> None:
        for name in self._executor.parts:
            self.components[name] = self._component(name)
        everyone = tuple(self.components.values())
        with httpx.Client(base_url=self.url, trust_env=False, timeout=10) as client:
            wait_until(lambda: _is_healthy(client), "Airflow", within=_READY_WITHIN, kept=everyone)
        if self._api is not None:
            self._api.close()
        self._api = AirflowApi(self.url)
        self._api.login(self.username, self.password)

    def _component(self, name: str) -> Kept:
        return self._kept(name, tuple(name.split()), grace=self._executor.parts[name])

    def _kept(self, name: str, words: tuple[str, ...], *, grace: float = 4.0) -> Kept:
        return Kept(
            [sys.executable, Path(sys.executable).with_name("airflow"), *words],
            log=self._log_of(name),
            env=self.settings.environment(self._metadata(name) | self._told_by_executor | self._env),
            cwd=self.home,
            grace=grace,
            hold=self._hold,
        )

    def _metadata(self, name: str) -> dict[str, str]:
        """The database: who shares SQLite with the api-server waits longer for it than that one does."""
        if not self._executor.has_sqlite or name == "api-server":
            return {}
        return {
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.home}/airflow.db?timeout={_PATIENCE}"
        }

    def _log_of(self, component: str) -> Path:
        return self.home / f"{component.replace(' ', '-')}.log"


def _is_healthy(client: httpx.Client) -> bool:
    try:
        said = client.get("/api/v2/monitor/health").json()
    except (httpx.HTTPError, ValueError):
        return False
    return all(said.get(part, {}).get("status") == "healthy" for part in _HEALTHY)
