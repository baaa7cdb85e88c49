"""What the agent writes down of every request that it serves or sends, in passing.

Rules this file keeps:
- A write has a line on the disk before it is sent, and one before its answer is told; others within a second.
- What was answered from memory is a line too.
- A trail that cannot be written stops nobody, and is told; with `BITWARDEN_AUDIT_REQUIRED` nobody is served.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bitwarden_vault.agent.request import Request
from bitwarden_vault.agent.token_slots import TokenSlots
from bitwarden_vault.audit.settings import checkpoint_folder
from bitwarden_vault.audit.subject import claims, subject
from bitwarden_vault.errors import AgentUnavailable, VaultError, to_wire
from bitwarden_vault.operations import LOOK_UP, WRITES
from bitwarden_vault.settings import Settings
from bitwarden_vault.untyped import TYPE_CHECKING
from bitwarden_vault.wire import Message

if TYPE_CHECKING:
    from bitwarden_vault.audit.segments import Segments

FLUSH_AFTER = 1.0
"""Seconds that a line may wait for the disk."""
SENT, NOT_SENT, NOTHING = "sent", "not_sent", "nothing"
Tell = Callable[[Message], bool]


class Trail:
    """The trail of one agent; without segments nothing is written."""

    def __init__(
        self, segments: Segments | None, slots: TokenSlots, say: Callable[[str], None], *, required: bool
    ) -> None:
        self._segments, self._slots, self._say, self._is_required = segments, slots, say, required
        self._count = 0
        self._flush_at = math.inf
        self._told = ""
        if segments is not None:
            self._note({"operation": "start"}, at_once=True)
            self._settle(time.monotonic())

    def watched(self, message: Message, tell: Tell, peer: tuple[int, int]) -> Tell:
        """Tells a client, and writes down what became of its request."""
        if self._segments is None:
            return tell
        pid, uid = peer
        caller, arguments = message.get("caller", {}), message.get("arguments", {})
        who = {"claimed": claims(caller), "uid": uid, "pid": pid}
        return self._watch(str(message.get("operation"))[:40], arguments, who, tell)

    def sent_for_lookup(self, request: Request) -> Request:
        """A request of the agent's own, on behalf of who looked something up."""
        if self._segments is not None:
            who = {"claimed": claims(request.caller), "for": LOOK_UP}
            request.tell = self._watch(request.operation, request.arguments, who, request.tell)
        return request

    def watch_login(self) -> Tell:
        """A login, as if somebody had asked for it."""
        return self._watch("log_in", {}, {"token": self._token}, lambda _: True)

    def refusal(self) -> VaultError | None:
        """Why nobody may be served now."""
        if self._segments is None or not self._is_required or not self._segments.trouble:
            return None
        self._flush()  # there may be room again
        if not self._segments.trouble:
            return None
        return AgentUnavailable(
            f"the audit trail cannot be written and BITWARDEN_AUDIT_REQUIRED is set; "
            f"Bitwarden was not asked. {self._segments.trouble}"
        )

    def turn(self, now: float) -> float:
        """Bring to the disk what has waited long enough; the moment of the next time."""
        if now >= self._flush_at:
            self._settle(now)
        return self._flush_at

    def status(self) -> Message:
        """For people who ask the agent."""
        if self._segments is None:
            return {"audit": "off: BITWARDEN_AUDIT_PATH is not set"}
        said: Message = {"audit": self._segments.path, "audit_lines": self._segments.sequence}
        if self._segments.trouble:
            said["audit_trouble"] = self._segments.trouble
        if self._segments.lost:
            said["audit_lines_lost"] = self._segments.lost
        return said

    def end(self) -> None:
        """The agent leaves."""
        if self._segments is not None:
            self._segments.end()
            self._complain()

    def _watch(self, operation: str, arguments: object, who: Message, tell: Tell) -> Tell:
        if self._segments is None:
            return tell
        self._count += 1
        return _Watch(self, self._count, operation, arguments, who, tell).tell

    @property
    def _token(self) -> str:
        return self._slots.tokens[self._slots.current].client_id if self._slots.tokens else ""

    def _note(self, said: Message, *, at_once: bool) -> bool:
        """Write it down; False where it should be on the disk and is not, though it must be."""
        if self._segments is None:
            return True
        self._segments.add({"token": self._token, **said})
        self._flush_at = min(self._flush_at, time.monotonic() + FLUSH_AFTER)
        return not at_once or self._flush() or not self._is_required

    def _flush(self) -> bool:
        is_written = self._segments is not None and self._segments.write()
        self._complain()
        return is_written

    def _settle(self, now: float) -> None:
        if self._segments is not None:
            self._segments.settle()
            self._flush_at = now + FLUSH_AFTER if self._segments.is_behind else math.inf
            self._complain()

    def _complain(self) -> None:
        """Once for each trouble, into the agent's log."""
        trouble = self._segments.trouble if self._segments is not None else ""
        if trouble != self._told:
            self._told = trouble
            self._say(f"audit: {trouble}" if trouble else "audit: written again")


@dataclass(slots=True, eq=False)
class _Watch:
    """One request, from its arrival to its last word."""

    trail: Trail
    number: int
    operation: str
    arguments: object = field(repr=False)
    who: Message
    pass_on: Tell
    begun_at: float = field(default_factory=time.monotonic)
    sent: int = 0
    has_waited: bool = False

    def tell(self, answer: Message) -> bool:
        """Pass it on, after writing it down."""
        if "sending" in answer:
            return self._send(answer)
        if "waiting" in answer:
            self.has_waited = True
        elif "error" in answer:
            self._note(str(answer["error"].get("kind")), answer)
        elif "result" in answer:
            is_nothing = answer["result"] is None and self.operation == LOOK_UP
            self._note(NOTHING if is_nothing else "ok", answer)
        elif "moved" in answer and self.sent:
            self._note("moved", answer)
        return self.pass_on(answer)

    def _send(self, answer: Message) -> bool:
        self.sent += 1
        if self.operation not in WRITES:
            return self.pass_on(answer)
        if not self._note(SENT, answer):
            self.tell({"error": to_wire(self.trail.refusal() or AgentUnavailable("try again"))})
            return False
        is_there = self.pass_on(answer)
        if not is_there:
            self._note(NOT_SENT, answer)
        return is_there

    def _note(self, outcome: str, answer: Message) -> bool:
        said: Message = {
            "request": self.number,
            "operation": self.operation,
            **subject(self.operation, self.arguments, answer),
            "outcome": outcome,
            **self.who,
            "ms": round((time.monotonic() - self.begun_at) * 1000, 3),
        }
        if self.operation == LOOK_UP:
            said["from"] = "bitwarden" if self.has_waited else "memory"
        if self.sent:
            said["sent"] = self.sent
        return self.trail._note(said, at_once=self.operation in WRITES)  # noqa: SLF001 - one idea in two classes


def open_trail(settings: Settings, slots: TokenSlots, say: Callable[[str], None]) -> Trail:
    """The trail that these settings want. Raises: Misconfigured (its key)."""
    segments = None
    if settings.audit_path is not None:
        from bitwarden_vault.audit.line import read_key  # noqa: PLC0415 - without a trail nobody waits for it
        from bitwarden_vault.audit.segments import Segments  # noqa: PLC0415 - as above

        checkpoints = checkpoint_folder(settings.audit_path, settings.audit_checkpoint)
        segments = Segments(settings.audit_path, checkpoints, read_key(settings.audit_key_file))
    return Trail(segments, slots, say, required=settings.audit_required)
