"""What stands before moto: the log, the faults, the use of keys, the trail, and one request at a time."""

import io
import re
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from werkzeug.test import run_wsgi_app

from sandbox.aws.calls import Call, Reply, read, refusal, spoken
from sandbox.aws.clock import Clock
from sandbox.aws.faults import Fault
from sandbox.aws.keyring import Keyring, Use
from sandbox.aws.request_log import RequestLog, answered
from sandbox.aws.strict_moto import ACCOUNT, OBSERVED, Observation
from sandbox.aws.trail import HOME_REGION, NAMES, Event, Trail
from sandbox.fault_queue import FaultQueue

Environ = dict[str, Any]
_STRANGERS = ("InvalidClientTokenId", "SignatureDoesNotMatch")
_PARAMETERS = {"userName": "UserName", "accessKeyId": "AccessKeyId", "status": "Status"}
_MADE = re.compile(rb"<AccessKeyId>(\w+)</AccessKeyId>")


class Dropped(Exception):
    """The client gets no answer."""


class Gate:
    """A WSGI application around moto's."""

    def __init__(self, moto: Callable[..., Iterable[bytes]], *, control_path: str, observer: str) -> None:
        """Requests whose user agent contains `observer` are answered and leave no trace."""
        self._moto, self._control_path, self._observer = moto, control_path, observer
        self.clock, self.keyring = Clock(), Keyring()
        self.faults: FaultQueue[Fault] = FaultQueue()
        self.trail, self.log = Trail(), RequestLog()
        self.obey: Callable[[bytes], bytes] = bytes
        self.lock = threading.RLock()

    def __call__(self, environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
        """One exchange."""
        body = _body(environ)
        try:
            if environ["PATH_INFO"] == self._control_path:
                reply = Reply(200, [("Content-Type", "application/json")], self.obey(body))
            else:
                reply = self._exchange(environ, body)
        except Dropped:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError from None
        kept = [(name, value) for name, value in reply.headers if name.lower() != "content-length"]
        length = {name.lower(): value for name, value in reply.headers}.get("content-length")
        is_head = environ["REQUEST_METHOD"] == "HEAD"
        size = length if is_head and length else str(len(reply.body))
        start_response(_status_line(reply.status), [*kept, ("Content-Length", size)])
        return [] if is_head else [reply.body]

    def _exchange(self, environ: Environ, body: bytes) -> Reply:
        call = read(environ | {"wsgi.input": io.BytesIO(body)})
        if call is None:
            return refusal(None, 403, "MissingAuthenticationToken", "Missing Authentication Token")
        if self._observer in call.user_agent:
            with self.lock:
                return self._judged(call, environ, body, counted=False, at=self.clock.seconds())
        line = self.log.arrived(call.action, call.key_id, call.region, call.user_agent)
        fault = self.faults.take(lambda one: one.matches(call.action, call.key_id))
        line.fault = fault.does if fault else None
        at = self.clock.seconds() if fault and fault.does == "commit_late" else None
        try:
            reply = self._suffer(fault, call, environ, lambda: self._commit(call, environ, body, at))
        except Dropped:
            answered(line, None)
            raise
        answered(line, reply.status, reply.error)
        return reply

    def _suffer(
        self, fault: Fault | None, call: Call, environ: Environ, commit: Callable[[], Reply]
    ) -> Reply:
        if fault is None:
            return commit()
        if fault.does == "answer":
            return refusal(call, fault.status, fault.code, fault.message)
        if fault.does == "hang":
            _wait_for_the_client_to_leave(environ)
        if fault.does == "delay":
            time.sleep(fault.seconds)
        if fault.does == "commit_late":
            late = threading.Timer(fault.seconds, commit)
            late.daemon = True
            late.start()
        if fault.does in ("hang", "drop_before", "commit_late"):
            raise Dropped
        reply = commit()
        if fault.does == "hang_after":
            _wait_for_the_client_to_leave(environ)
        if fault.does in ("hang_after", "drop_after"):
            raise Dropped
        return reply

    def _commit(self, call: Call, environ: Environ, body: bytes, at: float | None) -> Reply:
        with self.lock:
            reply = self._judged(call, environ, body, counted=True, at=at or self.clock.seconds())
            if reply.status < 400:
                self.keyring.used(call.key_id, self._use(call))
            if call.action.partition(":")[2] in NAMES and reply.error not in _STRANGERS:
                self.trail.events.append(self._event(call, reply))
        return reply

    def _use(self, call: Call) -> Use:
        region = HOME_REGION if call.service == "iam" else call.region
        return Use(self.clock.seconds(), call.service, region)

    def _judged(self, call: Call, environ: Environ, body: bytes, *, counted: bool, at: float) -> Reply:
        fresh = environ | {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
        token = OBSERVED.set(Observation(call.service, at, counted))
        try:
            parts, status, headers = run_wsgi_app(self._moto, fresh, buffered=True)
        finally:
            OBSERVED.reset(token)
        return spoken(call, Reply(int(status.split()[0]), list(headers.items()), b"".join(parts)))

    def _event(self, call: Call, reply: Reply) -> Event:
        caller = self.keyring.keys[call.key_id]
        name = call.action.partition(":")[2]
        given = {
            short: call.parameters[long]
            for short, long in (
                ("userName", "UserName"),
                ("accessKeyId", "AccessKeyId"),
                ("status", "Status"),
            )
            if long in call.parameters
        }
        made = None
        if name == "CreateAccessKey" and (key := _MADE.search(reply.body)):
            made = made_key(key.group(1).decode(), given.get("userName", caller.user))
        identity = {
            "type": "IAMUser",
            "arn": f"arn:aws:iam::{ACCOUNT}:user/{caller.user}",
            "accountId": ACCOUNT,
            "accessKeyId": call.key_id,
            "userName": caller.user,
        }
        at = self.clock.seconds()
        return Event(name, at, identity, call.user_agent, given or None, made, reply.error)


def made_key(key_id: str, user: str) -> dict[str, Any]:
    """What a trail says of a key that was made; never its secret."""
    return {"accessKey": {"accessKeyId": key_id, "status": "Active", "userName": user}}


def _body(environ: Environ) -> bytes:
    if environ.get("wsgi.input_terminated"):
        return bytes(environ["wsgi.input"].read())
    return bytes(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)))


def _status_line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"


def _wait_for_the_client_to_leave(environ: Environ) -> None:
    connection: socket.socket = environ["werkzeug.socket"]
    try:
        while not select.select([connection], [], [], 1.0)[0] or connection.recv(1, socket.MSG_PEEK):
            time.sleep(0.01)
    except OSError:
        pass
