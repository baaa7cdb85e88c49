"""How long what is known of names is good for: an agent's lookups with our own clock and Bitwarden."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from bitwarden_vault.agent import fetches, lookups
from bitwarden_vault.agent.fetches import Asker
from bitwarden_vault.agent.lookups import MISS_LIFE, NAMES_LIFE, Lookup, Lookups
from bitwarden_vault.agent.request import Request
from bitwarden_vault.errors import Ambiguous, Misconfigured, NotFound, VaultError, from_wire, to_wire
from bitwarden_vault.wire import Message

OURS, THEIRS = "0bd4ee27-c9b8-4e2c-b4ba-b0a0dd7a3a3a", "5f5b5c6e-2f4c-4a0c-8f43-0d1dcf6ad8f1"


@dataclass
class Clock:
    """Goes on when a test says so."""

    now: float = 1000.0

    def monotonic(self) -> float:
        return self.now


@dataclass
class Scene:
    """The lookups of one agent, whose requests are answered in its loop's turns."""

    clock: Clock
    secrets: dict[str, Message] = field(default_factory=dict)
    projects: dict[str, str] = field(default_factory=lambda: {OURS: "ours"})
    broken: dict[str, VaultError] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)

    sent: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lookups = Lookups("org", 60.0, self.sent.append)

    def put(self, number: int, key: str = "k", project: str = OURS, note: str = "") -> None:
        made = f"id-{number}"
        fields = {"key": key, "project_id": project, "value": f"value {number}", "note": note}
        self.secrets[made] = {"id": made, **fields}

    def value(
        self, key: str = "k", *projects: str, fresh: bool = False, life: float = math.inf
    ) -> str | None:
        """What a lookup is told. Raises: VaultError."""
        told: list[Message] = []

        def tell(message: Message) -> bool:
            told.append(message)
            return True

        asker = Asker({}, 15.0, self.clock.now + 300.0, tell)
        lookup = Lookup((key, projects), asker, self.clock.now, is_fresh_wanted=fresh, cache_life=life)
        self.lookups.take(lookup)
        while self.sent:
            try:
                self._hear(self.sent.pop())
            except VaultError as error:
                raise AssertionError("the agent would end of this") from error
        if "error" in told[-1]:
            raise from_wire(told[-1]["error"])
        result = told[-1]["result"]
        return None if result is None else str(result["value"])

    def later(self, seconds: float) -> None:
        self.clock.now += seconds
        self.lookups.sweep(self.clock.now)

    def _hear(self, request: Request) -> None:
        self.asked[request.operation] += 1
        if request.operation in self.broken:
            request.tell({"error": to_wire(self.broken[request.operation])})
        elif request.operation == "get_secret" and request.arguments["id"] not in self.secrets:
            request.tell({"error": to_wire(NotFound("gone"))})
        else:
            request.tell({"result": self._answer(request)})

    def _answer(self, request: Request) -> Any:  # noqa: ANN401 - JSON
        if request.operation == "list_projects":
            return [{"id": one, "name": name} for one, name in self.projects.items()]
        if request.operation == "list_secrets":
            listed = ("id", "key", "project_id")
            return [{name: one[name] for name in listed} for one in self.secrets.values()]
        return dict(self.secrets[request.arguments["id"]])


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    clock = Clock()
    for module in (lookups, fetches):
        monkeypatch.setattr(module, "time", clock)
    return Scene(clock)


@pytest.mark.parametrize("operation", ["list_secrets", "list_projects"])
def test_that_there_is_no_list_is_an_error_whatever_a_worker_calls_it(scene: Scene, operation: str) -> None:
    """A worker of an older version says "not found"; nothing is remembered of it."""
    scene.put(1)
    scene.broken[operation] = NotFound("?")
    with pytest.raises(NotFound):
        scene.value("k", "ours")
    scene.broken.clear()
    assert scene.value("k", "ours") == "value 1"


def test_a_second_secret_of_one_name_is_noticed_by_whoever_knew_the_first(scene: Scene) -> None:
    """At once by who wants a fresh answer, otherwise when the value is read anew and its list is old."""
    scene.put(1)
    assert scene.value() == "value 1"
    scene.put(2)
    assert scene.value() == "value 1"
    scene.later(1.0)
    with pytest.raises(Ambiguous):
        scene.value(fresh=True)
    scene.later(NAMES_LIFE + 1)
    with pytest.raises(Ambiguous):
        scene.value()


