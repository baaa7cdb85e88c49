"""Outcomes as another release would write them: every step has another name and says it in other words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bitwarden_vault.state_folder import StateFolder

OTHER_WORDS = {"step": "version 77 refused", "detail": "version 88, as nobody, logs in at nowhere"}
"""What a reader of prose would take for facts of its own."""


def reworded(outcome: Mapping[str, Any]) -> dict[str, Any]:
    """The same outcome; only the facts of its steps are left."""
    return {**outcome, "steps": [{**step, **OTHER_WORDS} for step in outcome["steps"]]}


def reword_all(folder: StateFolder, credential: str) -> None:
    """Write each outcome that the state folder keeps of it anew."""
    for name in folder.names(f"history/{credential}"):
        outcome = folder.read(name)
        assert outcome is not None
        folder.write(name, reworded(outcome))
