"""Somebody who takes values by hand: nobody but a person knows."""

from __future__ import annotations

from credential_rotation.model import Probe
from credential_rotation.probes.question import Question


def ask_person(question: Question) -> Probe:
    """Waits for a person, always: no probe answers in their place."""
    owner = f" ({question.consumer.owner})" if question.consumer.owner else ""
    return question.unknown(f"waits for a person{owner}, who takes the new value by hand")
