"""The agent's decisions, with workers that only note what they are told: no process, no server, no clock."""

import time
from dataclasses import dataclass, field
from typing import Any, cast

from bitwarden_vault.agent.budget import Budget
from bitwarden_vault.agent.dispatch import LOGIN_LASTS, MOST_WORKERS, Dispatch
from bitwarden_vault.agent.login import RENEW_AFTER, Login
from bitwarden_vault.agent.request import Request
from bitwarden_vault.agent.worker_handle import Worker
from bitwarden_vault.operations import RESERVE, window_of
from bitwarden_vault.wire import Message

NOTHING: Message = {"creates": 0, "updates": [], "reads": []}


@dataclass(eq=False)
class NotingWorker:
    """Takes one order at a time, like a process that is ready."""

    orders: list[Message] = field(default_factory=list)
    is_ready: bool = True
    until: float | None = None
    generation: int = 0
    pid: int = 2**22 + 1  # beyond what the kernel gives: reaping it finds nobody
    is_killed: bool = False

    @property
    def is_idle(self) -> bool:
        return self.is_ready and self.until is None

    def order(self, message: Message, *, generation: int, deadline: float) -> None:
        self.orders.append(message)
        self.generation, self.until = generation, time.monotonic() + deadline

    def kill(self) -> None:
        self.is_killed = True


@dataclass
class Scene:
    """A dispatch with the login that a test gives it, and what its clients were told."""

    login: Login
    started: list[NotingWorker] = field(default_factory=list)
    told: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dispatch = Dispatch("org", 15.0, self.login, Budget(), self._start_worker)

    def _start_worker(self) -> Worker:
        self.started.append(NotingWorker())
        return cast("Worker", self.started[-1])

    def ask(self, operation: str, *, is_there: bool = True, **arguments: Any) -> Request:  # noqa: ANN401 - JSON
        window = None if operation == RESERVE else window_of(operation, "org", str(arguments.get("id", "")))

        def tell(message: Message) -> bool:
            self.told.append(message)
            return is_there

        request = Request(operation, arguments, {}, "r", window, 15.0, time.monotonic() + 60.0, tell)
        self.dispatch.waiting.append(request)
        return request

    def orders(self) -> list[str]:
        return [order["operation"] for worker in self.started for order in worker.orders]

    def turn(self, times: int = 3) -> float:
        """Hiring takes a turn of its own."""
        return [self.dispatch.turn(time.monotonic()) for _ in range(times)][-1]


def _logged_in(ago: float = 0.0) -> Login:
    login = Login(None)
    login.begin()
    login.succeed(time.monotonic() - ago)
    return login


def test_a_reservation_renews_a_login_that_is_about_to_end() -> None:
    """A request of the moment would still use it."""
    old = RENEW_AFTER - LOGIN_LASTS / 2
    reading, reserving = Scene(_logged_in(old)), Scene(_logged_in(old))
    reading.ask("list_projects")
    reserving.ask(RESERVE, **NOTHING)
    for scene in (reading, reserving):
        scene.turn()
    assert reading.orders() == ["list_projects"]
    assert reserving.orders() == ["log_in"]
    assert reserving.told == []
    reserving.dispatch.hear(cast("Worker", reserving.started[0]), {"result": None})
    reserving.turn()
    assert reserving.told == [{"result": None}]


def test_one_worker_logs_in_while_the_others_wait() -> None:
    """However many requests there are."""
    scene = Scene(Login(None))
    for number in range(10):
        scene.ask("get_secret", id=str(number))
    scene.turn(10)
    assert scene.orders() == ["log_in"]


def test_there_are_no_more_workers_than_allowed_and_each_does_one_thing() -> None:
    """The rest waits for them in the order of arrival."""
    scene = Scene(_logged_in())
    for number in range(10):
        scene.ask("get_secret", id=str(number))
    scene.turn(20)
    assert len(scene.started) == MOST_WORKERS
    assert [order["arguments"]["id"] for one in scene.started for order in one.orders] == ["0", "1", "2", "3"]
    assert len(scene.dispatch.waiting) == 6


def test_a_write_for_a_client_that_is_gone_is_not_sent() -> None:
    """The attempt to tell it shows that."""
    scene = Scene(_logged_in())
    scene.ask("create_secret", is_there=False, key="k")
    scene.turn()
    assert scene.orders() == []
    assert scene.dispatch.is_free


def test_leaving_sends_who_waits_elsewhere_and_waits_for_what_was_sent() -> None:
    """Nothing more is begun."""
    scene = Scene(_logged_in())
    for number in range(MOST_WORKERS + 1):
        scene.ask("get_secret", id=str(number))
    scene.turn(20)
    scene.told.clear()
    scene.dispatch.leave()
    assert scene.told == [{"moved": True}]
    assert not scene.dispatch.is_free
    for worker in scene.started:
        scene.dispatch.hear(cast("Worker", worker), {"result": {}})
    assert scene.dispatch.is_free


def test_spare_workers_are_let_go_after_a_quiet_minute() -> None:
    """One stays, so that the next request is quick."""
    scene = Scene(_logged_in())
    for number in range(MOST_WORKERS):
        scene.ask("get_secret", id=str(number))
    scene.turn(20)
    for worker in scene.started:
        scene.dispatch.hear(cast("Worker", worker), {"result": {}})
    scene.turn()
    assert len(scene.dispatch.workers) == MOST_WORKERS
    scene.dispatch.turn(time.monotonic() + 61.0)
    assert [worker.is_killed for worker in scene.started] == [False, True, True, True]


def _all_busy() -> Scene:
    """As many requests under way as there are workers, and three that wait for one."""
    scene = Scene(_logged_in())
    for number in range(MOST_WORKERS + 3):
        scene.ask("get_secret", id=str(number))
    scene.turn(20)
    scene.told.clear()
    return scene


def test_where_nobody_is_answered_those_who_wait_for_a_worker_are_told_at_the_same_deadline() -> None:
    """Otherwise a hundred tasks would find out in turns, four at a time."""
    scene = _all_busy()
    scene.dispatch.turn(time.monotonic() + 15.1)
    assert [message["error"]["kind"] for message in scene.told] == ["no_answer"] * (MOST_WORKERS + 3)
    assert scene.dispatch.waiting == []


def test_where_somebody_is_answered_the_others_wait_on() -> None:
    """One request that hangs says nothing about the next one."""
    scene = _all_busy()
    scene.dispatch.hear(cast("Worker", scene.started[0]), {"result": {}})
    scene.dispatch.turn(time.monotonic() + 15.1)
    assert len([message for message in scene.told if "error" in message]) == MOST_WORKERS - 1


def test_who_has_more_time_is_not_hurried_by_an_impatient_one() -> None:
    """Each deadline is its caller's own."""
    scene = Scene(_logged_in())
    for number in range(MOST_WORKERS):
        scene.ask("get_secret", id=str(number)).deadline = 1.0
    scene.ask("get_secret", id="patient")
    scene.turn(20)
    scene.dispatch.turn(time.monotonic() + 1.1)
    assert len([message for message in scene.told if "error" in message]) == MOST_WORKERS
