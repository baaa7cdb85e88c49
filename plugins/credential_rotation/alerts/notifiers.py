"""Gives each alert to Airflow notifiers as well, so that mail, pager or chat can be added without our code.

Rules this file keeps:
- One that fails, or cannot be imported, is logged; it stops neither a run nor the others.
- Each alert goes to a copy: a notifier renders its templates in place, and would tell the first alert
  for ever.
- An exception's text is not logged: a notifier's own settings may hold a secret.
"""

from __future__ import annotations

import copy
import html
import logging
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from credential_rotation.alerts.message import Message

log = logging.getLogger(__name__)

NOTIFIERS = "ROTATION_NOTIFIERS"
"""Import paths, separated by commas: of a notifier, or of what makes one when called without arguments."""


def notifier_paths(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Who is to be told beside Slack."""
    return tuple(path for one in environ.get(NOTIFIERS, "").split(",") if (path := one.strip()))


def notify_all(
    paths: Sequence[str],
    kind: str,
    message: Message,
    about: Mapping[str, object],
    context: Mapping[str, Any] | None = None,
) -> None:
    """Give the alert to each of them, as `alert` in the context (the task's own, where there is one)."""
    text = html.unescape(message.text)
    alert = {"kind": kind, "headline": text.partition("\n")[0], "text": text, **about}
    for path in paths:
        try:
            _fresh(path)({**(context or {}), "alert": alert})
        except Exception as wrong:  # noqa: BLE001 - an alert must never stop a rotation
            log.error("%s %s was not told: %s", NOTIFIERS, path, type(wrong).__name__)  # noqa: TRY400 - its text may hold a secret


def _fresh(path: str) -> Any:  # noqa: ANN401 - whatever it names
    """A notifier that nobody has rendered yet."""
    module, _, name = path.replace(":", ".").rpartition(".")
    found = getattr(import_module(module), name)
    if isinstance(found, type) or not hasattr(found, "notify"):
        return found()
    return copy.copy(found)
