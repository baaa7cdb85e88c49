"""docker-compose.yaml holds to the Compose schema, and hands each secret, as a file, to whom it concerns."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

from sandbox.places import ROOT

FILE = ROOT / "docker-compose.yaml"
OLDEST = 2
TOKENS = {"bws_access_token", "slack_bot_token"}
_IN_A_FILE = re.compile(r"/run/secrets/([a-z_]+)")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(FILE.read_text())
    return loaded


def _of_airflow(compose: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: one for name, one in compose["services"].items() if name not in {"postgres", "redis"}}


def test_it_holds_to_the_compose_schema() -> None:
    """Offline: the checker carries the specification's schema."""
    words = ["-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(FILE)]
    ran = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


def test_docker_compose_takes_it() -> None:
    """Every profile at once: a service in one is not looked at otherwise."""
    command = _docker_compose()
    if command is None:
        pytest.skip(f"not run: there is no docker-compose from version {OLDEST} on; the schema was checked")
    ran = subprocess.run(
        [*command, "--file", str(FILE), "--profile", "*", "config", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def _docker_compose() -> list[str] | None:
    for command in (["docker", "compose"], ["docker-compose"]):
        if shutil.which(command[0]) is None:
            continue
        words = [*command, "version", "--short"]
        ran = subprocess.run(words, capture_output=True, text=True, check=False)
        found = re.match(r"v?([0-9]+)\.", ran.stdout)
        if ran.returncode == 0 and found and int(found[1]) >= OLDEST:
            return command
    return None


def test_whom_a_service_waits_for_is_there(compose: dict[str, Any]) -> None:
    """And is healthy by a check of its own, or ends."""
    for name, service in compose["services"].items():
        for other, how in service.get("depends_on", {}).items():
            awaited = compose["services"][other]
            if how["condition"] == "service_healthy":
                assert "healthcheck" in awaited, f"{name} waits for {other}"
            else:
                assert awaited["restart"] == "no", f"{name} waits for {other}"


def test_what_stays_up_is_watched_and_reaps(compose: dict[str, Any]) -> None:
    """Each container has a health check, and Airflow's an init."""
    for name, service in compose["services"].items():
        assert service["restart"] == "no" or "healthcheck" in service, name
    assert {one["init"] for one in _of_airflow(compose).values()} == {True}


def test_every_secret_is_a_file_that_its_reader_is_given(compose: dict[str, Any]) -> None:
    """No password in an environment or argument; nothing is read that is not mounted, nor mounted in vain."""
    assert all(one["file"] == f"./secrets/{name}" for name, one in compose["secrets"].items())
    assert "secrets/" in (ROOT / ".gitignore").read_text().split()
    for name, service in compose["services"].items():
        texts = [*service.get("environment", {}).values(), service.get("command", "")]
        read = set(_IN_A_FILE.findall(str([*texts, service.get("healthcheck", "")])))
        assert read == set(service["secrets"]), name
        for variable, text in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|TOKEN|WEBHOOK|FERNET|CONN_|BACKEND|BROKER", variable):
                assert variable.endswith(("_CMD", "_FILE", "_EXPIRES")), f"{name} {variable} {text}"


def test_only_the_worker_gets_the_tokens(compose: dict[str, Any]) -> None:
    """Tasks run nowhere else; the demo has tokens of its own, for its stand-ins."""
    assert {name for name, one in compose["services"].items() if TOKENS & set(one["secrets"])} == {"worker"}
    mounts = {name for name, one in compose["services"].items() if "./secrets" in str(one.get("volumes"))}
    assert mounts == {"worker"}
    assert "./secrets/worker:/run/worker:ro" in compose["services"]["worker"]["volumes"]


def test_what_is_said_to_go_into_the_env_file_arrives(compose: dict[str, Any]) -> None:
    """One that is not set stays unset: an empty SSL_CERT_FILE would be no authority at all."""
    step = (ROOT / "docs" / "install" / "compose.md").read_text().split("\n2. ")[1].split("\n3. ")[0]
    named = set(re.findall(r"`((?:BWS|ROTATION|SLACK|SSL|HTTPS|NO)_[A-Z_]+)", step))
    given = compose["services"]["worker"]["environment"]
    assert {"SSL_CERT_FILE", "ROTATION_HEARTBEAT_URL", "SLACK_WEBHOOK_URL_FILE"} < named
    assert named < set(given)
    assert all(given[name] is None or f"{{{name}" in given[name] for name in named)
    assert given["SSL_CERT_FILE"] is None


def test_whoever_adds_a_folder_keeps_the_others(compose: dict[str, Any]) -> None:
    """A list is replaced, not merged."""
    of_all = compose["services"]["scheduler"]["volumes"]
    assert compose["services"]["worker"]["volumes"][: len(of_all)] == of_all


def test_only_this_machine_reaches_the_page_unless_said_otherwise(compose: dict[str, Any]) -> None:
    """And nothing but the page is published."""
    published = {name: one["ports"] for name, one in compose["services"].items() if "ports" in one}
    assert published == {"api-server": ["${AIRFLOW_BIND:-127.0.0.1}:8080:8080"]}


@pytest.mark.airflow
def test_airflow_reads_its_secrets_from_these_files(compose: dict[str, Any], tmp_path: Path) -> None:
    """The commands are run as Airflow runs them, by Airflow; a line end in the file does no harm."""
    given = {name: text.replace("$$", "$") for name, text in _commands(compose, tmp_path).items()}
    options = [("core", "fernet_key"), ("api_auth", "jwt_secret"), ("database", "sql_alchemy_conn")]
    script = f"from airflow.configuration import conf\nfor one in {options}: print('>', conf.get(*one))"
    environment = {"PATH": os.environ["PATH"], "AIRFLOW_HOME": str(tmp_path)} | given
    ran = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert re.findall(r"^> (.*)$", ran.stdout, re.MULTILINE) == [
        "a-fernet_key",
        "a-jwt_secret",
        "postgresql+psycopg2://airflow:a-db_password@postgres/airflow",
    ], ran.stderr
    for name, wanted in (  # by hand: Airflow knows these options only where the Celery provider is installed
        ("BROKER_URL", "redis://:a-redis_password@redis:6379/0"),
        ("RESULT_BACKEND", "db+postgresql+psycopg2://airflow:a-db_password@postgres/airflow"),
    ):
        words = shlex.split(given[f"AIRFLOW__CELERY__{name}_CMD"])
        assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == wanted


def _commands(compose: dict[str, Any], folder: Path) -> dict[str, str]:
    for name in compose["secrets"]:
        (folder / name).write_text(f"a-{name}\n")
    of_scheduler = compose["services"]["scheduler"]["environment"]
    return {
        name: text.replace("/run/secrets", str(folder))
        for name, text in of_scheduler.items()
        if name.endswith("_CMD")
    }


@pytest.fixture
def short_path() -> Iterator[Path]:
    """Short enough for a unix socket in it."""
    with tempfile.TemporaryDirectory(prefix="beside-") as folder:
        Path(folder).chmod(0o711)  # PostgreSQL, started by root, runs as nobody
        yield Path(folder)


def test_a_command_runs_beside_the_stand_ins(short_path: Path) -> None:
    """The demo's container: a rotation is done as by a worker there, its exit status kept, no agent left."""
    environment = os.environ | {
        "SANDBOX_DIRECTORY": str(short_path / "sandbox"),
        "TMPDIR": str(short_path),
        "PYTHONPATH": os.pathsep.join(str(ROOT / name) for name in ("plugins", "tests")),
        "BWS_ACCESS_TOKEN_FILE": "/nowhere",  # what is set for a real one is not in its way
        "SLACK_BOT_TOKEN_FILE": "/nowhere",
    }
    beside = [sys.executable, "-m", "sandbox.beside", sys.executable, "-m", "credential_rotation"]
    ran = {
        words: subprocess.run(
            [*beside, *words], env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        for words in (("rotate", "warehouse-etl"), ("rotate", "no-such-name"))
    }
    assert [one.returncode for one in ran.values()] == [0, 2]
    assert "warehouse-etl: rotated" in ran["rotate", "warehouse-etl"].stderr
    assert [one.pid for one in psutil.process_iter() if str(short_path) in _seen(one)] == []


def _seen(process: psutil.Process) -> str:
    try:
        return str([process.environ(), process.cmdline()])
    except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
        return ""
