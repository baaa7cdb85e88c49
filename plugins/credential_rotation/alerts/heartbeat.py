"""Tells an outside service that the watchdog ran to its end: when all else is down, silence tells.

Any service that notices a missing call will do (healthchecks.io, a dead man's switch of your monitoring).
"""

from __future__ import annotations

import urllib.error
import urllib.request
from http.client import HTTPException
from urllib.parse import urlsplit

from credential_rotation.errors import BadInput

HEARTBEAT = "ROTATION_HEARTBEAT_URL"
_SECONDS = 10


def beat(url: str) -> str:
    """Call the address; why it did not work, or "". Raises: BadInput (no web address)."""
    insist_on_web_address(url)
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310 - checked above
            return "" if answer.status < 400 else f"it answers {answer.status}"  # noqa: PLR2004 - HTTP's own
    except urllib.error.HTTPError as error:
        return f"it answers {error.code}"
    except (OSError, ValueError, HTTPException) as error:
        return f"it cannot be reached ({type(error).__name__})"


def insist_on_web_address(url: str) -> None:
    """Raises: BadInput (nobody could be called there)."""
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        is_one = False
    if not is_one:
        raise BadInput(
            f"{HEARTBEAT} is not a web address", next_step="Give an https:// address, or unset it."
        )
