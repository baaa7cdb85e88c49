"""The real SDK, pointed at a stand-in.

`SSL_CERT_FILE` is read when a client is built, and only then. The SDK raises bare `Exception` with a text.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bitwarden_sdk import BitwardenClient, client_settings_from_dict  # type: ignore[import-untyped]  # ships no types

from sandbox.bitwarden.stand_in import BitwardenStandIn


def build_client(bitwarden: BitwardenStandIn) -> Any:  # noqa: ANN401  # the SDK has no types
    """A client that is not logged in yet."""
    before = os.environ.get("SSL_CERT_FILE")
    os.environ["SSL_CERT_FILE"] = str(bitwarden.ca_file)
    try:
        settings = {"apiUrl": bitwarden.api_url, "identityUrl": bitwarden.identity_url}
        return BitwardenClient(client_settings_from_dict(settings))
    finally:
        if before is None:
            del os.environ["SSL_CERT_FILE"]
        else:
            os.environ["SSL_CERT_FILE"] = before


def log_in(bitwarden: BitwardenStandIn, token: str, state_file: Path | None = None) -> Any:  # noqa: ANN401 - the SDK has no types
    """A client that is logged in."""
    client = build_client(bitwarden)
    client.auth().login_access_token(token, str(state_file) if state_file else None)
    return client


def failure_of(call: Callable[..., object], *arguments: object) -> str:
    """The text of the exception that the SDK raises."""
    try:
        call(*arguments)
    except Exception as error:  # noqa: BLE001  # the SDK raises nothing more precise
        return str(error)
    raise AssertionError("the SDK call succeeded")


NOT_FOUND = 'Received error message from server: [404 Not Found] {"message":"Resource not found.",'


@dataclass(frozen=True, slots=True)
class Workplace:
    """A machine account logged in with the SDK, and the project it works in."""

    bitwarden: BitwardenStandIn
    account: str
    token: str
    project_name: str
    project: str
    client: Any

    @property
    def secrets(self) -> Any:  # noqa: ANN401  # the SDK has no types
        """The SDK's secrets client."""
        return self.client.secrets()

    @property
    def projects(self) -> Any:  # noqa: ANN401  # the SDK has no types
        """The SDK's projects client."""
        return self.client.projects()

    def create(self, key: str = "key", value: str = "value", note: str | None = "note") -> str:
        """A secret in the project, created through the SDK; its id."""
        made = self.secrets.create(self.bitwarden.organization_id, key, value, note, [self.project])
        return str(made.data.id)

    def update(self, secret_id: str, value: str, project: str | None = None) -> None:
        """Replace a secret through the SDK."""
        projects = [project or self.project]
        self.secrets.update(self.bitwarden.organization_id, secret_id, "key", value, "note", projects)

    def value(self, secret_id: str) -> str:
        """What the SDK reads."""
        return str(self.secrets.get(secret_id).data.value)

    def stored(self) -> list[str]:
        """The values outside the trash that the vault itself holds for the project."""
        return [secret.value for secret in self.bitwarden.secrets(self.project) if not secret.deleted]
