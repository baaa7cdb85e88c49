"""One request to the agent: connect (starting one if there is none), ask, and wait for the one answer.

Rules this file keeps:
- One connection per call: after an interruption a kept one would give the next caller this call's answer.
- A write is asked again only while the agent has not said that it is being sent.
- Every wait has an end, also where the agent is stopped or swapped out.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from typing import Any

from bitwarden_vault.agent_socket import peer_uid, socket_path
from bitwarden_vault.build import build
from bitwarden_vault.errors import (
    AgentUnavailable,
    NoAnswerInTime,
    OutcomeUnknown,
    RefusedToken,
    VaultError,
    from_wire,
)
from bitwarden_vault.operations import WRITES
from bitwarden_vault.settings import Settings
from bitwarden_vault.wire import BrokenFrame, Channel, Message

_ACCEPTS_WITHIN = 15.0
_MARGIN = 10.0
"""Seconds beyond the agent's own limits before it is taken to be stuck."""
_START_WITHIN = 15.0
_TRIES = 4
_PAUSE = 0.005

_AGAIN: Message = {"moved": True}
_warned: set[tuple[int, str]] = set()


def ask(settings: Settings, request: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """The result of a request. Raises: VaultError."""
    path = socket_path(settings)
    give_up_at = time.monotonic() + settings.patience
    for _ in range(_TRIES):
        message = {
            **request,
            "id": os.urandom(8).hex(),
            "build": build(),
            "deadline": settings.deadline,
            "patience": max(0.0, give_up_at - time.monotonic()),
            "cache_life": settings.cache_life,
        }
        with _connected(settings, path) as sock:
            answer = _Conversation(Channel(sock), message, settings).run()
        if "error" in answer:
            raise _complete(from_wire(answer["error"]), settings)
        if "notice" in answer:
            _warn_once(answer["notice"])
        if "moved" not in answer:
            return answer["result"]
    raise AgentUnavailable(_ends_at_once(path))


def _complete(error: VaultError, settings: Settings) -> VaultError:
    """An agent knows only what it can use; that there was meant to be a second token is known here."""
    if isinstance(error, RefusedToken) and settings.next_is_wrong:
        return RefusedToken(f"{error.message}. The second slot cannot take over: {settings.next_is_wrong}")
    return error


def _warn_once(notice: str) -> None:
    """Once in each process, forked ones included, that people should do something."""
    if (os.getpid(), notice) not in _warned:
        _warned.add((os.getpid(), notice))
        import logging  # noqa: PLC0415 - rarely needed, and every task pays for imports

        logging.getLogger(__name__).warning("%s", notice)


def ask_if_there(settings: Settings, operation: str, *, until_gone: bool = False) -> Any:  # noqa: ANN401 - JSON
    """The agent's own answer, or None where none runs; `until_gone` waits for its end."""
    sock = _connect(socket_path(settings))
    if sock is None:
        return None
    with sock:
        channel = Channel(sock)
        message = {"id": os.urandom(8).hex(), "operation": operation}
        answer = _Conversation(channel, message, settings).run()
        if until_gone:
            sock.settimeout(settings.deadline + _MARGIN)
            try:
                channel.receive()
            except (OSError, BrokenFrame):
                raise AgentUnavailable("the agent does not leave: it still waits for Bitwarden") from None
    return answer.get("result")


class _Conversation:
    """What is said on one connection, and how far the request is."""

    def __init__(self, channel: Channel, message: Message, settings: Settings) -> None:
        self._channel, self._message, self._settings = channel, message, settings
        self._is_sent = False

    def run(self) -> Message:
        """The last word; `moved` where nothing was done and another agent must be asked."""
        self._channel.sock.settimeout(_ACCEPTS_WITHIN)
        try:
            self._channel.send(self._message)
            return self._listen()
        except TimeoutError:
            return self._lost("the agent does not answer; end it (`python -m bitwarden_vault agent`)")
        except BrokenFrame:
            return self._lost("what answers on the agent's socket is not our agent")
        except OSError:
            return self._gone()

    def _listen(self) -> Message:
        while (said := self._channel.receive()) is not None:
            if said.get("id") != self._message["id"]:
                raise BrokenFrame("an answer to another request")
            if not any(word in said for word in ("accepted", "waiting", "sending")):
                return said
            self._is_sent = "sending" in said
            patience = 0.0 if self._is_sent else self._message["patience"]
            self._channel.sock.settimeout(patience + self._settings.deadline + _MARGIN)
        return self._gone()

    def _gone(self) -> Message:
        """The agent ended; a read is simply asked again."""
        if self._is_sent and self._message["operation"] in WRITES:
            raise OutcomeUnknown("the agent died while the write was being sent: read back and compare")
        return _AGAIN

    def _lost(self, why: str) -> Message:
        if self._is_sent and self._message["operation"] in WRITES:
            raise OutcomeUnknown(f"the write was being sent, but {why}")
        raise NoAnswerInTime(why) if self._is_sent else AgentUnavailable(why)


def _connected(settings: Settings, path: str) -> socket.socket:
    """A connection, from an agent that is there or one that is started now."""
    give_up_at = time.monotonic() + _START_WITHIN
    starts = 0
    while (sock := _connect(path)) is None:
        from bitwarden_vault.start import start  # noqa: PLC0415 - rarely needed, and every task pays for imports

        if starts == _TRIES:
            raise AgentUnavailable(_ends_at_once(path))
        if start(settings, path):
            starts += 1
        elif time.monotonic() > give_up_at:
            raise AgentUnavailable(f"somebody has been starting the agent for too long: see {path}.lock")
        else:
            time.sleep(_PAUSE)
    return sock


def _ends_at_once(path: str) -> str:
    return f"the agent ends before it answers, each time it is started: see {path}.log"


def _connect(path: str) -> socket.socket | None:
    """A connection to our own agent; None where nobody listens."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _dial(sock, path)
        _check_peer(sock, path)
    except (FileNotFoundError, ConnectionRefusedError):
        sock.close()
        return None
    except OSError as wrong:
        sock.close()
        raise AgentUnavailable(
            f"the agent's socket {path} cannot be used: {wrong.strerror or wrong}"
        ) from None
    except BaseException:
        sock.close()
        raise
    return sock


def _dial(sock: socket.socket, path: str) -> None:
    """Connect, again and again where more callers come at once than the kernel lets queue.

    Raises: OSError, AgentUnavailable.
    """
    give_up_at = time.monotonic() + _START_WITHIN
    sock.settimeout(_ACCEPTS_WITHIN)
    while True:
        try:
            sock.connect(path)
        except BlockingIOError:
            if time.monotonic() > give_up_at:
                raise AgentUnavailable("the agent takes no more connections; is it stopped?") from None
            time.sleep(_PAUSE)
        else:
            return


def _check_peer(sock: socket.socket, path: str) -> None:
    if peer_uid(sock) != os.geteuid():
        raise AgentUnavailable(f"the socket {path} is served by somebody else")
