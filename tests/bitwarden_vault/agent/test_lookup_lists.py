"""How long a list is good for: to find a secret a minute, to say that there is none a quarter of one."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from bitwarden_vault.agent.fetches import Asker
from bitwarden_vault.agent.lookups import MISS_LIFE, NAMES_LIFE, Lookup, Lookups
from bitwarden_vault.agent.request import Request
from bitwarden_vault.wire import Message

HERE = {"id": "id-1", "key": "k", "project_id": "p"}
SECRET = {**HERE, "value": "v", "note": ""}


@dataclass
class Agent:
    """What an agent remembers of names; Bitwarden answers when the test says so, and time passes then too."""

    now: float = 1000.0
    sent: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lookups = Lookups("org", 60.0, self.sent.append)

    def ask(self, key: str = "k") -> list[Message]:
        """Somebody asks; what they are told from now on."""
        told: list[Message] = []

        def tell(message: Message) -> bool:
            if "waiting" not in message:
                told.append(message)
            return True

        asker = Asker({}, 15.0, self.now + 60.0, tell)
        self.lookups.take(Lookup((key, ()), asker, self.now, is_fresh_wanted=False))
        return told

    def answer(self, result: Any) -> str:  # noqa: ANN401 - JSON
        """Bitwarden answers the oldest request; what it was."""
        request = self.sent.pop(0)
        request.tell({"result": result})
        return request.operation


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Agent:
    made = Agent()
    monkeypatch.setattr(time, "monotonic", lambda: made.now)
    return made


def test_a_secret_that_was_made_elsewhere_is_found_after_a_quarter_of_a_minute(agent: Agent) -> None:
    """A person saves it in the web vault and tries at once; until then the list says that there is none."""
    told = agent.ask()
    agent.answer([])
    assert told == [{"result": None}]
    agent.now += MISS_LIFE - 1
    assert agent.ask() == [{"result": None}]
    assert agent.sent == []
    agent.now += 2
    told = agent.ask()
    assert agent.answer([HERE]) == "list_secrets"
    agent.answer(SECRET)
    assert told == [{"result": SECRET}]


def test_what_a_list_names_is_found_by_it_for_a_minute(agent: Agent) -> None:
    """Nothing but the secret itself is asked for."""
    agent.ask(key="other")
    agent.answer([HERE])
    agent.now += NAMES_LIFE - 1
    agent.ask()
    assert [request.operation for request in agent.sent] == ["get_secret"]


def test_a_list_that_a_write_overtook_is_not_remembered(agent: Agent) -> None:
    """It was begun before the secret was there: who asks after the write is not told that there is none."""
    before = agent.ask()
    agent.lookups.changed("create_secret", {"key": "k"})
    assert agent.answer([]) == "list_secrets"
    after = agent.ask()
    assert (before, after) == ([], [])
    assert agent.answer([HERE]) == "list_secrets"
    agent.answer(SECRET)
    assert (before, after) == ([{"result": SECRET}], [{"result": SECRET}])
    assert agent.sent == []
