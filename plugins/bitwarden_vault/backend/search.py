"""Where the secrets backend looks, in which order, and what becomes of an outage.

Rules this file keeps:
- A miss is None, so that Airflow looks in its next place. An outage is an error that ends its search, which
  would say "not defined" of a connection that is, and take a variable's default.
- Another backend's outage is one too; its text is not shown, since it may hold a value.
- What cannot work as configured is said at every lookup.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import Any

from bitwarden_vault.backend.connection_form import connection_text
from bitwarden_vault.backend.next_backend import NextBackend
from bitwarden_vault.backend.options import BackendOptions
from bitwarden_vault.call import ask
from bitwarden_vault.errors import Misconfigured, RefusedToken, VaultError
from bitwarden_vault.freshness import is_fresh_wanted
from bitwarden_vault.operations import LOOK_UP
from bitwarden_vault.settings import Settings, overlaid, read_settings

log = logging.getLogger(__name__)

SETTINGS_LIFE = 5.0
"""Seconds; reading them takes as long as a third of a lookup."""
_SINGULAR = {"connections": "connection", "variables": "variable", "config": "configuration option"}
_CLAIMED = {
    "dag_id": "AIRFLOW_CTX_DAG_ID",
    "task_id": "AIRFLOW_CTX_TASK_ID",
    "run_id": "AIRFLOW_CTX_DAG_RUN_ID",
    "try_number": "AIRFLOW_CTX_TRY_NUMBER",
}
"""Airflow sets these in the process of a task; elsewhere nobody in particular asks."""
_PROCESS = "_AIRFLOW_PROCESS_CONTEXT"
"""`server` where Airflow asks on behalf of tasks elsewhere (its api-server)."""


class Search:
    """One backend's way to look for things."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self._given = given
        self._settings: Settings | None = None
        self._read_again_at = 0.0

    def connection(self, conn_id: str, team_name: str | None) -> str | None:
        """The connection as Airflow's JSON or URI, from Bitwarden; or None."""
        found = self._find("connections", conn_id, team_name)
        if found is None:
            return None
        try:
            return connection_text(found["value"], found["note"])
        except VaultError as wrong:
            raise refusal(f"the secret {found['key']!r} ({found['id']}): {wrong.message}") from None

    def text(self, kind: str, name: str, team_name: str | None) -> str | None:
        """The value as it is, from Bitwarden; or None."""
        found = self._find(kind, name, team_name)
        return None if found is None else str(found["value"])

    def in_order(
        self,
        method: str,
        own: Callable[[], Any],
        name: str,
        team_name: str | None,
        connection_class: type | None = None,
    ) -> Any:  # noqa: ANN401 - as asked
        """What the first place has that has it: Bitwarden (`own`) and the next backend."""
        steps, following = [own], self._next
        if following is not None:
            first = self._options.next_first
            is_first = first is not None and first.match(name) is not None
            other = partial(following.ask, method, name, team_name, connection_class)
            steps.insert(0 if is_first else 1, partial(self._guarded, following.path, name, other))
        return next((found for step in steps if (found := step()) is not None), None)

    @cached_property
    def _options(self) -> BackendOptions:
        try:
            return BackendOptions(self._given)
        except Misconfigured as wrong:
            raise refusal(wrong.message) from None

    @cached_property
    def _next(self) -> NextBackend | None:
        options = self._options
        return NextBackend(options.next_backend, options.next_kwargs) if options.next_backend else None

    def _guarded(self, path: str, name: str, ask_it: Callable[[], Any]) -> Any:  # noqa: ANN401 - as asked
        try:
            return ask_it()
        except Misconfigured as wrong:
            raise refusal(wrong.message) from None
        except Exception as wrong:  # noqa: BLE001 - any backend may raise anything
            self._outage(f"{path} raised {type(wrong).__name__} when asked for {name!r}")
            return None

    def _find(self, kind: str, name: str, team_name: str | None) -> dict[str, Any] | None:
        options = self._options
        prefix, pattern = options.prefixes[kind], options.patterns[kind]
        if prefix is None or (pattern is not None and not pattern.match(name)):
            return None
        if options.team_sep in name and _has_teams():
            log.warning("The %s %r is not looked up: its name spells out a team's own", _SINGULAR[kind], name)
            return None
        start = f"{prefix}{options.sep}" if prefix else ""
        who = _claimed(kind, name, team_name)
        starts = [f"{start}{team_name}{options.team_sep}", start] if team_name else [start]
        try:
            return next(
                (found for one in starts if (found := self._look_up(one, name, who)) is not None), None
            )
        except Misconfigured as wrong:
            raise refusal(wrong.message) from None
        except VaultError as wrong:
            self._outage(f"Bitwarden, asked for the {_SINGULAR[kind]} {name!r}: {wrong.message}")
            return None

    def _look_up(self, start: str, name: str, who: Mapping[str, Any]) -> dict[str, Any] | None:
        arguments = {
            "key": start + name,
            "start": start,
            "projects": self._options.projects,
            "fresh": is_fresh_wanted(),
        }
        request = {"operation": LOOK_UP, "arguments": arguments, "caller": who}
        try:
            found: dict[str, Any] | None = ask(self._current_settings(), request)
        except RefusedToken:
            self._settings = None  # perhaps its file holds another one by now
            raise
        return found

    def _current_settings(self) -> Settings:
        """As the environment and the token's file have them, or had them some seconds ago."""
        now = time.monotonic()
        if self._settings is None or now >= self._read_again_at:
            self._settings = read_settings(overlaid(os.environ, self._options.settings))
            self._read_again_at = now + SETTINGS_LIFE
        return self._settings

    def _outage(self, message: str) -> None:
        if not self._options.falls_through:
            raise refusal(message) from None
        log.warning("%s; Airflow looks elsewhere, as on_outage says", message)


def _claimed(kind: str, name: str, team_name: str | None) -> dict[str, Any]:
    """Who asks, and whether the value stays with it: whoever proves one or passes it on does not keep it."""
    who: dict[str, Any] = {
        name: os.environ[variable] for name, variable in _CLAIMED.items() if variable in os.environ
    }
    if team_name:
        who["team"] = team_name
    if is_fresh_wanted():
        who["keeps_nothing"] = True
    elif os.environ.get(_PROCESS) == "server" and not (kind == "connections" and _is_for_logs(name)):
        who["hands_on"] = True
    return who


def _is_for_logs(conn_id: str) -> bool:
    """Whether servers keep it: the one with which task logs are read and written stays in its hook."""
    from airflow.configuration import conf  # noqa: PLC0415 - a server has it anyway

    return bool(conf.get("logging", "remote_log_conn_id", fallback="") == conn_id)


def _has_teams() -> bool:
    from airflow.configuration import conf  # noqa: PLC0415 - only for names that could be a team's

    return bool(conf.getboolean("core", "multi_team", fallback=False))


def refusal(message: str) -> Exception:
    """The one error that Airflow does not swallow; before 3.2 there is none, so that it is logged as well."""
    try:
        from airflow.sdk.exceptions import AirflowSecretsBackendAccessDenied  # noqa: PLC0415 - only for this
    except ImportError:
        log.error(message)  # noqa: TRY400 - the cause is in the text
        return VaultError(message)
    return AirflowSecretsBackendAccessDenied(message)
