"""Which request goes to which worker when: the agent's decisions, without its sockets.

Rules this file keeps:
- Whoever waits is told; before a write is handed out its client must be known to be there.
- A worker that is late is killed, and its request answered at that moment; the others go on meanwhile. Where
  nobody was answered since, who waits for a worker is told too: silence costs everybody one deadline.
- One worker logs in for all.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from bitwarden_vault.agent.budget import Budget
from bitwarden_vault.agent.login import Login
from bitwarden_vault.agent.login_attempts import LoginAttempts
from bitwarden_vault.agent.request import Request
from bitwarden_vault.agent.token_slots import TokenSlots
from bitwarden_vault.agent.worker_handle import Worker, still_there
from bitwarden_vault.errors import (
    UNAUTHORIZED,
    Misconfigured,
    NoAnswerInTime,
    OutcomeUnknown,
    RateLimited,
    Unreachable,
    VaultError,
    to_wire,
)
from bitwarden_vault.operations import RESERVE, places_of
from bitwarden_vault.wire import Message

MOST_WORKERS = 4
SPARE_FOR = 60.0
"""Seconds without an order after which all workers but one are let go."""
LOGIN_LASTS = 120.0
"""Seconds that the login is good for after a reservation."""
_LOST_STARTS = 3
_UNTOLD_429 = 1.0
_LONG = 3600.0


@dataclass(slots=True, eq=False)
class Dispatch:
    """The requests that wait, the workers, the login and the budget."""

    organization_id: str
    deadline: float
    login: Login
    budget: Budget
    start_worker: Callable[[], Worker]
    slots: TokenSlots = field(default_factory=TokenSlots)
    watch_login: Callable[[], Callable[[Message], bool]] = lambda: lambda _: True
    """Hears of each login that is made, and then how it ended."""
    waiting: list[Request] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)
    sent: Counter[str] = field(default_factory=Counter)
    """Requests per operation, logins included."""
    leaving: bool = False
    _jobs: dict[Worker, Request | None] = field(default_factory=dict)
    """What each busy worker does; None is the login."""
    _attempts: LoginAttempts = field(init=False)
    _login_ended: Callable[[Message], bool] = lambda _: True
    _lost_starts: int = 0
    _busy_at: float = 0.0
    _heard_at: float = 0.0
    _dead: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._attempts = LoginAttempts(self.login, self.slots)

    @property
    def is_free(self) -> bool:
        """Nobody waits and nothing is under way."""
        return not self.waiting and not self._jobs

    def turn(self, now: float) -> float:
        """Do all that can be done now; the moment at which there may be more."""
        self._dead = still_there(self._dead)
        for worker in [one for one in self.workers if one.until is not None and one.until <= now]:
            self._is_late(worker, now)
        ready = self._ready(now)
        if ready and self._has_login(ready, now):
            self._reserve([one for one in ready if one.operation == RESERVE], now)
            self._hand_out([one for one in ready if one.operation != RESERVE], now)
        self._let_go(now)
        return self._next_moment(now)

    # Who can go when

    def _ready(self, now: float) -> list[Request]:
        """Requests that need nothing but login and worker; those that would wait in vain are told."""
        ready = []
        for request in list(self.waiting):
            moment = request.ready_at(self.budget, now)
            end = max(moment, now)
            if end >= request.give_up_at:
                self._finish(request, self._why_waited(request, moment - now))
                continue
            if end >= request.impatient_at:
                request.dismiss(end, self._why_waited(request, moment - now))
            if moment <= now:
                ready.append(request)
        return ready

    def _why_waited(self, request: Request, wait: float) -> VaultError:
        if wait > 0.0:
            return request.out_of_patience(wait)
        return (
            request.last or self._attempts.last or Unreachable("all who ask Bitwarden wait for its answers")
        )

    def _next_moment(self, now: float) -> float:
        moments = [worker.until for worker in self.workers if worker.until is not None]
        for request in self.waiting:
            moment = request.ready_at(self.budget, now)
            moments.append(moment if moment > now else min(request.impatient_at, request.give_up_at))
        if self.waiting and self.login.not_before > now:
            moments.append(self.login.not_before)
        return min(moments, default=now + _LONG)

    # The login

    def _has_login(self, ready: list[Request], now: float) -> bool:
        """Whether requests can be sent; if not, a login is begun when it may be."""
        wanted = now + LOGIN_LASTS if any(one.operation == RESERVE for one in ready) else now
        if self.login.is_usable(wanted):
            return True
        if self.login.is_usable(now):
            self.login.reject(self.login.generation)  # good enough for a request, not for a reservation
        if self.login.refusal is not None and now < self.login.not_before:
            self._fail_all(ready, self.login.refusal)
        elif self.login.may_begin(now):
            worker = self._idle_worker(1)
            if worker is not None:
                self._give_login(worker)
        return False

    def _give_login(self, worker: Worker) -> None:
        fresh = self.login.begin()
        self.sent["log_in"] += fresh
        self._login_ended = self.watch_login() if fresh else lambda _: True
        self._jobs[worker] = None
        self._order(worker, "log_in", {}, self.deadline, fresh=fresh)

    def _login_failed(self, error: Message, now: float) -> None:
        self._login_ended({"error": error})
        final = self._attempts.fail(error, now)
        if final is not None:
            self._fail_all(self.waiting, final)

    # Handing out

    def _reserve(self, ready: list[Request], now: float) -> None:
        """Make the promises that can be kept."""
        for request in ready:
            places = places_of(self.organization_id, request.arguments)
            wait = self.budget.reserve(str(request.reservation), places, now)
            if wait == 0.0:
                self.waiting.remove(request)
                request.tell({"result": None})
            elif now + wait > request.give_up_at:
                self._finish(request, request.out_of_patience(wait))
            else:
                request.not_before = now + wait

    def _hand_out(self, ready: list[Request], now: float) -> None:
        for number, request in enumerate(ready):
            if request.ready_at(self.budget, now) > now:
                continue  # one before it in this turn took the last place
            worker = self._idle_worker(len(ready) - number)
            if worker is None:
                return
            self.waiting.remove(request)
            if not request.tell({"sending": True}):
                continue
            self._give(worker, request, now)

    def _give(self, worker: Worker, request: Request, now: float) -> None:
        if request.window:
            self.budget.take(request.window, now, reservation=request.reservation)
        self.sent[request.operation] += 1
        self._jobs[worker] = request
        self._busy_at = now
        self._order(worker, request.operation, request.arguments, request.deadline)

    def _order(
        self, worker: Worker, operation: str, arguments: Message, deadline: float, *, fresh: bool = False
    ) -> None:
        order = {"operation": operation, "arguments": arguments, "fresh": fresh, **self.slots.order}
        worker.order(order, generation=self.login.generation, deadline=deadline)

    def _idle_worker(self, wanted: int) -> Worker | None:
        """One that can take an order; more are started while fewer than `wanted` are on their way."""
        for worker in self.workers:
            if worker.is_idle:
                return worker
        coming = sum(not worker.is_ready for worker in self.workers)
        if coming < wanted and len(self.workers) < MOST_WORKERS:
            self.workers.append(self.start_worker())
        return None

    def _let_go(self, now: float) -> None:
        if self._jobs or self.waiting or now - self._busy_at < SPARE_FOR:
            return
        for worker in self.workers[1:]:
            self._remove(worker)

    # What comes back

    def hear(self, worker: Worker, message: Message) -> None:
        """A worker says something."""
        now = time.monotonic()
        worker.until = None
        if "ready" in message:
            worker.is_ready, self._lost_starts = True, 0
        elif "broken" in message:
            self._remove(worker)
            self._fail_all(self.waiting, Misconfigured(str(message["broken"])))
        elif worker in self._jobs:
            request = self._jobs.pop(worker)
            self._busy_at = self._heard_at = now
            if request is not None:
                self._answered(request, message, worker.generation, now)
            elif "error" in message:
                self._login_failed(message["error"], now)
            else:
                self.slots.learn(message["result"])
                self._login_ended({"result": None})
                self._attempts.succeed(now)

    def _answered(self, request: Request, message: Message, generation: int, now: float) -> None:
        if "error" not in message:
            request.tell({"result": message["result"]})
            return
        error, was_sent = message["error"], message["stage"] == "call"
        if error["kind"] == UNAUTHORIZED or not was_sent:
            self.login.reject(generation)
        elif error["kind"] == RateLimited.kind and request.window:
            self.budget.slow_down(request.window, now + (error["retry_after"] or _UNTOLD_429))
        self._go_on(request, request.fail_or_wait(error, was_sent=was_sent, now=now))

    def lose(self, worker: Worker) -> None:
        """A worker is gone that nobody killed for being late."""
        now = time.monotonic()
        was_ready, is_busy = worker.is_ready, worker in self._jobs
        request = self._jobs.get(worker)
        self._remove(worker)
        if request is not None:
            self._go_on(request, request.lose_worker(now))
        elif is_busy:
            self._login_failed(to_wire(Unreachable("the SDK's process died while it logged in")), now)
        elif not was_ready:
            self._lose_start()

    def _lose_start(self) -> None:
        self._lost_starts += 1
        if self._lost_starts >= _LOST_STARTS:
            self._lost_starts = 0
            lost = Misconfigured("the SDK's process dies at its start: try `python -c 'import bitwarden_py'`")
            self._fail_all(self.waiting, lost)

    def _is_late(self, worker: Worker, now: float) -> None:
        """The only way to end a call of the SDK is to end its process."""
        is_busy, request = worker in self._jobs, self._jobs.get(worker)
        self._remove(worker)
        if not is_busy:
            self._lose_start()
        elif request is None:
            late = NoAnswerInTime(f"{self.slots.asked} did not answer within {self.deadline:g} s")
            self._login_failed(to_wire(late), now)
        elif request.is_write:
            unknown = f"no answer within {request.deadline:g} s: the write may have happened, or still happen"
            request.tell({"error": to_wire(OutcomeUnknown(unknown))})
        else:
            request.tell({"error": to_wire(NoAnswerInTime(f"no answer within {request.deadline:g} s"))})
        if request is not None and self._heard_at < (worker.until or now) - request.deadline:
            self._give_up(request.deadline, now)

    def _give_up(self, deadline: float, now: float) -> None:
        """Nobody was answered for so long: who waits for a worker would wait for the same silence."""
        silent = NoAnswerInTime(f"Bitwarden has not answered anybody for {deadline:g} s; this was not sent")
        waiting = [one for one in self.waiting if one.deadline <= deadline]
        self._fail_all([one for one in waiting if one.ready_at(self.budget, now) <= now], silent)

    def _go_on(self, request: Request, final: VaultError | None) -> None:
        if final is not None:
            request.tell({"error": to_wire(final)})
        elif request.tell({"moved": True} if self.leaving else {"waiting": True}) and not self.leaving:
            self.waiting.insert(0, request)

    def _finish(self, request: Request, error: VaultError) -> None:
        self.waiting.remove(request)
        request.tell({"error": to_wire(error)})

    def _fail_all(self, requests: list[Request], error: VaultError) -> None:
        for request in list(requests):
            self._finish(request, error)

    # The end

    def leave(self) -> None:
        """Hand out nothing more: who waits is sent to the next agent, what was sent is waited for."""
        self.leaving = True
        for request in self.waiting:
            request.tell({"moved": True})
        self.waiting.clear()

    def dismiss(self) -> None:
        """End all workers and wait until they are gone."""
        for worker in list(self.workers):
            self._remove(worker)
        while self._dead:
            self._dead = still_there(self._dead)
            time.sleep(0.001)

    def _remove(self, worker: Worker) -> None:
        self._jobs.pop(worker, None)
        self.workers.remove(worker)
        worker.kill()
        self._dead.append(worker.pid)
