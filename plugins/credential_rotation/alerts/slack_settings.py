"""Where Slack is and how to post there: read once from the environment, all mistakes in one error.

Rules this file keeps:
- A mistake names the variable and the remedy, never a value; the webhook's address is a secret.
- Nothing set at all is no mistake: then nobody is told.
- A token goes over TLS, or to this very machine.
- A token that lies in Bitwarden has what is set here to fall back on: an alert may be about Bitwarden.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from credential_rotation.errors import BadInput

TOKEN = "SLACK_BOT_TOKEN"  # noqa: S105 - the name of a variable
SECRET = "SLACK_BOT_TOKEN_SECRET"  # noqa: S105 - the name of a variable
CHANNEL = "SLACK_CHANNEL"
WEBHOOK = "SLACK_WEBHOOK_URL"
API = "ROTATION_SLACK_API_URL"
SLACK_API = "https://slack.com/api/"
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """Either a bot's token and a channel, or a webhook's address; or where in Bitwarden the token lies."""

    token: str | None = field(default=None, repr=False)
    channel: str = ""
    webhook_url: str | None = field(default=None, repr=False)
    api_url: str = SLACK_API
    token_key: str | None = None
    """The key of the secret that holds the token; with it, the others are what to fall back on."""


def read_slack_settings(environ: Mapping[str, str]) -> SlackSettings | None:
    """The settings in this environment; None where nothing is set. Raises: BadInput, all mistakes at once."""
    present = {name: text.strip() for name, text in environ.items() if text.strip()}
    mistakes: list[str] = []
    token, webhook = _secret(present, TOKEN, mistakes), _secret(present, WEBHOOK, mistakes)
    channel, api = present.get(CHANNEL, ""), present.get(API, SLACK_API)
    secret = present.get(SECRET)
    if token and webhook:
        mistakes.append(f"{TOKEN} and {WEBHOOK} are both set: keep one of them")
    if (token or secret) and not channel:
        mistakes.append(f"{CHANNEL} is missing: set it to the channel's id or name")
    if channel and not token and not webhook and not secret and not mistakes:
        mistakes.append(
            f"{CHANNEL} is set and {TOKEN} is not: set it, or {TOKEN}_FILE to a file that holds it"
        )
    for name, url in ((WEBHOOK, webhook), (API, api)):
        if url is not None and not _may_carry_a_secret(url):
            mistakes.append(f"{name} is not an https:// address")
    if mistakes:
        raise BadInput(
            "Slack settings cannot work: " + "; ".join(mistakes),
            next_step="Mend these environment variables, then run `python -m credential_rotation check`.",
        )
    if not token and not webhook and not secret:
        return None
    return SlackSettings(token, channel, webhook, f"{api.rstrip('/')}/", secret)


def _secret(present: Mapping[str, str], name: str, mistakes: list[str]) -> str | None:
    """What the variable holds, or the file that its `_FILE` twin names."""
    direct, path = present.get(name), present.get(f"{name}_FILE")
    if direct is not None and path is not None:
        mistakes.append(f"{name} and {name}_FILE are both set: keep one of them")
        return None
    text, source = (direct, name) if path is None else (_content(path), f"{name}_FILE")
    if path is not None and not text:
        mistakes.append(f"{source}: the file is empty or cannot be read")
        return None
    if text is not None and not (text.isascii() and text.isprintable() and " " not in text):
        mistakes.append(f"{source} holds blanks, line breaks or characters that are not ASCII")
        return None
    return text


def _content(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def _may_carry_a_secret(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname
        return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and host in _THIS_MACHINE))
    except ValueError:
        return False
