"""The way to the people that an environment describes: Slack, open incidents, and notifiers.

Rules this file keeps:
- Making it asks nobody; with nothing set it says so when there is something to tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from bitwarden_vault.state_folder import state_folder
from credential_rotation.alerts.channels import Channels
from credential_rotation.alerts.incident_book import IncidentBook
from credential_rotation.alerts.message import Message
from credential_rotation.alerts.notifiers import notifier_paths, notify_all
from credential_rotation.alerts.slack import NoToken, SlackSender
from credential_rotation.alerts.telling import Teller

DEPLOYMENT = "ROTATION_DEPLOYMENT"


def teller_of(
    environ: Mapping[str, str], *, context: Mapping[str, Any] | None = None, now: datetime | None = None
) -> Teller:
    """A new one for each run: its patience with Slack is spent for good."""

    def find_token(key: str) -> str | NoToken:
        from credential_rotation.alerts.slack_token import token_from_vault  # noqa: PLC0415 - only where used

        return token_from_vault(environ, key)

    def notify(kind: str, message: Message, about: Mapping[str, object]) -> None:
        notify_all(paths, kind, message, about, context)

    paths = notifier_paths(environ)
    sender = SlackSender.from_environment(environ, find_token=find_token)
    book = IncidentBook(state_folder(environ))
    moment = now or datetime.now(timezone.utc)
    return Teller(Channels(sender, book, moment, notify if paths else None), book, moment)
