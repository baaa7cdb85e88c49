"""The form of a request: what is no client's of ours is found out before anything is done with it.

Rules this file keeps:
- Whatever the agent's own loop reads of a request is of the type that it takes it for: an agent that dies of
  one message would take everybody's login and budget along.
- What only the SDK reads (an id, a key, a value) is the worker's to refuse.
"""

from __future__ import annotations

from collections.abc import Mapping

from bitwarden_vault.operations import LOOK_UP, RESERVE
from bitwarden_vault.wire import Message

LONGEST = 1_000_000.0
"""Seconds; more than any setting says."""
MOST_PLACES = 100_000
_ASKED_OF_THE_AGENT = ("status", "stop")


def insist_on_form(message: Message) -> None:
    """Raises: ValueError, KeyError where this is no request of a client of ours."""
    if message.get("operation") in _ASKED_OF_THE_AGENT:
        return
    arguments = message["arguments"]
    fits = (
        _is_whole_number(message["build"])
        and isinstance(message["operation"], str)
        and isinstance(arguments, Mapping)
        and isinstance(message["caller"], Mapping)
        and isinstance(message.get("reservation"), (str, type(None)))
        and all(map(_is_time, (message["deadline"], message["patience"], message.get("cache_life", 0))))
    )
    read_by_the_agent = {RESERVE: _are_places, LOOK_UP: _is_question}.get(str(message["operation"]))
    if not fits or (read_by_the_agent is not None and not read_by_the_agent(arguments)):
        raise ValueError("not a request of ours")


def _are_places(wanted: Mapping[str, object]) -> bool:
    creates = wanted["creates"]
    lists = wanted["updates"], wanted["reads"]
    return (
        isinstance(creates, int)
        and 0 <= creates <= MOST_PLACES
        and all(isinstance(ids, list) and all(isinstance(one, str) for one in ids) for ids in lists)
    )


def _is_question(asked: Mapping[str, object]) -> bool:
    projects = asked["projects"]
    return (
        isinstance(asked["key"], str)
        and isinstance(projects, list)
        and all(isinstance(one, str) for one in projects)
        and isinstance(asked["fresh"], bool)
    )


def _is_whole_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_time(value: object) -> bool:
    return isinstance(value, (int, float)) and 0 <= value <= LONGEST
