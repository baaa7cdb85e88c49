"""The server proper: every request passes the limiter, then a fault if one is set, then its endpoint."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from sandbox.bitwarden.bearers import Bearers, Caller
from sandbox.bitwarden.clock import Clock
from sandbox.bitwarden.desk import Desk
from sandbox.bitwarden.faults import Fault, suffer
from sandbox.bitwarden.identity import TOKEN_PATH, log_in
from sandbox.bitwarden.messages import Refused, Reply, Request
from sandbox.bitwarden.rate_limits import RateLimits
from sandbox.bitwarden.request_log import LogLine, RequestLog
from sandbox.bitwarden.routes import find
from sandbox.bitwarden.store import Store
from sandbox.fault_queue import FaultQueue


class Service:
    """All parts of the stand-in's server, and the way of a request through them."""

    def __init__(self, organization_id: str) -> None:
        self.clock = Clock()
        self.store = Store(organization_id)
        self.bearers = Bearers(self.clock, organization_id)
        self.limits = RateLimits(self.clock)
        self.faults: FaultQueue[Fault] = FaultQueue()
        self.log = RequestLog()

    async def respond(self, request: Request, address: str) -> Reply:
        """The reply; whatever it makes true is committed by now or will be without the client."""
        caller = self.bearers.read(request.headers.get("authorization", ""))
        line = self._arrived(request, caller)
        counted = self.limits.count(address, request.verb, request.path)
        if isinstance(counted, Reply):
            reply = counted
        else:
            reply = await self._answer(line, partial(self._plan, request, caller))
            reply = replace(reply, headers=reply.headers + counted)
        self.log.answered(line, reply.status if reply.delivery in ("whole", "cut") else 0)
        return reply

    async def _answer(self, line: LogLine, plan: Callable[[], Reply]) -> Reply:
        fault = self.faults.take(lambda one: one.matches(line.verb, line.path))
        if fault is not None:
            line.fault = fault.does
            return await suffer(fault, plan)
        reply = plan()
        reply.commit()
        return reply

    def _plan(self, request: Request, caller: Caller | None) -> Reply:
        try:
            if request.path == TOKEN_PATH and request.verb == "POST":
                return log_in(self.store, self.bearers, request)
            endpoint = find(request.verb, request.path)
            if caller is None:
                return Reply(401, headers=(("WWW-Authenticate", "Bearer"),))
            return endpoint(Desk(self.store, self.clock, caller, request))
        except Refused as refused:
            return refused.reply

    def _arrived(self, request: Request, caller: Caller | None) -> LogLine:
        token_id = caller.token_id if caller else None
        if request.path == TOKEN_PATH:
            token_id = request.form("client_id")
        token = self.store.tokens.get(token_id or "")
        account = caller.account if caller else token.account if token else None
        return self.log.arrived(request.verb, request.path, account, token_id)
