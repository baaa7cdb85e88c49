"""The sandbox's Airflow is one that a user could have, and it ends as a whole; one start for all tests."""

from __future__ import annotations

import stat
from collections.abc import Iterator

import psutil
import pytest

from sandbox.airflow import AirflowSandbox
from sandbox.airflow_api import AirflowApi, NotInTime, Refused, TaskInstance

pytestmark = pytest.mark.airflow

GREETINGS = """
import os, subprocess, sys
from airflow.sdk import Param, dag, get_current_context, task
from words import WORDS

@dag(schedule=None, params={"whom": Param("all", type="string", enum=["all", "few"])})
def greetings():
    @task
    def names():
        return WORDS

    @task(map_index_template="{{ label }}")
    def greet(name):
        get_current_context()["label"] = name
        print("my page is", get_current_context()["ti"].log_url)
        print("hello", name, "from", os.environ["GREETER"], "with PYTHONPATH", os.environ.get("PYTHONPATH"))
        if name == "nobody":
            raise ValueError("nobody is there")
        nowhere = subprocess.DEVNULL
        return subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(1000)"],
            start_new_session=True,
            stdin=nowhere,
            stdout=nowhere,
            stderr=nowhere,
        ).pid

    greet.expand(name=names())

greetings()
"""


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AirflowSandbox]:
    tree = tmp_path_factory.mktemp("tree")
    for name in ("dags", "plugins", "include"):
        (tree / name).mkdir()
    (tree / "dags" / "greetings.py").write_text(GREETINGS)
    (tree / "plugins" / "words.py").write_text("WORDS = ['world', 'nobody']\n")
    (tree / "include" / "settings.yaml").write_text("a: 1\n")
    home = tmp_path_factory.mktemp("airflow") / "home"
    running = AirflowSandbox(
        home,
        env={"GREETER": "the sandbox"},
        dags=tree / "dags",
        plugins=tree / "plugins",
        include=tree / "include",
    )
    with running:
        yield running


@pytest.fixture
def api(sandbox: AirflowSandbox) -> AirflowApi:
    sandbox.api.wait_for_dags("greetings")
    sandbox.api.unpause("greetings")
    return sandbox.api


@pytest.fixture(scope="module")
def run(sandbox: AirflowSandbox) -> str:
    sandbox.api.wait_for_dags("greetings")
    sandbox.api.unpause("greetings")
    run = sandbox.api.trigger("greetings", {"whom": "few"}, note="by a test")
    sandbox.api.wait("greetings", run)
    return run


def test_the_three_folders_load_and_a_run_tells_what_failed(api: AirflowApi, run: str) -> None:
    """DAGs import what is in plugins/; a failed mapped task is red by name, with its reason in the log."""
    assert api.import_errors() == {}
    assert api.state("greetings", run) == "failed"
    ended = {one.name: one.state for one in api.task_instances("greetings", run)}
    assert ended == {"names": "success", "greet[world]": "success", "greet[nobody]": "failed"}
    assert api.xcom("greetings", run, "names") == ["world", "nobody"]
    assert "ValueError: nobody is there" in api.task_log("greetings", run, "greet", map_index=1)


def test_a_task_sees_the_environment_that_was_given_and_nothing_of_ours(api: AirflowApi, run: str) -> None:
    """With our PYTHONPATH in it, imports would work here that fail for a user."""
    said = api.task_log("greetings", run, "greet", map_index=0)
    assert "hello world from the sandbox with PYTHONPATH None" in said


def test_the_server_refuses_in_its_own_words(api: AirflowApi, sandbox: AirflowSandbox) -> None:
    """A wrong form, an unknown DAG, a wrong password: the text says what to mend."""
    with pytest.raises(Refused, match="'many' is not one of") as refused:
        api.trigger("greetings", {"whom": "many"})
    assert refused.value.status == 400
    with pytest.raises(Refused, match="404"):
        api.trigger("nothing_like_it")
    stranger = AirflowApi(sandbox.url)
    with pytest.raises(Refused, match="401"):
        stranger.login(sandbox.username, "wrong")
    with pytest.raises(Refused, match="401"):
        stranger.dags()
    stranger.close()


def test_links_are_those_that_airflow_makes(api: AirflowApi, run: str) -> None:
    """A run's id has colons and a plus: an address that is not quoted leads nowhere."""
    page = api.task_url("greetings", run, "greet", map_index=1)
    assert f"my page is {page}" in api.task_log("greetings", run, "greet", map_index=1)
    assert page.startswith(api.run_url("greetings", run) + "/")
    assert "%2B" in page


def test_a_file_that_does_not_load_is_said_at_once(api: AirflowApi, sandbox: AirflowSandbox) -> None:
    """The folders are copies: a test breaks one and mends it while Airflow runs."""
    broken = sandbox.dags / "broken.py"
    broken.write_text("import no_such_module  # dag airflow\n")
    try:
        with pytest.raises(NotInTime, match="no_such_module"):
            api.wait_for_dags("broken", within=30)
    finally:
        broken.unlink()


def test_no_secret_is_on_a_command_line_or_readable_by_others(sandbox: AirflowSandbox) -> None:
    """Everybody on a machine can read everybody's command lines."""
    everyone = " ".join(
        word for one in psutil.process_iter(["cmdline"]) for word in one.info["cmdline"] or ()
    )
    environment = sandbox.settings.environment({})
    known = [
        sandbox.password,
        *(value for name, value in environment.items() if name.endswith(("_KEY", "_SECRET"))),
    ]
    assert len(known) == 4
    assert not [secret for secret in known if secret in everyone]
    assert stat.S_IMODE(sandbox.settings.passwords_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(sandbox.home.stat().st_mode) == 0o700


def test_mapped_tasks_are_told_apart_by_name() -> None:
    """What the demo prints for a task is what the grid shows."""
    assert TaskInstance("greet", "failed", 1, "world", 1).name == "greet[world]"
    assert TaskInstance("greet", "failed", 1, None, 1).name == "greet[1]"
    assert TaskInstance("names", None, -1, None, 0).name == "names"


def test_stopping_it_ends_every_component_and_what_its_tasks_started(
    sandbox: AirflowSandbox, run: str
) -> None:
    """The last test: a daemon that a task put in a session of its own goes too, and the log stays."""
    daemon = psutil.Process(sandbox.api.xcom("greetings", run, "greet", map_index=0))
    assert daemon.is_running()
    components = [psutil.Process(one.pid) for one in sandbox.components.values()]
    workers = [child for one in components for child in one.children(recursive=True)]
    sandbox.stop()
    assert not [one for one in (daemon, *components, *workers) if one.is_running()]
    assert "hello world" in sandbox.log("scheduler")
