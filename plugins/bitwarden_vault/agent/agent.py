"""The one process per host, user and access token that lets the SDK be used: its loop, its socket, its end.

Rules this file keeps:
- One connection carries one request; the id is echoed, and the peer's uid must be ours.
- It leaves when idle, when told, when its socket is no longer its own, and when a newer client asks; whoever
  has connected by then is still answered, or told that nothing was done for it.
- Losing it at any moment loses nothing: it keeps nothing that cannot be asked for again.
"""

from __future__ import annotations

import math
import os
import resource
import selectors
import socket
import sys
import time
from collections.abc import Callable

from bitwarden_vault.agent.audit_trail import open_trail
from bitwarden_vault.agent.budget import Budget, Window
from bitwarden_vault.agent.connection import Connection
from bitwarden_vault.agent.dispatch import Dispatch
from bitwarden_vault.agent.fetches import Asker
from bitwarden_vault.agent.login import Login
from bitwarden_vault.agent.lookups import Lookup, Lookups
from bitwarden_vault.agent.request import Request
from bitwarden_vault.agent.request_form import insist_on_form
from bitwarden_vault.agent.signals import woken_by_signals
from bitwarden_vault.agent.token_slots import TokenSlots
from bitwarden_vault.agent.worker_handle import Worker, worker_setup
from bitwarden_vault.agent_socket import peer, peer_uid
from bitwarden_vault.errors import VaultError, to_wire
from bitwarden_vault.handover import Handover, unpack_handover
from bitwarden_vault.login_state import open_login_state
from bitwarden_vault.operations import LOOK_UP, READS, RESERVE, WRITES, window_of_request
from bitwarden_vault.readers.watch import ReaderWatch
from bitwarden_vault.wire import Message
from bitwarden_vault.worker_process import MOST_SLOTS, FirstWorker, leave_no_core_file

BACKLOG = 4096
DESCRIPTORS = 65_536
"""As many clients at once; the usual soft limit of 1,024 is less than a busy scheduler has tasks."""
_LOOK_AT_SOCKET = 30.0
"""Seconds between looks whether the socket's path still leads here; cleaners of /tmp remove such files."""
_FLUSH_WITHIN = 2.0
_CLOUD = ("bitwarden.com", "bitwarden.eu")


