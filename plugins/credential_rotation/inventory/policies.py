"""Named policies, the one that is built in, and the limits that hold for all of them.

Rules this file keeps:
- `manual` (due only when asked) is always there and never redefined.
- A policy that can never hold is a mistake, and so is each entry that names it.
- Limits that cannot be read are the usual ones: without a brake nothing runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from credential_rotation.errors import BadInput
from credential_rotation.inventory.promises import impossible
from credential_rotation.inventory.schemas import POLICIES, refusals
from credential_rotation.inventory.words import in_words
from credential_rotation.inventory.yaml_text import Document, Mistake, Value
from credential_rotation.model import USUAL_LIMITS, ApprovalRule, CatchUp, Limits, Policy, Window
from credential_rotation.times.durations import parse_duration, share_of

MANUAL = Policy(name="manual")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class Policies:
    """What entries may name, and what is wrong with the file that says so."""

    file: str
    named: Mapping[str, Policy]
    broken: frozenset[str] = frozenset()
    """Policies that are there and have mistakes of their own."""
    mistakes: tuple[Mistake, ...] = ()
    readable: bool = True
    limits: Limits = USUAL_LIMITS


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
    below = [mistake.path for mistake in mistakes if mistake.path[:1] == ("policies",)]
    broken = {str(path[1]) for path in below if len(path) > 1} - {MANUAL.name}
    good = {name: policy for name, policy in named.items() if name not in broken}
    return Policies(
        file=document.file,
        named=good,
        broken=frozenset(broken),
        mistakes=tuple(mistakes),
        readable=document.readable,
        limits=_limits(document.value, mistakes),
    )


def policy_from(name: str, raw: Value) -> Policy | None:
    """The policy that a mapping says, or None where it says none (the schema has told why)."""
    if not isinstance(raw, dict):
        return None
    try:
        return _policy(name, raw)
    except (_UnreadableError, BadInput):
        return None


def own_policy(policy: Policy, name: str) -> Policy:
    """A policy as one credential keeps to it, with its own share of the jitter."""
    return replace(policy, share=share_of(policy.jitter, name)) if policy.jitter else policy


def impossible_policy(raw: Value, *, soaks: bool = False) -> list[str]:
    """Why what a mapping says can never hold; nothing where it says no policy."""
    policy = policy_from("", raw)
    if policy is None or not isinstance(raw, dict):
        return []
    return impossible(policy, soaks=soaks or "soak" in raw)


class _UnreadableError(Exception):
    """A value is not what its key wants; the schema says so in better words."""


def _policy(name: str, raw: Mapping[str, Value]) -> Policy:
    usual = Policy(name=name)
    place = _text(raw, "timezone") or usual.timezone
    pause = raw.get("pause", False)
    catch_up = _text(raw, "catch_up") or usual.catch_up.value
    if not isinstance(pause, bool) or catch_up not in {one.value for one in CatchUp}:
        raise _UnreadableError
    return Policy(
        name=name,
        max_age=_length(raw, "max_age"),
        grace=_length(raw, "grace") or usual.grace,
        pause=pause,
        cron=_text(raw, "cron"),
        timezone=place,
        window=_window(raw["window"], place) if "window" in raw else None,
        jitter=_length(raw, "jitter") or usual.jitter,
        soak=_length(raw, "soak") or usual.soak,
        catch_up=CatchUp(catch_up),
        approval=_approval(raw["approval"]) if "approval" in raw else None,
    )


def _approval(raw: Value) -> ApprovalRule:
    """Whether and how somebody is asked. Raises: _UnreadableError, BadInput."""
    if raw == "required":
        return ApprovalRule()
    by = raw.get("by", []) if isinstance(raw, dict) else None
    if not isinstance(raw, dict) or not isinstance(by, list):
        raise _UnreadableError
    usual = ApprovalRule()
    return ApprovalRule(
        within=_length(raw, "within") or usual.within,
        by=tuple(str(one) for one in by),
        again=_length(raw, "again") or usual.again,
    )


def _window(raw: Value, place: str) -> Window:
    if not isinstance(raw, dict):
        raise _UnreadableError
    days = raw.get("days", list(_DAYS))
    if not isinstance(days, list) or not days or not all(day in _DAYS for day in days):
        raise _UnreadableError
    return Window(
        opens=_clock(raw, "from"),
        closes=_clock(raw, "to"),
        days=frozenset(_DAYS.index(str(day)) for day in days),
        timezone=_text(raw, "timezone") or place,
    )


def _wrong(name: str, raw: Value) -> Iterator[str]:
    if name == MANUAL.name:
        yield "policy 'manual' is built in (due only when asked); give this one another name"
    yield from impossible_policy(raw)


def _written(value: Value) -> Mapping[str, Value]:
    policies = value.get("policies") if isinstance(value, dict) else None
    return policies if isinstance(policies, dict) else {}


def _limits(value: Value, mistakes: Iterable[Mistake]) -> Limits:
    raw = value.get("limits") if isinstance(value, dict) else None
    if not isinstance(raw, dict) or any(mistake.path[:1] == ("limits",) for mistake in mistakes):
        return USUAL_LIMITS
    return Limits(
        per_tick=_count(raw.get("per_tick"), USUAL_LIMITS.per_tick),
        stop_after_failures=_count(raw.get("stop_after_failures"), USUAL_LIMITS.stop_after_failures),
    )


def _count(found: Value, usual: int) -> int:
    return found if isinstance(found, int) else usual


def _text(raw: Mapping[str, Value], key: str) -> str | None:
    """A text, or None where the key is missing. Raises: _UnreadableError."""
    found = raw.get(key)
    if isinstance(found, str) and found:
        return found
    if key in raw:
        raise _UnreadableError
    return None


def _length(raw: Mapping[str, Value], key: str) -> timedelta | None:
    """A duration, or None where the key is missing. Raises: _UnreadableError, BadInput."""
    text = _text(raw, key)
    return None if text is None else parse_duration(text)


def _clock(raw: Mapping[str, Value], key: str) -> timedelta:
    """A time of day, since midnight. Raises: _UnreadableError."""
    hours, _, minutes = (_text(raw, key) or "").partition(":")
    if not (hours.isdecimal() and minutes.isdecimal() and int(hours) * 60 + int(minutes) <= 24 * 60):
        raise _UnreadableError
    return timedelta(hours=int(hours), minutes=int(minutes))
