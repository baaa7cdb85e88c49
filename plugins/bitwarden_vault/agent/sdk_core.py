"""The SDK's Rust core, asked in its own JSON: the wheel's Python layer around it only takes time.

Rules this file keeps:
- `bitwarden_sdk` is not imported: its schemas take a worker 50 ms, and 70 µs for each secret. The first
  lookup on a host and each long list would wait for them (docs/adr/0012).
- Names of commands and fields are those that the same wheel's Python layer sends; its version is pinned.
- A failure is raised as that layer does it, as its bare text: `sdk_errors` says what it means.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from types import ModuleType

from bitwarden_vault.untyped import Any

_LOGGING = "logging"


class SdkError(Exception):
    """What the core said instead of an answer."""


class _NoLogging(ModuleType):
    """In place of `logging`, which a worker would import for 10 ms to have the core's lines thrown away."""

    def getLogger(self, _name: str) -> _NoLogging:  # noqa: N802 - as `logging` has it
        """One that is not listened to."""
        return self

    def isEnabledFor(self, _level: int) -> bool:  # noqa: N802 - as `logging` has it
        """It never is."""
        return False


class SdkCore:
    """One client of the core. A panic of its Rust code is raised as a BaseException."""

    def __init__(self, module: Any, *, api_url: str, identity_url: str) -> None:
        settings = {"apiUrl": api_url, "identityUrl": identity_url, "userAgent": "airflow-bitwarden-vault"}
        has_logging = _LOGGING in sys.modules
        sys.modules.setdefault(_LOGGING, _NoLogging(_LOGGING))
        try:
            self._client = module.BitwardenClient(json.dumps(settings))  # the first one keeps what it finds
        finally:
            if not has_logging:
                del sys.modules[_LOGGING]

    def log_in(self, token: str, state_file: str) -> None:
        """With a state that is found there this makes no request. Raises: SdkError."""
        self._ask({"loginAccessToken": {"accessToken": token, "stateFile": state_file}})

    def secrets(self, command: str, **fields: object) -> Any:
        """What one command about secrets answers. Raises: SdkError."""
        return self._ask({"secrets": {command: fields}})

    def projects(self, command: str, **fields: object) -> Any:
        """What one command about projects answers. Raises: SdkError."""
        return self._ask({"projects": {command: fields}})

    def _ask(self, command: Mapping[str, object]) -> Any:
        answer = json.loads(self._client.run_command(json.dumps(command)))
        if not answer["success"]:
            raise SdkError(answer["errorMessage"])
        return answer["data"]
