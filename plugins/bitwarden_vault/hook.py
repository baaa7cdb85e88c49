"""`BitwardenHook`: the vault for authors of DAGs, from an Airflow connection or the environment.

Connection of type `bitwarden`: the access token is the password; the extra names `organization_id` and, for
a server of your own, `server_url` or `api_url` and `identity_url`. `next_conn_id` there names a second
connection, whose password is the token that goes on when the first is refused. What is left out comes from
the environment (`BWS_…`, `BITWARDEN_…`), but no token for an address of the connection's; without a
connection of that name everything does.

Rules this file keeps:
- The only importer of Airflow in this package.
- Where a request comes from is claimed from the task's context, for the audit.
- A second connection that is not there, or holds no token, breaks nothing: it is told as a second slot is.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from airflow.exceptions import AirflowNotFoundException  # type: ignore[attr-defined]  # its home is missing in 3.1
from airflow.sdk import BaseHook, get_current_context

from bitwarden_vault.client import VaultClient
from bitwarden_vault.errors import Misconfigured, VaultError
from bitwarden_vault.hook_connection import NEXT_CONN_ID, names_of, read_extra, variables_of
from bitwarden_vault.nouns import Caller
from bitwarden_vault.provider import CONNECTION_TYPE, HIDDEN, LABELS, NAME
from bitwarden_vault.settings import Settings, overlaid, read_settings, renamed
from bitwarden_vault.token_reading import TOKEN
from bitwarden_vault.token_remarks import remarks_on_tokens

if TYPE_CHECKING:
    from airflow.sdk import Connection

NEXT_TOKEN = f"{TOKEN}_NEXT"


class BitwardenHook(BaseHook):
    """Bitwarden Secrets Manager through the agent on this host."""

    conn_name_attr: ClassVar[str] = "bitwarden_conn_id"
    default_conn_name: ClassVar[str] = "bitwarden_default"
    conn_type: ClassVar[str] = CONNECTION_TYPE
    hook_name: ClassVar[str] = NAME

    def __init__(self, bitwarden_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.bitwarden_conn_id = bitwarden_conn_id

    def get_conn(self) -> VaultClient:
        """A client; nothing is asked yet. Raises: NothingConfigured, Misconfigured."""
        return VaultClient(self._settings(), _caller())

    def test_connection(self) -> tuple[bool, str]:
        """Whether the account can list its projects, for the button in Airflow's connection form.

        A second token is proved as well; where it could not take over, the first still works.
        """
        try:
            settings = self._settings()
            projects = VaultClient(settings, _caller()).list_projects()
        except VaultError as error:
            return False, error.message
        names = ", ".join(sorted(project.name for project in projects)) or "none; grant it one"
        said = [f"Connected. Projects of this machine account: {names}"]
        return True, ". ".join([*said, *remarks_on_tokens(settings, _caller())])

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """What the form shows; the token is a password, because extras are shown in the clear."""
        return {
            "hidden_fields": list(HIDDEN),
            "relabeling": LABELS,
            "placeholders": {"extra": '{"organization_id": "…", "server_url": "https://…"}'},
        }

    def _settings(self) -> Settings:
        try:
            connection = self.get_connection(self.bitwarden_conn_id)
        except AirflowNotFoundException:
            return read_settings(os.environ)
        place = _place(self.bitwarden_conn_id)
        extra = read_extra(place, connection.host, connection.extra)
        given = variables_of(place, connection.password, extra)
        next_conn_id = str(extra.get(NEXT_CONN_ID) or "")
        following = self._second(next_conn_id)
        if connection.password and following is not None and following.password:
            given[NEXT_TOKEN] = following.password
        names = {**names_of(place, given), NEXT_TOKEN: _place(next_conn_id)}
        try:
            settings = read_settings(overlaid(os.environ, given))
        except Misconfigured as wrong:
            raise type(wrong)(renamed(wrong.message, names)) from None
        if not connection.password:
            unused = f"{_place(next_conn_id)} is not used: {place} holds no token"
            return replace(settings, next_is_wrong=unused) if next_conn_id else settings
        next_is_wrong = renamed(settings.next_is_wrong, names)
        if next_conn_id and following is None:
            next_is_wrong = f"{_place(next_conn_id)} is not there: make it, of type {CONNECTION_TYPE}"
        second = settings.next_token and replace(settings.next_token, place=_place(next_conn_id))
        first = replace(settings.token, place=place)
        return replace(settings, token=first, next_token=second, next_is_wrong=next_is_wrong)

    def _second(self, conn_id: str) -> Connection | None:
        if not conn_id:
            return None
        try:
            return self.get_connection(conn_id)
        except AirflowNotFoundException:
            return None


def _place(conn_id: str) -> str:
    """How people are told where a token lies."""
    return f"the connection {conn_id!r}"


def _caller() -> Caller:
    """Who asks, where this is a task; parsing and the api-server have no context."""
    try:
        context = get_current_context()
    except RuntimeError:
        return Caller()
    task = context["ti"]
    return Caller(task.dag_id, task.task_id, task.run_id, task.try_number)
