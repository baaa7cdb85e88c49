"""The one process per host, user and access token that lets the SDK be used: its loop, its socket, its end.

Rules this file keeps:
- One connection carries one request; the id is echoed, and the peer's uid must be ours.
- It leaves when idle, when told, when its socket is no longer its own, and when a newer client asks; whoever
  has connected by then is still answered, or told that nothing was done for it.
- Losing it at any moment loses nothing: it keeps nothing that cannot be asked for again.
"""

from __future__ import annotations

import contextlib
import os
import resource
import selectors
import signal
import socket
import time
from collections.abc import Callable, Iterator

from bitwarden_vault.budget import Budget, Window
from bitwarden_vault.dispatch import Dispatch
from bitwarden_vault.errand import Errand
from bitwarden_vault.errors import VaultError, to_wire
from bitwarden_vault.handover import Handover, unpack_handover
from bitwarden_vault.line import Line
from bitwarden_vault.login import Login
from bitwarden_vault.login_state import open_login_state
from bitwarden_vault.operations import READS, RESERVE, WRITES, window_of_request
from bitwarden_vault.places import peer_uid
from bitwarden_vault.staff import Employment, Worker
from bitwarden_vault.wire import Message

BACKLOG = 4096
DESCRIPTORS = 65_536
"""As many clients at once; the usual soft limit of 1,024 is less than a busy scheduler has tasks."""
_LOOK_AT_SOCKET = 30.0
"""Seconds between looks whether the socket's path still leads here; cleaners of /tmp remove such files."""
_FLUSH_WITHIN = 2.0
_CLOUD = ("bitwarden.com", "bitwarden.eu")


class Agent:
    """A listening socket and those who came through it."""

    def __init__(self, handover: Handover, listener: socket.socket, *, may_idle_out: bool) -> None:
        settings = handover.settings
        self._handover, self._listener, self._may_idle_out = handover, listener, may_idle_out
        self._inode = os.stat(handover.path).st_ino  # noqa: PTH116 - as everywhere in this package
        self._selector = selectors.DefaultSelector()
        self._lines: set[Line] = set()
        self._errands: dict[Line, Errand] = {}
        self._last_request = time.monotonic()
        state = open_login_state(settings.state_dir, settings.token.client_id)
        setup = {
            "token": settings.token.text,
            "organization_id": settings.organization_id,
            "api_url": settings.api_url,
            "identity_url": settings.identity_url,
            "network": dict(settings.network),
            "state": state.path,
        }
        employment = Employment(self._selector, setup, state.pass_fds, handover.path)
        self._dispatch = Dispatch(
            settings.organization_id,
            settings.deadline,
            Login(state.age),
            Budget(on=_is_cloud(settings.api_url)),
            lambda: Worker(employment, on_message=self._dispatch.hear, on_lost=self._dispatch.lose),
        )

    def run(self) -> None:
        """Serve until it is time to leave."""
        self._listener.settimeout(0)
        self._listener.listen(BACKLOG)
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        with _woken_by_signals(self._selector, self._leave):
            self._dispatch.workers.append(self._dispatch.hire())
            wake = 0.0
            while not (self._dispatch.leaving and self._dispatch.is_free):
                for key, events in self._selector.select(max(0.0, wake - time.monotonic())):
                    turn: Callable[[int], None] = key.data
                    turn(events)
                now = time.monotonic()
                wake = min(self._dispatch.turn(now), self._look_after_itself(now))
            self._dispatch.dismiss()
            self._flush()

    # Coming in

    def _accept(self, _events: int) -> None:
        while True:
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
        line: Line = Line(
            sock,
            self._selector,
            on_message=lambda message: self._hear_or_hang_up(line, message),
            on_end=lambda: self._client_is_gone(line),
        )
        self._lines.add(line)

    def _client_is_gone(self, line: Line) -> None:
        """What nobody waits for any more is not begun."""
        self._lines.discard(line)
        errand = self._errands.pop(line, None)
        if errand in self._dispatch.waiting:
            self._dispatch.waiting.remove(errand)

    def _hear_or_hang_up(self, line: Line, message: Message) -> None:
        try:
            self._hear(line, message)
        except (KeyError, TypeError, ValueError):  # not one of our clients
            self._client_is_gone(line)
            line.close()

    def _hear(self, line: Line, message: Message) -> None:
        request_id = str(message.get("id"))

        def tell(answer: Message) -> bool:
            return line.send({"id": request_id, **answer})

        operation = message.get("operation")
        if operation == "status":
            tell({"result": self._status()})
        elif operation == "stop":
            self._leave()
            tell({"result": {"pid": os.getpid()}})
        elif self._dispatch.leaving or int(message["build"]) > self._handover.build:
            self._leave()
            tell({"moved": True})
        elif operation in READS | WRITES | {RESERVE}:
            self._take(line, message, tell)
        else:
            tell({"error": to_wire(VaultError(f"the agent knows no operation {operation!r}"))})

    def _take(self, line: Line, message: Message, tell: Callable[[Message], bool]) -> None:
        self._last_request = time.monotonic()
        errand = Errand(
            request_id=str(message["id"]),
            operation=message["operation"],
            arguments=message["arguments"],
            caller=message["caller"],
            reservation=message["reservation"],
            window=self._window(message),
            deadline=float(message["deadline"]),
            give_up_at=self._last_request + float(message["patience"]),
            tell=tell,
        )
        if tell({"accepted": True}):
            self._errands[line] = errand
            self._dispatch.waiting.append(errand)

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
        }

    # Going away

    def _look_after_itself(self, now: float) -> float:
        """Leave when there is a reason; the moment of the next look."""
        if self._dispatch.leaving:
            return now + _LOOK_AT_SOCKET
        idle_at = self._last_request + self._handover.settings.idle_exit
        if not self._owns_path() or (self._may_idle_out and self._dispatch.is_free and idle_at <= now):
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
        while any(line.has_unsent for line in self._lines) and time.monotonic() < end:
            for key, events in self._selector.select(0.05):
                key.data(events)


def _is_cloud(api_url: str) -> bool:
    host = api_url.split("/")[2].partition(":")[0]
    return any(host == cloud or host.endswith(f".{cloud}") for cloud in _CLOUD)


@contextlib.contextmanager
def _woken_by_signals(selector: selectors.BaseSelector, leave: Callable[[], None]) -> Iterator[None]:
    """A signal ends the wait; Python would otherwise resume it and let the handler do nothing."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for end in (ours, theirs):
            end.settimeout(0)

        def turn(_events: int) -> None:
            ours.recv(64)
            leave()

        selector.register(ours, selectors.EVENT_READ, turn)
        signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)
        try:
            yield
        finally:
            signal.set_wakeup_fd(-1)
            selector.unregister(ours)


def prepared(handover: Handover, listener: socket.socket, *, may_idle_out: bool) -> Agent:
    """An agent in this process, and the process made fit for it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold the token
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if most == resource.RLIM_INFINITY else min(most, DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    return Agent(handover, listener, may_idle_out=may_idle_out)


def main(descriptor: int) -> None:
    """Serve on the listening socket that the starter made."""
    with os.fdopen(0, "rb") as pipe:
        packed = pipe.read()
    os.open(os.devnull, os.O_RDONLY)  # takes the number 0, so that nothing else gets it
    listener = socket.socket(fileno=descriptor)
    os.set_inheritable(descriptor, False)  # noqa: FBT003 - positional only
    agent = prepared(unpack_handover(packed), listener, may_idle_out=True)
    agent.run()
    os._exit(0)  # so that who waits for our end (of file) sees the end of the process, not of an object
