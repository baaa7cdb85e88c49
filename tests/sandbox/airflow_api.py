"""Airflow's REST API as a person at the page uses it; what the server refuses is raised in its own words."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

_PAGE = 100
_SERVER_ERROR = 500
_TRIES = 5
_OVER = ("success", "failed")
_TASK = ("dag_id", "run_id", "task_id", "map_index", "try_number", "ti_id")
_NOT_REPEATED = (*_TASK, "timestamp", "event", "level", "logger", "filename", "lineno", "error_detail")


class Refused(Exception):
    """The server said no: `status`, and its text."""

    def __init__(self, what: str, status: int, detail: str) -> None:
        super().__init__(f"{what}: {status} {detail}")
        self.status, self.detail = status, detail


class NotInTime(Exception):
    """What was waited for did not happen; the text says how things stand instead."""


@dataclass(frozen=True, slots=True)
class TaskInstance:
    """One task of a run; `map_index` is -1 where nothing is mapped, `label` its name in the grid."""

    task: str
    state: str | None
    map_index: int
    label: str | None
    tries: int
    pool: str = "default_pool"

    @property
    def name(self) -> str:
        return self.task if self.map_index < 0 else f"{self.task}[{self.label or self.map_index}]"


class AirflowApi:
    """One logged-in person."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._client = httpx.Client(base_url=self.url, timeout=30, trust_env=False)

    def login(self, username: str, password: str) -> None:
        said = self._ask("POST", "/auth/token", json={"username": username, "password": password})
        self._client.headers["Authorization"] = f"Bearer {said['access_token']}"

    def close(self) -> None:
        self._client.close()

    def import_errors(self) -> dict[str, str]:
        """File → trace, for every DAG file that does not load."""
        return {row["filename"]: row["stack_trace"] for row in self._all("/importErrors", "import_errors")}

    def dags(self) -> dict[str, dict[str, Any]]:
        """Every DAG by its id, as the server describes it."""
        return {row["dag_id"]: row for row in self._all("/dags", "dags")}

    def dag_details(self, dag: str) -> dict[str, Any]:
        """One DAG with all that its page shows."""
        return self._ask("GET", f"/api/v2/dags/{_in_path(dag)}/details")

    def dag_versions(self, dag: str) -> list[dict[str, Any]]:
        """Every version that Airflow has kept of a DAG."""
        return list(self._all(f"/dags/{_in_path(dag)}/dagVersions", "dag_versions"))

    def wait_for_dags(self, *dags: str, within: float = 60) -> None:
        """Until the dag-processor has seen them; a file that does not load is said at once."""
        until = time.monotonic() + within
        while missing := set(dags) - set(self.dags()):
            if errors := self.import_errors():
                raise NotInTime("\n".join(f"{name}: {trace}" for name, trace in errors.items()))
            if time.monotonic() > until:
                raise NotInTime(f"after {within:.0f} s there is still no DAG {', '.join(sorted(missing))}")
            time.sleep(0.3)

    def unpause(self, dag: str, *, paused: bool = False) -> None:
        self._ask("PATCH", f"/api/v2/dags/{_in_path(dag)}", json={"is_paused": paused})

    def add_connection(self, name: str, **fields: str) -> None:
        """To the metadata database."""
        self._ask("POST", "/api/v2/connections", json={"connection_id": name, **fields})

    def add_pool(self, name: str, slots: int) -> None:
        """As by the page's button."""
        self._ask("POST", "/api/v2/pools", json={"name": name, "slots": slots})

    def task_ids(self, dag: str) -> set[str]:
        """Of a DAG as it was read last."""
        return {row["task_id"] for row in self._ask("GET", f"/api/v2/dags/{_in_path(dag)}/tasks")["tasks"]}

    def trigger(self, dag: str, conf: Mapping[str, Any] | None = None, *, note: str | None = None) -> str:
        """Start a run by hand; its id."""
        wish = {"logical_date": None, "conf": dict(conf or {}), "note": note}
        return str(self._ask("POST", f"/api/v2/dags/{_in_path(dag)}/dagRuns", json=wish)["dag_run_id"])

    def clear(self, dag: str, run: str) -> None:
        """Have every task of a run done again, as by the page's button."""
        self._ask("POST", f"{_run_path(dag, run)}/clear", json={"dry_run": False, "only_failed": False})

    def fail(self, dag: str, run: str, task: str, *, map_index: int = -1) -> None:
        """End a task where it stands, as a scheduler does that hears nothing of it."""
        path = f"{_run_path(dag, run)}/taskInstances/{_in_path(task)}/{map_index}"
        self._ask("PATCH", path, json={"new_state": "failed"})

    def runs(self, dag: str) -> list[dict[str, Any]]:
        """All runs of a DAG, scheduled ones too, as the server describes them."""
        return list(self._all(f"/dags/{_in_path(dag)}/dagRuns", "dag_runs"))

    def asset_events(self, name: str) -> list[dict[str, Any]]:
        """What happened to an asset, oldest first."""
        return [one for one in self._all("/assets/events", "asset_events") if one["name"] == name]

    def state(self, dag: str, run: str) -> str:
        return str(self._ask("GET", _run_path(dag, run))["state"])

    def wait(self, dag: str, run: str, *, within: float = 120) -> str:
        """The state in which the run ended: success or failed."""
        until = time.monotonic() + within
        while (state := self.state(dag, run)) not in _OVER:
            if time.monotonic() > until:
                stand = ", ".join(f"{one.name} {one.state}" for one in self.task_instances(dag, run))
                raise NotInTime(f"{dag} {run} is {state} after {within:.0f} s: {stand}")
            time.sleep(0.3)
        return state

    def task_instances(self, dag: str, run: str) -> list[TaskInstance]:
        """All of them, mapped ones one by one."""
        rows = self._all(_run_path(dag, run).removeprefix("/api/v2") + "/taskInstances", "task_instances")
        return [
            TaskInstance(
                row["task_id"],
                row["state"],
                row["map_index"],
                row["rendered_map_index"],
                row["try_number"],
                row["pool"],
            )
            for row in rows
        ]

    def task_log(self, dag: str, run: str, task: str, *, map_index: int = -1, attempt: int = 1) -> str:
        """A try's log as the page shows it, one event a line, exceptions without their frames."""
        path = f"{_run_path(dag, run)}/taskInstances/{_in_path(task)}/logs/{attempt}"
        said = self._ask("GET", path, params={"map_index": map_index, "full_content": True})
        return "\n".join(_line(event) for event in said["content"])

    def xcom(self, dag: str, run: str, task: str, *, key: str = "return_value", map_index: int = -1) -> Any:  # noqa: ANN401 - whatever the task returned
        """What a task handed on."""
        path = f"{_run_path(dag, run)}/taskInstances/{_in_path(task)}/xcomEntries/{_in_path(key)}"
        return self._ask("GET", path, params={"map_index": map_index})["value"]

    def answer(self, dag: str, run: str, task: str, choice: str, *, map_index: int = -1) -> None:
        """Answer what a task asks of people."""
        path = f"{_run_path(dag, run)}/taskInstances/{_in_path(task)}/{map_index}/hitlDetails"
        self._ask("PATCH", path, json={"chosen_options": [choice], "params_input": {}})

    def question(self, dag: str, run: str, task: str, *, map_index: int = -1) -> dict[str, Any]:
        """What a task asks of people."""
        path = f"{_run_path(dag, run)}/taskInstances/{_in_path(task)}/{map_index}/hitlDetails"
        return self._ask("GET", path)

    def run_url(self, dag: str, run: str) -> str:
        """The page of a run."""
        return f"{self.url}/dags/{_in_path(dag)}/runs/{_in_path(run)}"

    def task_url(self, dag: str, run: str, task: str, *, map_index: int = -1) -> str:
        """The page of a task, log first."""
        mapped = "" if map_index < 0 else f"/mapped/{map_index}"
        return f"{self.run_url(dag, run)}/tasks/{_in_path(task)}{mapped}"

    def _all(self, path: str, name: str) -> Iterator[dict[str, Any]]:
        offset = 0
        while True:
            said = self._ask("GET", f"/api/v2{path}", params={"limit": _PAGE, "offset": offset})
            yield from said[name]
            offset += len(said[name])
            if not said[name] or offset >= said["total_entries"]:
                return

    def _ask(self, method: str, path: str, **how: Any) -> dict[str, Any]:  # noqa: ANN401 - httpx's own
        answer = self._client.request(method, path, headers={"Accept": "application/json"}, **how)
        for _ in range(
            _TRIES
        ):  # SQLite has one writer: Airflow answers 500 when it waited too long for its turn
            if answer.status_code != _SERVER_ERROR:
                break
            time.sleep(1)
            answer = self._client.request(method, path, headers={"Accept": "application/json"}, **how)
        if not answer.is_success:
            raise Refused(f"{method} {path}", answer.status_code, _detail(answer))
        said: dict[str, Any] = answer.json()
        return said


def _in_path(text: str) -> str:
    return quote(text, safe="")


def _run_path(dag: str, run: str) -> str:
    return f"/api/v2/dags/{_in_path(dag)}/dagRuns/{_in_path(run)}"


def _detail(answer: httpx.Response) -> str:
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return answer.text
    if isinstance(detail, list):
        return "; ".join(f"{'.'.join(map(str, one.get('loc', ())))}: {one.get('msg')}" for one in detail)
    return str(detail)


def _line(event: Any) -> str:  # noqa: ANN401 - a text, or structlog's dictionary
    if not isinstance(event, dict):
        return str(event)
    more = " ".join(f"{key}={value}" for key, value in event.items() if key not in _NOT_REPEATED and value)
    line = f"{event.get('timestamp') or ''} {event.get('level') or ''} {event.get('event')} {more}".strip()
    raised = [f"\n    {one['exc_type']}: {one['exc_value']}" for one in event.get("error_detail") or ()]
    return line + "".join(raised)
