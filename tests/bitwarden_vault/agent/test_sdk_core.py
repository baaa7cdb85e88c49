"""The SDK's core is asked what the wheel's own Python layer would ask it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from bitwarden_sdk import BitwardenClient, client_settings_from_dict  # type: ignore[import-untyped]  # ships no types

from bitwarden_vault.agent.sdk_calls import CALLS
from bitwarden_vault.agent.sdk_core import SdkCore, SdkError

ORGANIZATION, ID, PROJECT = (f"{number}ab3c0fc-045d-41db-8100-f6f2638e42ca" for number in (1, 2, 3))
SECRET = {
    "id": ID,
    "key": "key",
    "value": "value",
    "note": "",
    "organizationId": ORGANIZATION,
    "projectId": None,
    "creationDate": "2026-11-28T01:02:03Z",
    "revisionDate": "2026-11-28T01:02:03.123456789Z",
}
FIELDS = ("key", "value", "note")


class Core:
    """In place of the wheel's module: notes what it is asked, and answers as told."""

    def __init__(self, answer: dict[str, Any] | None = None) -> None:
        self.heard: list[object] = []
        self.answer = answer or {"success": False, "errorMessage": "no"}

    def BitwardenClient(self, settings: str) -> Core:  # noqa: N802 - the core's own name
        self.heard.append(json.loads(settings))
        return self

    def run_command(self, text: str) -> str:
        self.heard.append(json.loads(text))
        return json.dumps(self.answer)


def core_of(module: Core) -> SdkCore:
    return SdkCore(module, api_url="https://vault/api", identity_url="https://vault/identity")


THEIRS: dict[str, Callable[[Any], object]] = {
    "list_secrets": lambda sdk: sdk.secrets().list(ORGANIZATION),
    "get_secret": lambda sdk: sdk.secrets().get(ID),
    "get_secrets": lambda sdk: sdk.secrets().get_by_ids([ID]),
    "create_secret": lambda sdk: sdk.secrets().create(ORGANIZATION, *FIELDS, [PROJECT]),
    "update_secret": lambda sdk: sdk.secrets().update(ORGANIZATION, ID, *FIELDS, [PROJECT]),
    "delete_secrets": lambda sdk: sdk.secrets().delete([ID]),
    "list_projects": lambda sdk: sdk.projects().list(ORGANIZATION),
}
ARGUMENTS = {"id": ID, "ids": [ID], "project_id": PROJECT, **{name: name for name in FIELDS}}


@pytest.mark.parametrize("operation", CALLS)
def test_the_core_hears_what_the_wheels_own_layer_says(operation: str) -> None:
    """Of every operation."""
    ours, theirs = Core(), Core()
    sdk = BitwardenClient()
    sdk.inner = theirs
    with pytest.raises(Exception, match="no"):
        THEIRS[operation](sdk)
    with pytest.raises(SdkError, match="no"):
        CALLS[operation](core_of(ours), ORGANIZATION, ARGUMENTS)
    assert ours.heard[1:] == theirs.heard


def test_settings_and_login_are_the_same_too() -> None:
    """With the state file, which spares workers their logins."""
    ours, theirs = Core(), Core()
    urls = {"apiUrl": "https://vault/api", "identityUrl": "https://vault/identity"}
    settings = client_settings_from_dict({**urls, "userAgent": "airflow-bitwarden-vault"})
    sdk = BitwardenClient()
    sdk.inner = theirs
    with pytest.raises(Exception, match="no"):
        sdk.auth().login_access_token("token", "/state")
    with pytest.raises(SdkError, match="no"):
        core_of(ours).log_in("token", "/state")
    assert ours.heard == [settings.to_dict(), *theirs.heard]


def test_dates_are_read_with_any_number_of_digits() -> None:
    """As every Python reads them."""
    got = CALLS["get_secret"](core_of(Core({"success": True, "data": SECRET})), ORGANIZATION, ARGUMENTS)
    second = datetime(2026, 11, 28, 1, 2, 3, tzinfo=timezone.utc)
    assert datetime.fromisoformat(got["creation_date"]) == second
    assert datetime.fromisoformat(got["revision_date"]) == second.replace(microsecond=123456)


@pytest.mark.parametrize("moment", ["", "2026-11-28", "2026-11-28T01:02:03", "2026-11-28T01:02:03+01:00"])
def test_a_date_that_is_not_utc_is_no_answer(moment: str) -> None:
    """The core writes none: what does is not Bitwarden's."""
    answer = {"success": True, "data": {**SECRET, "revisionDate": moment}}
    with pytest.raises(ValueError, match="date"):
        CALLS["get_secret"](core_of(Core(answer)), ORGANIZATION, ARGUMENTS)
