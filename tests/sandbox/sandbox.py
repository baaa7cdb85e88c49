"""All that the rotation meets, on this machine: Bitwarden, PostgreSQL, Slack; AWS and Airflow when asked for.

    with Sandbox(directory) as sandbox:
        sandbox.postgres.create_role("etl", "…")
        airflow = sandbox.start_airflow(env={…}, dags=…, plugins=…, include=…)

1. Nothing of it outlives the `with` statement, nor the process that holds it, however that ends.
2. What it wrote stays in `directory/run` for whoever wants to read it, until the next start.
3. One at a time in one directory; the next one waits for what is still ending, then says who is in the way.
"""

import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from sandbox.airflow import AirflowSandbox
from sandbox.aws import AwsStandIn
from sandbox.bitwarden import BitwardenStandIn
from sandbox.directory_lock import lock
from sandbox.kept import Kept
from sandbox.postgres import PostgresServer
from sandbox.slack import SlackStandIn


class Sandbox:
    """`bitwarden`, `postgres` and `slack` run from start to stop; AWS and `airflow` when started."""

    bitwarden: BitwardenStandIn
    postgres: PostgresServer
    slack: SlackStandIn

    def __init__(self, directory: Path, *, wait: float = 45.0) -> None:
        """Nothing runs before `start()`; `wait` is for an earlier one that is still ending."""
        self.directory, self._wait = directory.resolve(), wait
        self.run_directory = self.directory / "run"
        self._running = ExitStack()
        self._hold: int | None = None
        self._airflow: AirflowSandbox | None = None
        self._aws: AwsStandIn | None = None

    def __enter__(self) -> "Sandbox":  # noqa: PYI034 - typing.Self is 3.11
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Returns once all three can be used."""
        try:
            self._hold = self._running.enter_context(lock(self.directory, within=self._wait))
            shutil.rmtree(self.run_directory, ignore_errors=True)
            self.run_directory.mkdir(mode=0o700)
            run = self.run_directory
            self.postgres = self._running.enter_context(PostgresServer(run / "postgres", hold=self._hold))
            self.bitwarden = self._running.enter_context(BitwardenStandIn(run / "bitwarden"))
            self.slack = self._running.enter_context(SlackStandIn(run / "slack", hold=self._hold))
        except BaseException:
            self.stop()
            raise

    def start_airflow(
        self,
        *,
        env: Mapping[str, str],
        dags: Path | None = None,
        plugins: Path | None = None,
        include: Path | None = None,
    ) -> AirflowSandbox:
        """Start it with what the caller wants in its environment; again replaces the one before."""
        if self._airflow is not None:
            self._airflow.stop()
        home = self.run_directory / "airflow"
        self._airflow = AirflowSandbox(
            home, env=env, dags=dags, plugins=plugins, include=include, hold=self._hold
        )
        self._running.callback(self._airflow.stop)
        self._airflow.start()
        return self._airflow

    def start_aws(self) -> AwsStandIn:
        """The account that runs until the sandbox ends; started by the first who asks."""
        if self._aws is None:
            self._aws = self._running.enter_context(AwsStandIn(self.run_directory / "aws", hold=self._hold))
        return self._aws

    @property
    def airflow(self) -> AirflowSandbox:
        assert self._airflow is not None, "call start_airflow() first"
        return self._airflow

    def short_folder(self) -> Path:
        """A new private folder with a path short enough for unix sockets, removed at the end."""
        folder = Path(tempfile.mkdtemp(prefix="sandbox-"))
        keeper = Kept([], remove=folder, hold=self._hold)
        self._running.callback(keeper.stop)
        return folder

    def stop(self) -> None:
        """End all of it; again is fine."""
        self._airflow = self._aws = None
        self._running.close()
        self._hold = None
