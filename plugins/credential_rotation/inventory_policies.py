"""Named policies, and the one that is built in.

Rules this file keeps:
- `manual` (due only when asked) is always there and never redefined.
- Grace ends before the next version is due, or retiring would never catch up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from credential_rotation.durations import parse_duration
from credential_rotation.errors import BadInput
from credential_rotation.inventory_schema import POLICIES, refusals
from credential_rotation.inventory_words import in_words
from credential_rotation.inventory_yaml import Document, Mistake, Value
from credential_rotation.model import Policy

MANUAL = Policy(name="manual", max_age=None)


@dataclass(frozen=True, slots=True)
class Policies:
    """What entries may name, and what is wrong with the file that says so."""

    file: str
    named: Mapping[str, Policy]
    broken: frozenset[str] = frozenset()
    """Policies that are there and have mistakes of their own."""
    mistakes: tuple[Mistake, ...] = ()
    readable: bool = True


def read_policies(document: Document) -> Policies:
    """All policies of policies.yaml that make sense, and all mistakes in it."""
    mistakes = list(document.mistakes)
    named: dict[str, Policy] = {MANUAL.name: MANUAL}
    if document.value is not None:
        mistakes += in_words(document, refusals(POLICIES, document.value))
    for name, raw in _written(document.value).items():
        mistakes += [
            Mistake(("policies", name), document.line(("policies", name)), message)
            for message in _wrong(name, raw)
        ]
        policy = policy_from(name, raw)
        if policy is not None and name != MANUAL.name:
            named[name] = policy
    broken = {str(mistake.path[1]) for mistake in mistakes if len(mistake.path) > 1} - {MANUAL.name}
    good = {name: policy for name, policy in named.items() if name not in broken}
    return Policies(
        file=document.file,
        named=good,
        broken=frozenset(broken),
        mistakes=tuple(mistakes),
        readable=document.readable,
    )


def policy_from(name: str, raw: Value) -> Policy | None:
    """The policy that a mapping says, or None where it says none (the schema has told why)."""
    if not isinstance(raw, dict):
        return None
    max_age, grace, pause = _length(raw.get("max_age")), _length(raw.get("grace")), raw.get("pause", False)
    if max_age is None or not isinstance(pause, bool) or (grace is None and "grace" in raw):
        return None
    return Policy(name=name, max_age=max_age, grace=grace or timedelta(0), pause=pause)


def grace_mistake(raw: Value) -> str | None:
    """What is wrong between a policy's durations, where both can be read."""
    policy = policy_from("", raw)
    if policy is None or policy.max_age is None or policy.grace < policy.max_age:
        return None
    assert isinstance(raw, dict)  # noqa: S101  # policy_from has just read it
    return (
        f"grace {raw['grace']} must be shorter than max_age {raw['max_age']}: "
        "the old value has to be gone before the next version begins"
    )


def _wrong(name: str, raw: Value) -> Iterator[str]:
    if name == MANUAL.name:
        yield "policy 'manual' is built in (due only when asked); give this one another name"
    grace = grace_mistake(raw)
    if grace:
        yield grace


def _written(value: Value) -> Mapping[str, Value]:
    policies = value.get("policies") if isinstance(value, dict) else None
    return policies if isinstance(policies, dict) else {}


def _length(text: Value) -> timedelta | None:
    if not isinstance(text, str):
        return None
    try:
        return parse_duration(text)
    except BadInput:
        return None
