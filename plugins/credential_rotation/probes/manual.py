"""Somebody who takes values by hand: nobody but a person knows, and a person's word is kept by version."""

from __future__ import annotations

from credential_rotation.by_hand import how_to_confirm
from credential_rotation.model import Answer, Probe, Strategy
from credential_rotation.probes.question import Question


def ask_person(question: Question) -> Probe:
    """Whether a person has said that it has this version; no probe answers in their place."""
    if question.confirmed:
        return question.works(question.confirmed)
    owner = f" ({question.consumer.owner})" if question.consumer.owner else ""
    why = f"waits for a person{owner}, who takes the new value by hand"
    if question.credential.strategy is Strategy.IN_PLACE:
        why += "; until then it may be refused: in place the old value is dead"
    if question.unread:
        why += f" (what was confirmed cannot be read: {question.unread})"
    next_step = ""
    if question.version is not None:
        next_step = how_to_confirm(question.credential.name, question.consumer, question.version)
    return Probe(Answer.UNKNOWN, question.where, why, next_step, awaits_person=True)
