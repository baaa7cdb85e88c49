"""A process that runs the SDK, one call at a time, for its agent: the only importer of the SDK.

Rules this file keeps:
- The SDK holds the GIL and has no timeout: the agent kills this process at the deadline; a kernel timer
  with the default action does the same where the agent itself is gone or stopped.
- It ends when its agent does (end of file), and keeps nothing.
- Nothing is printed: answers go through the socket, errors as verdicts.
"""

from __future__ import annotations

import _socket
import os
import signal
import sys

from bitwarden_vault.agent.sdk_calls import CALLS
from bitwarden_vault.agent.sdk_core import SdkCore
from bitwarden_vault.errors import VaultError, to_wire
from bitwarden_vault.operations import LISTS, WRITES
from bitwarden_vault.untyped import Any
from bitwarden_vault.wire import Channel, Message

LATE = 0.5
"""Seconds after the agent's own deadline at which the kernel ends this process."""

_FIRST_VALUE = 2
"""After the login, the order for which whoever started the agent waits."""

_SHARES = 4.0
"""Of the deadline of a login: two waits for AWS, one for Bitwarden, and the import of AWS's client."""


class Session:
    """The SDK client of this process and the login that it holds."""

    def __init__(self, core: SdkCore, setup: Message) -> None:
        self._core, self._setup = core, setup
        self._slots = setup.get("slots") or [setup]  # an agent that is older than we are has one, unlisted
        self._generation = 0

    def answer(self, order: Message) -> Message:
        """Carry out one order; a failure says at which stage it happened."""
        stage, fetched = "login", None
        try:
            if order["generation"] != self._generation:
                fetched = self._log_in(order)
                self._generation = order["generation"]
            if order["operation"] == "log_in":
                return {"result": fetched}
            stage = "call"
            call = CALLS[order["operation"]]
            return {"result": call(self._core, self._setup["organization_id"], order["arguments"])}
        except VaultError as error:
            return {"error": to_wire(error), "stage": stage}
        except BaseException as error:  # noqa: BLE001 - a panic of the SDK's Rust core is a BaseException
            return {"error": self._verdict(error, order, stage), "stage": stage}

    def _log_in(self, order: Message) -> str | None:
        """Log in; with a state that another worker left this makes no request.

        The token's text where it had to be fetched, for the agent to keep: nobody else fetches it then.
        """
        slot = self._slots[order.get("slot", 0)]
        source, known = slot.get("source"), slot["token"] or order.get("token")
        if order["fresh"]:
            os.truncate(slot["state"], 0)
        refusal: Exception | None = None
        if known:
            try:
                self._enter(known, slot)
            except Exception as error:
                from bitwarden_vault.agent.sdk_errors import is_refused_login  # noqa: PLC0415 - most logins succeed

                if not (source and order["fresh"] and is_refused_login(error)):
                    raise
                refusal = error  # has it been replaced there?
            else:
                return None
        from bitwarden_vault.agent.aws_source import fetch_token  # noqa: PLC0415 - few have one, and a lookup waits

        fetched = fetch_token(source, within=order["deadline"] / _SHARES)
        if refusal is not None and fetched == known:
            raise refusal
        self._enter(fetched, slot)
        return fetched

    def _enter(self, token: str, slot: Message) -> None:
        self._core.log_in(token, slot["state"])

    def _verdict(self, error: BaseException, order: Message, stage: str) -> dict[str, object]:
        from bitwarden_vault.agent.sdk_errors import classify  # noqa: PLC0415 - the first lookup waits for imports

        verdict = classify(
            error,
            api_url=self._setup["api_url"],
            identity_url=self._setup["identity_url"],
            is_write=stage == "call" and order["operation"] in WRITES,
            is_list=stage == "call" and order["operation"] in LISTS,
        )
        return {"kind": verdict.kind, "message": verdict.message, "retry_after": verdict.retry_after}


def serve(channel: Channel) -> None:
    """Take orders until the agent is gone."""
    module = _imported()
    setup = channel.receive()
    if setup is None:
        return
    core = _opened(module, setup)
    if "organization_id" not in setup:  # a first worker hears first where Bitwarden is
        more = channel.receive()
        if more is None:
            return
        setup = more
    if isinstance(core, BaseException):
        channel.send({"broken": _why_broken(core)})
        return
    session = Session(core, setup)
    channel.send({"ready": os.getpid()})
    orders = 0
    while _carry_out(channel, session):
        orders += 1
        if orders == _FIRST_VALUE:
            _know_errors()


def _know_errors() -> None:
    """Nobody waits for this import now, and later the file may be another release's."""
    import bitwarden_vault.agent.sdk_errors  # noqa: F401, PLC0415 - see above


def _carry_out(channel: Channel, session: Session) -> bool:
    """Wait for one order and answer it; False when the agent is gone.

    A function of its own, so that no value of an order is kept while the next one is waited for.
    """
    order = channel.receive()
    if order is None:
        return False
    signal.setitimer(signal.ITIMER_REAL, order["deadline"] + LATE)
    answer = session.answer(order)
    signal.setitimer(signal.ITIMER_REAL, 0)
    channel.send(answer)
    return True


def _imported() -> Any:
    """The SDK's core, or why it cannot be imported: told once there is an agent, which still starts."""
    try:
        import bitwarden_py  # type: ignore[import-untyped]  # noqa: PLC0415 - ships no types; failing is reported
    except BaseException as error:  # noqa: BLE001 - whatever its Rust core may raise
        return error
    return bitwarden_py


def _opened(module: Any, where: Message) -> SdkCore | BaseException:
    """A client that is not logged in yet, or why there can be none."""
    if isinstance(module, BaseException):
        return module
    os.environ.update(where["network"])  # here, because what a process is started with shows in /proc
    try:
        return SdkCore(module, api_url=where["api_url"], identity_url=where["identity_url"])
    except BaseException as error:  # noqa: BLE001 - a panic (no trust store) is a BaseException
        return error


def _why_broken(error: BaseException) -> str:
    if isinstance(error, ImportError):
        return f"bitwarden-sdk cannot be imported by {sys.executable}: pip install bitwarden-sdk there"
    from bitwarden_vault.agent.sdk_errors import classify  # noqa: PLC0415 - as above

    return classify(error, api_url="", identity_url="", is_write=False).message


def main(descriptor: int) -> None:
    """Serve on the descriptor that the agent passed."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    try:
        serve(Channel(_socket.socket(fileno=descriptor)))
    except OSError:
        os._exit(0)  # the agent is gone
    os._exit(0)  # the SDK's runtime must not delay the end
