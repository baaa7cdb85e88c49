"""Who read which version of which secret, as one agent publishes it for others: the document's grammar.

    readers/<host>-<agent>.json
    {"schema": 1, "host": "worker-1", "boot": "…", "numbers": "pid:[4026531836]",
     "agent": 311, "agent_started": 5071, "written": "2026-11-26T19:40:00+00:00", "left_out": 0,
     "readers": [{"pid": 4242, "started": 91250, "program": "airflow task ru", "secret": "…", "key": "…",
                  "project": "…", "version": 3, "newest": 4, "first": "…", "last": "…", "dag": "…", …}]}

Rules this file keeps:
- Never a value; names as the audit trail has them.
- A document of another schema, or a torn one, is None: whoever reads it then knows that it does not know.
- One strange reader hides none of the others and keeps none of them alive; that there is one is told.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from bitwarden_vault.audit.subject import whole_number

SCHEMA = 1
FOLDER = "readers"
HEARTBEAT = timedelta(minutes=5)
"""An agent that knows readers writes at least as often."""
SILENT_AFTER = 3 * HEARTBEAT
"""Something has happened to an agent that has not written for so long."""
UNHEARD_AFTER = timedelta(days=1)
"""Who was last heard of so long ago is no longer waited for."""
KEPT_FOR = timedelta(days=7)
"""Pods and hosts that are gone leave their documents behind; nothing in one lives on for longer than this."""
MOST_NAMED = 3
"""Processes whose reading is not understood, in one message."""
_NO_READER = (KeyError, TypeError, ValueError, OverflowError, AttributeError)


@dataclass(frozen=True, slots=True)
class Reader:
    """A process that read a secret, and what it was at when it did."""

    pid: int
    """0: it lives where its number cannot be seen, so that nobody sees it end."""
    started: int
    """Clock ticks since boot."""
    program: str
    secret: str
    key: str
    project: str
    version: int
    """The oldest that it read: a process may keep what it once got for as long as it lives."""
    newest: int
    first: datetime
    last: datetime
    dag: str = ""
    """Empty outside any task."""
    task: str = ""
    run: str = ""
    try_number: int = 0
    user: str = ""
    """The person at a command line."""
    hands_on: bool = False
    """It asks for others (an api-server for tasks), keeps nothing, and nobody knows for whom."""


@dataclass(frozen=True, slots=True)
class ReaderDocument:
    """What one agent knew when it last wrote."""

    host: str
    boot: str
    numbers: str
    agent: int
    agent_started: int
    written: datetime
    left_out: int
    """Readers for which there was no room."""
    readers: tuple[Reader, ...]
    unclear: tuple[object, ...] = ()
    """Readers that are named, and nobody understands how: as they are written."""


def read_document(raw: Mapping[str, Any] | None) -> ReaderDocument | None:
    """The document; None where this is none."""
    try:
        if raw is None or raw["schema"] != SCHEMA:
            return None
        readers = [(one, _reader(one)) for one in raw["readers"]]
        return ReaderDocument(
            host=str(raw["host"]),
            boot=str(raw["boot"]),
            numbers=str(raw["numbers"]),
            agent=int(raw["agent"]),
            agent_started=int(raw["agent_started"]),
            written=_moment(raw["written"]),
            left_out=int(raw["left_out"]),
            readers=tuple(known for _, known in readers if known is not None),
            unclear=tuple(one for one, known in readers if known is None),
        )
    except _NO_READER:
        return None


def written(raw: Mapping[str, Any] | None) -> datetime | None:
    """When a document was written, of whatever schema it is; None where it does not say."""
    try:
        return None if raw is None else _moment(raw["written"])
    except _NO_READER:
        return None


def process_of(unclear: object) -> tuple[int, int] | None:
    """Pid and start of a reader that is not understood; None where it does not even say these."""
    if not isinstance(unclear, Mapping):
        return None
    pid, started = unclear.get("pid"), unclear.get("started")
    if type(pid) is int and type(started) is int and pid > 0:
        return pid, started
    return None


def unclear_readers(unclear: Collection[object]) -> str:
    """How many they are, and which processes, for people."""
    pids = sorted({process[0] for process in map(process_of, unclear) if process})
    named = ", ".join(f"process {pid}" for pid in pids[:MOST_NAMED])
    more = f" and {len(pids) - MOST_NAMED} more" if len(pids) > MOST_NAMED else ""
    return f"{len(unclear)} of the readers" + (f" ({named}{more})" if pids else "")


def entry_of(reader: Reader) -> dict[str, Any]:
    """The reader as a document has it."""
    claims: dict[str, Any] = {
        "dag": reader.dag,
        "task": reader.task,
        "run": reader.run,
        "try": reader.try_number,
        "user": reader.user,
        "hands_on": reader.hands_on,
    }
    return {
        "pid": reader.pid,
        "started": reader.started,
        "program": reader.program,
        "secret": reader.secret,
        "key": reader.key,
        "project": reader.project,
        "version": reader.version,
        "newest": reader.newest,
        "first": reader.first.isoformat(),
        "last": reader.last.isoformat(),
        **{name: said for name, said in claims.items() if said},
    }


def _reader(raw: Mapping[str, Any]) -> Reader | None:
    """The reader; None where this is none."""
    try:
        return Reader(
            pid=int(raw["pid"]),
            started=int(raw["started"]),
            program=str(raw["program"]),
            secret=str(raw["secret"]),
            key=str(raw["key"]),
            project=str(raw["project"]),
            version=int(raw["version"]),
            newest=int(raw["newest"]),
            first=_moment(raw["first"]),
            last=_moment(raw["last"]),
            dag=str(raw.get("dag", "")),
            task=str(raw.get("task", "")),
            run=str(raw.get("run", "")),
            try_number=whole_number(raw.get("try", 0)),
            user=str(raw.get("user", "")),
            hands_on=raw.get("hands_on") is True,
        )
    except _NO_READER:
        return None


def _moment(text: object) -> datetime:
    moment = datetime.fromisoformat(str(text))
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
