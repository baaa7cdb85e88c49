"""The agent's knowledge of readers: noted in passing, published in batches by a process of its own.

Rules this file keeps:
- No lookup waits for it: a reader is noted a moment after its answer has left, when the next lookup of the
  same task is over as a rule, and the folder is another process's.
- Where nothing is rotated, whoever reads no secret that names a version costs nothing, imports included.
- Nothing is forgotten in silence: while it knows readers the agent does not idle out, its document outlives
  it, and the next agent of this host takes it over.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from bitwarden_vault.note import FENCE
from bitwarden_vault.operations import LOOK_UP
from bitwarden_vault.settings import Settings
from bitwarden_vault.untyped import TYPE_CHECKING, Any
from bitwarden_vault.wire import Message

if TYPE_CHECKING:
    from bitwarden_vault.readers.publishing import Publishing
    from bitwarden_vault.readers.table import ReaderTable

FIRST_LOOK = 2.0
"""Seconds after its start at which an agent looks for what dead ones left; also the first batch's."""
SECOND_LOOK = 30.0
"""Seconds after the first: an agent that this one has replaced may have taken its time to end."""
A_MOMENT = 0.02
"""Seconds from an answer to the note of it: tasks look up two or three things one after the other."""
_GIVES_SECRETS = frozenset({LOOK_UP, "get_secret", "get_secrets"})
Tell = Callable[[Message], bool]


class ReaderWatch:
    """All that one agent has to do with readers."""

    def __init__(self, settings: Settings, label: str, say: Callable[[str], None]) -> None:
        self._settings, self._label, self._say = settings, label, say
        self._table: ReaderTable | None = None
        self._publishing: Publishing | None = None
        self._look_at = time.monotonic() + FIRST_LOOK if settings.state_path else math.inf
        self._beat_at = self._look_at
        self._has_looked = False
        self._told: list[tuple[Message, int, Message]] = []
        """Who was given what since the last note: the secret without its value, the pid, what it claims."""
        self._note_at = math.inf

    @property
    def is_needed(self) -> bool:
        """It knows readers that live: nobody else would see them end."""
        return bool(self._told) or (self._table is not None and len(self._table) > 0)

    def watched(self, message: Message, tell: Tell, pid: int) -> Tell:
        """Tells a client, and notes which versions it was given."""
        caller = message.get("caller")
        is_reader = self._settings.state_path and message.get("operation") in _GIVES_SECRETS
        if not is_reader or not isinstance(caller, dict) or caller.get("keeps_nothing") is True:
            return tell

        def tell_and_note(answer: Message) -> bool:
            is_there = tell(answer)
            if is_there and answer.get("result"):
                self._keep(answer["result"], pid, caller)
            return is_there

        return tell_and_note

    def turn(self, now: float) -> float:
        """Note who reads, see who has ended, publish what has changed; the moment of the next time."""
        if now >= self._note_at:
            self._note_all()
        return min(self._note_at, self._publish(now))

    def _publish(self, now: float) -> float:
        if self._publishing is not None and self._publishing.is_under_way:
            self._end_batch(now)
        if now < self._look_at or (self._publishing is not None and self._publishing.is_under_way):
            return self._look_at
        table = self._the_table()
        table.prune()
        if table.has_changed or now >= self._beat_at:
            self._begin_batch(now)
        else:
            self._look_at = min(now + self._batches, self._beat_at) if len(table) else self._beat_at
        return self._look_at

    def status(self) -> Message:
        """For people who ask the agent."""
        if not self._settings.state_path:
            return {"readers": "not kept: there is no ROTATION_STATE_PATH and no AIRFLOW_HOME"}
        self._note_all()
        said: Message = {"readers": len(self._table) if self._table is not None else 0}
        if self._publishing is not None and self._publishing.trouble:
            said["readers_trouble"] = self._publishing.trouble
        if self._publishing is not None and self._publishing.unclear:
            said["readers_unclear"] = "; ".join(self._publishing.unclear)
        return said

    def end(self) -> None:
        """The agent leaves: who reads is written once more, for the next one to take over."""
        self._note_all()
        if self._table is None:
            return
        self._table.prune()
        if self._table.has_changed or self._the_publishing().is_under_way:
            self._the_publishing().last_words(self._table)

    def _keep(self, result: Any, pid: int, caller: Message) -> None:
        for secret in result if isinstance(result, list) else [result]:
            if isinstance(secret, dict) and (
                self._settings.is_rotation_here or FENCE in str(secret.get("note"))
            ):
                named = {name: text for name, text in secret.items() if name != "value"}
                self._told.append((named, pid, caller))
                self._note_at = min(self._note_at, time.monotonic() + A_MOMENT)

    def _note_all(self) -> None:
        told, self._told, self._note_at = self._told, [], math.inf
        for secret, pid, caller in told:
            self._note_one(secret, pid, caller)

    def _note_one(self, secret: dict[str, Any], pid: int, caller: Message) -> None:
        from bitwarden_vault.readers.table import version_of  # noqa: PLC0415 - few agents need it at their start

        version = version_of(secret)
        if version is None and not self._settings.is_rotation_here:
            return
        table = self._the_table()
        table.note(secret, version, pid, caller)
        if table.has_changed and (self._publishing is None or not self._publishing.is_under_way):
            begun_at = self._publishing.begun_at if self._publishing is not None else -math.inf
            self._look_at = min(self._look_at, max(time.monotonic() + FIRST_LOOK, begun_at + self._batches))

    def _the_table(self) -> ReaderTable:
        if self._table is None:
            from bitwarden_vault.readers.table import ReaderTable  # noqa: PLC0415 - as above

            self._table = ReaderTable()
        return self._table

    @property
    def _batches(self) -> float:
        """Seconds between batches: an object store's libraries take a second to come up."""
        return 60.0 if "://" in (self._settings.state_path or "") else 10.0

    def _the_publishing(self) -> Publishing:
        if self._publishing is None:
            from bitwarden_vault.readers.publishing import Publishing  # noqa: PLC0415 - as above

            self._publishing = Publishing(self._settings, self._label, self._say)
        return self._publishing

    def _begin_batch(self, now: float) -> None:
        publishing = self._the_publishing()
        publishing.begin(self._the_table(), now)
        self._beat_at = now + (publishing.heartbeat if self._has_looked else SECOND_LOOK)
        self._has_looked = True
        self._look_at = now + publishing.pause

    def _end_batch(self, now: float) -> None:
        publishing, table = self._the_publishing(), self._the_table()
        if not publishing.see_to_it(table, now):
            self._look_at = now + publishing.pause
            return
        table.has_changed |= bool(publishing.trouble and len(table))
        self._look_at = min(now + self._batches, self._beat_at) if len(table) else self._beat_at