class Agent:
    """A listening socket and those who came through it."""

    def __init__(
        self, handover: Handover, listener: socket.socket, first: FirstWorker | None, *, may_idle_out: bool
    ) -> None:
        settings = handover.settings
        self._handover, self._listener, self._may_idle_out = handover, listener, may_idle_out
        self._inode = os.stat(handover.path).st_ino  # noqa: PTH116 - as everywhere in this package
        self._selector = selectors.DefaultSelector()
        self._connections: set[Connection] = set()
        self._requests: dict[Connection, Request] = {}
        self._last_request = time.monotonic()
        memory = first.memory if first else (None,) * MOST_SLOTS
        states = [
            open_login_state(settings.state_dir, token.client_id, place)
            for token, place in zip(settings.tokens, memory, strict=False)
        ]
        self._worker_setup = worker_setup(self._selector, settings, states, handover.path)
        self._begun = (first.pid, first.descriptor) if first else None
        token_slots = TokenSlots(settings.tokens, [state.age for state in states], _note)
        self._trail = open_trail(settings, token_slots, _note)
        self._readers = ReaderWatch(settings, handover.path, _note)
        self._dispatch = Dispatch(
            settings.organization_id,
            settings.deadline,
            Login(states[0].age),
            Budget(on=_is_cloud(settings.api_url)),
            self._start_worker,
            token_slots,
            self._trail.watch_login,
        )
        self._lookups = Lookups(
            settings.organization_id,
            settings.cache_life,
            lambda request: self._dispatch.waiting.append(self._trail.sent_for_lookup(request)),
        )

    def run(self) -> None:
        """Serve until it is time to leave."""
        self._listener.settimeout(0)
        self._listener.listen(BACKLOG)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        with woken_by_signals(self._selector, self._leave):
            self._dispatch.workers.append(self._dispatch.start_worker())
            wake = 0.0
            while not (self._dispatch.leaving and self._dispatch.is_free):
                for key, events in self._selector.select(max(0.0, wake - time.monotonic())):
                    turn: Callable[[int], None] = key.data
                    turn(events)
                now = time.monotonic()
                parts = self._dispatch.turn, self._look_after_itself, self._lookups.sweep, self._trail.turn
                wake = min([turn_of(now) for turn_of in (*parts, self._readers.turn)])
            self._dispatch.dismiss()
            self._flush()
            self._trail.end()
            self._readers.end()

    def _start_worker(self) -> Worker:
        begun, self._begun = self._begun, None
        return Worker(self._worker_setup, begun, on_message=self._dispatch.hear, on_lost=self._dispatch.lose)

    # Coming in

    def _accept(self, _events: int) -> None:
        while self._listener.fileno() >= 0:  # what a guest asks for may be that we leave
            try:
                sock, _ = self._listener.accept()
            except BlockingIOError:
                return
            except OSError:
                time.sleep(0.01)  # descriptors ran out: without a pause this would spin
                return
            if peer_uid(sock) != os.geteuid():
                sock.close()
                continue
            self._welcome(sock)

    def _welcome(self, sock: socket.socket) -> None:
        connection: Connection = Connection(
            sock,
            self._selector,
            on_message=lambda message: self._hear_or_hang_up(connection, message),
            on_end=lambda: self._client_is_gone(connection),
        )
        self._connections.add(connection)
        connection.turn(selectors.EVENT_READ)  # the request is there already, as a rule: no further round

    def _client_is_gone(self, connection: Connection) -> None:
        """What nobody waits for any more is not begun."""
        self._connections.discard(connection)
        request = self._requests.pop(connection, None)
        if request in self._dispatch.waiting:
            self._dispatch.waiting.remove(request)

    def _hear_or_hang_up(self, connection: Connection, message: Message) -> None:
        try:
            insist_on_form(message)
            self._hear(connection, message)
        except (KeyError, TypeError, ValueError):  # not one of our clients
            self._client_is_gone(connection)
            connection.close()

    def _hear(self, connection: Connection, message: Message) -> None:
        request_id = str(message.get("id"))

        def send(answer: Message) -> bool:
            return connection.send({"id": request_id, **self._dispatch.slots.notice, **answer})

        asker = peer(connection.sock)
        tell = self._readers.watched(message, self._trail.watched(message, send, asker), asker[0])
        operation = message.get("operation")
        if operation == "status":
            tell({"result": self._status()})
        elif operation == "stop":
            self._leave()
            tell({"result": {"pid": os.getpid()}})
        elif self._dispatch.leaving or int(message["build"]) > self._handover.build:
            self._leave()
            tell({"moved": True})
        elif (refusal := self._trail.refusal()) is not None:
            tell({"error": to_wire(refusal)})
        elif operation == LOOK_UP:
            self._look_up(message, tell)
        elif operation in WRITES:
            self._take(connection, message, self._watched(message, tell))
        elif operation in READS | {RESERVE}:
            self._take(connection, message, tell)
        else:
            tell({"error": to_wire(VaultError(f"the agent knows no operation {operation!r}"))})

    def _take(self, connection: Connection, message: Message, tell: Callable[[Message], bool]) -> None:
        self._last_request = time.monotonic()
        request = Request(
            operation=message["operation"],
            arguments=message["arguments"],
            caller=message["caller"],
            reservation=message.get("reservation"),
            window=self._window(message),
            deadline=float(message["deadline"]),
            give_up_at=self._last_request + float(message["patience"]),
            tell=tell,
        )
        if tell({"accepted": True}):
            self._requests[connection] = request
            self._dispatch.waiting.append(request)

    def _look_up(self, message: Message, tell: Callable[[Message], bool]) -> None:
        now = self._last_request = time.monotonic()
        arguments = message["arguments"]
        give_up_at = now + float(message["patience"])
        asker = Asker(message["caller"], float(message["deadline"]), give_up_at, tell)
        wanted = arguments["key"], tuple(arguments["projects"])
        life = float(message.get("cache_life", math.inf))  # an older client says none
        self._lookups.take(Lookup(wanted, asker, now, is_fresh_wanted=arguments["fresh"], cache_life=life))

    def _watched(self, message: Message, tell: Callable[[Message], bool]) -> Callable[[Message], bool]:
        """Tells the lookups when a write may begin to count, and when it has ended."""
        changed = message["operation"], message["arguments"]

        def tell_both(said: Message) -> bool:
            self._lookups.changed(*changed)
            return tell(said)

        return tell_both

    def _window(self, message: Message) -> Window | None:
        if message["operation"] == RESERVE:
            return None
        organization = self._handover.settings.organization_id
        return window_of_request(message["operation"], organization, message["arguments"])

    def _status(self) -> Message:
        dispatch = self._dispatch
        return {
            "running": True,
            "pid": os.getpid(),
            "version": self._handover.build,
            "logins": dispatch.login.count,
            "requests": dict(dispatch.sent),
            "workers": [worker.pid for worker in dispatch.workers],
            "waiting": len(dispatch.waiting),
            "remembered": len(self._lookups),
            "token": dispatch.slots.in_use,
            **self._trail.status(),
            **self._readers.status(),
            **dispatch.slots.notice,
        }

    # Going away

    def _look_after_itself(self, now: float) -> float:
        """Leave when there is a reason; the moment of the next look."""
        if self._dispatch.leaving:
            return now + _LOOK_AT_SOCKET
        idle_at = self._last_request + self._handover.settings.idle_exit
        may_go = self._may_idle_out and self._dispatch.is_free and not self._readers.is_needed
        if not self._owns_path() or (may_go and idle_at <= now):
            self._leave()
            return now
        return min(now + _LOOK_AT_SOCKET, max(idle_at, now + 1.0))

    def _owns_path(self) -> bool:
        try:
            return os.stat(self._handover.path).st_ino == self._inode  # noqa: PTH116 - as everywhere in this package
        except OSError:
            return False

    def _leave(self) -> None:
        """Take the socket away first, then whoever still came through it."""
        if self._dispatch.leaving:
            return
        if self._owns_path():
            os.unlink(self._handover.path)  # noqa: PTH108 - as everywhere in this package
        self._dispatch.leave()
        self._accept(0)
        self._selector.unregister(self._listener)
        self._listener.close()

    def _flush(self) -> None:
        """Answers that clients have not taken yet; and those who connected last are told to go elsewhere."""
        end = time.monotonic() + _FLUSH_WITHIN
        while any(connection.has_unsent for connection in self._connections) and time.monotonic() < end:
            for key, events in self._selector.select(0.05):
                key.data(events)


def _note(text: str) -> None:
    """What nobody who asked can be told, into the file beside the socket, or a service's own output."""
    sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}\n")
    sys.stderr.flush()


def _is_cloud(api_url: str) -> bool:
    host = api_url.split("/")[2].partition(":")[0]
    return any(host == cloud or host.endswith(f".{cloud}") for cloud in _CLOUD)


def prepared(
    handover: Handover, listener: socket.socket, first: FirstWorker | None = None, *, may_idle_out: bool
) -> Agent:
    """An agent in this process, and the process made fit for it."""
    leave_no_core_file()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if most == resource.RLIM_INFINITY else min(most, DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    return Agent(handover, listener, first, may_idle_out=may_idle_out)


def main(descriptor: int, first: FirstWorker, packed: bytes) -> None:
    """Serve on the starter's listening socket, with what it handed over and a worker that is on its way."""
    listener = socket.socket(fileno=descriptor)
    agent = prepared(unpack_handover(packed), listener, first, may_idle_out=True)
    agent.run()
    os._exit(0)  # so that who waits for our end (of file) sees the end of the process, not of an object
