"""`python -m bitwarden_vault audit verify [PATH]`: is the trail as it was written? And `audit ship TO`.

Rules this file keeps:
- `verify`: exit code 0 complete, 1 something was removed, changed, reordered or cut off, 2 it cannot be told.
- It writes nothing and needs no token: an auditor runs it on a copy. `ship` writes to TO alone.
- Names of files and texts in them are anybody's: none moves the cursor or begins a line of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bitwarden_vault.audit.findings import ChainCheck
from bitwarden_vault.audit.line import PLAIN, read_key
from bitwarden_vault.audit.places import CHECKPOINT, SEGMENT
from bitwarden_vault.audit.settings import KEY_FILE, PATH, checkpoint_folder, read_audit_settings
from bitwarden_vault.audit.ship import folder_at, ship, show
from bitwarden_vault.audit.verify import verify
from bitwarden_vault.errors import Misconfigured, Unreachable


class NoFolder(Misconfigured):
    """There is none of that name."""


class Folder(Mapping[str, bytes]):
    """The files of a folder, or of one in an object store, that end so; each is read when it is wanted."""

    def __init__(self, path: str, ending: str) -> None:
        self._path: Any = folder_at(path) if "://" in path else Path(path)
        try:
            self._names = [one.name for one in self._path.iterdir() if one.name.endswith(ending)]
        except FileNotFoundError:
            raise NoFolder(f"{path!r} cannot be read: there is no such folder") from None
        except OSError as wrong:
            raise Misconfigured(f"{path!r} cannot be read: {wrong.strerror or wrong}") from None

    def __getitem__(self, name: str) -> bytes:
        if name not in self._names:
            raise KeyError(name)
        try:
            return bytes((self._path / name).read_bytes())
        except OSError as wrong:
            raise Misconfigured(f"{self._path / name} cannot be read: {wrong.strerror or wrong}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def add_audit(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The command's arguments."""
    audit = commands.add_parser("audit", help="check the audit trail, or copy it away")
    does = audit.add_subparsers(required=True, metavar="verify | ship")
    away = does.add_parser("ship", help="copy segments that are closed to an object store or another folder")
    away.add_argument("to", metavar="TO", help="s3://bucket/audit, gs://…, file:///…")
    away.set_defaults(run=_ship)
    check = does.add_parser(
        "verify", help="find lines and files that were removed, changed, reordered or cut off"
    )
    check.add_argument("path", nargs="?", metavar="PATH", help=f"the trail's folder; left out: {PATH}")
    check.add_argument("--checkpoints", metavar="PATH", help="the folder of its checkpoints")
    check.add_argument(
        "--key", action="append", default=[], metavar="FILE", help=f"beside {KEY_FILE}; repeatable"
    )
    check.add_argument("--shipped", action="store_true", help="PATH is where `audit ship` copies to")
    check.add_argument("--json", action="store_true", help="one JSON document on standard output")
    check.set_defaults(run=_verify)


def _verify(wanted: argparse.Namespace) -> int:
    """Raises: Misconfigured."""
    settings = _settings()
    path = wanted.path or settings["audit_path"]
    if path is None:
        raise Misconfigured(f"which trail? Name its folder, or set {PATH}")
    beside = settings["audit_checkpoint"] if path == settings["audit_path"] else None
    files = [*filter(None, [settings["audit_key_file"]]), *wanted.key]
    # before the segments: an agent that runs writes them the other way round
    seen = _checkpoints(checkpoint_folder(path, wanted.checkpoints or beside))
    checks = verify(
        Folder(path, SEGMENT), seen, [read_key(file) for file in files], is_shipped=wanted.shipped
    )
    if not checks:
        raise Misconfigured(f"there is no audit trail in {path!r}")
    _show(checks, as_json=wanted.json)
    return 1 if any(check.findings for check in checks) else 0


def _ship(wanted: argparse.Namespace) -> int:
    """Raises: Misconfigured."""
    settings = _settings()
    path = settings["audit_path"]
    if path is None:
        raise Misconfigured(f"which trail? Set {PATH}")
    try:
        return show(ship(path, checkpoint_folder(path, settings["audit_checkpoint"]), wanted.to))
    except OSError as wrong:
        raise Unreachable(f"{wanted.to!r} cannot be written to: {wrong}") from None


def _settings() -> dict[str, Any]:
    """What the environment says of the trail; its mistakes are the agent's to tell, and a copy has none."""
    return read_audit_settings({name: text for name, text in os.environ.items() if text.strip()}, [])


def _checkpoints(path: str) -> Mapping[str, bytes]:
    """A folder that is gone is a finding for each agent, one that cannot be read is none.

    Raises: Misconfigured.
    """
    try:
        return dict(Folder(path, CHECKPOINT))
    except NoFolder:
        return {}


def _show(checks: Sequence[ChainCheck], *, as_json: bool) -> None:
    if as_json:
        agents = [{**asdict(check), "complete_to": check.complete_to} for check in checks]
        complete = not any(check.findings for check in checks)
        sys.stdout.write(json.dumps({"complete": complete, "agents": agents}) + "\n")
        return
    for check in checks:
        for finding in check.findings:
            place = f"{finding.file}, line {finding.line}" if finding.line else finding.file
            _say(f"WRONG {place}: {finding.what}")
        proof = f"key {check.key}" if check.key else "no key"
        _say(
            f"{check.agent}: {check.lines} lines in {check.segments} segments, complete up to line "
            f"{check.complete_to} (checkpoint: {check.checkpoint}, {check.checkpoint_at}; {proof})"
        )
        if check.lost:
            _say(f"  the agent had to give up {check.lost} lines: its disk was full")
        for note in check.notes:
            _say(f"  {note}")
    if any(check.chain == PLAIN for check in checks):
        _say(
            "Without a key this finds accidents and careless hands. Whoever could write both folders could "
            f"have made it all anew: set {KEY_FILE}, and keep the checkpoints elsewhere."
        )


def _say(text: str) -> None:
    """One line, in which what cannot be seen is spelled out."""
    seen = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
    sys.stdout.write(f"{seen}\n")