def test_names_are_listed_once_in_their_life_however_many_values_are_read_anew(scene: Scene) -> None:
    """Values that live for seconds, as those that are rotated in place: a read each, and no list."""
    lives = '```bitwarden-vault\n{"cache_seconds": "5"}\n```'
    for number in range(4):
        scene.put(number, f"k{number}", note=lives)
    for _ in range(24):
        for number in range(4):
            for _ in range(3):
                assert scene.value(f"k{number}") == f"value {number}"
        scene.later(5.0)
    assert scene.asked == {"list_secrets": 2, "get_secret": 24 * 4}


def test_who_removes_the_second_one_is_served_as_soon_as_after_a_miss(scene: Scene) -> None:
    """That there are two is believed no longer than that there is none."""
    scene.put(1)
    scene.put(2)
    with pytest.raises(Ambiguous):
        scene.value()
    del scene.secrets["id-1"]
    with pytest.raises(Ambiguous):
        scene.value()
    assert scene.asked["list_secrets"] == 1
    scene.later(MISS_LIFE + 1)
    assert scene.value() == "value 2"


@pytest.mark.parametrize("project", ["ours", OURS])
def test_a_project_that_is_no_longer_seen_is_an_error_for_what_was_in_it(scene: Scene, project: str) -> None:
    """The list of secrets is empty then, and that looks like a miss."""
    scene.put(1)
    assert scene.value("k", project) == "value 1"
    assert scene.value("missing", project) is None
    scene.secrets.clear()
    scene.projects.clear()
    scene.later(1.0)
    with pytest.raises(Misconfigured, match=f"no project '{project}'"):
        scene.value("k", project, fresh=True)
    scene.later(MISS_LIFE)
    with pytest.raises(Misconfigured, match=f"no project '{project}'"):
        scene.value("another", project)


def test_a_name_that_another_project_has_by_now_leads_there(scene: Scene) -> None:
    """Projects are listed anew as names are, also while all names are found."""
    scene.put(1)
    scene.put(2, project=THEIRS)
    assert scene.value("k", "ours") == "value 1"
    scene.projects = {OURS: "former", THEIRS: "ours"}
    scene.later(NAMES_LIFE + 1)
    assert scene.value("k", "ours") == "value 2"


def test_who_reads_a_known_secret_after_its_project_was_renamed_is_told(scene: Scene) -> None:
    """Another lookup has seen the new names meanwhile; the agent must not fall over that."""
    scene.put(1, note='```bitwarden-vault\n{"cache_seconds": "0"}\n```')
    assert scene.value("k", "ours") == "value 1"
    scene.projects = {OURS: "renamed"}
    scene.later(MISS_LIFE + 1)
    for key in ("missing", "k"):
        with pytest.raises(Misconfigured, match=r"no project 'ours'.*'renamed'"):
            scene.value(key, "ours")


def test_a_project_of_which_single_secrets_are_seen_is_seen(scene: Scene) -> None:
    """An account may be granted a secret instead of its project."""
    scene.put(1, project=THEIRS)
    assert scene.value("k", THEIRS) == "value 1"
    assert scene.value("missing", THEIRS) is None


def test_misses_cost_a_list_of_projects_in_their_life_and_finds_none(scene: Scene) -> None:
    """Whoever configures ids is asked for none while all names are found."""
    scene.put(1)
    for _ in range(3):
        scene.value("k", OURS)
    assert "list_projects" not in scene.asked
    for number in range(5):
        assert scene.value(f"missing {number}", OURS) is None
    assert (scene.asked["list_secrets"], scene.asked["list_projects"]) == (1, 1)


def test_of_who_wants_nothing_remembered_nothing_is(scene: Scene) -> None:
    """Whoever started the agent; what it remembers for others stays theirs."""
    scene.put(1)
    for _ in range(2):
        scene.later(0.001)
        assert scene.value(life=0.0) == "value 1"
    assert (len(scene.lookups), scene.asked["get_secret"]) == (0, 2)
    assert scene.value() == "value 1"
    scene.secrets["id-1"]["value"] = "changed"
    scene.later(0.001)
    assert scene.value(life=0.0) == "changed"
    assert (len(scene.lookups), scene.value()) == (1, "value 1")


def test_an_agent_that_remembers_nothing_still_knows_names(scene: Scene) -> None:
    """A list for each value would be what rate limits are for."""
    scene.lookups = Lookups("org", 0.0, scene.sent.append)
    scene.put(1)
    for _ in range(3):
        scene.later(0.001)
        assert scene.value() == "value 1"
        assert len(scene.lookups) == 0
    assert scene.asked == {"list_secrets": 1, "get_secret": 3}
