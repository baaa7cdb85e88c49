"""The command line: `python -m bitwarden_vault agent [--serve | --stop] [--json]`, and `audit verify`.

Rules this file keeps:
- Settings come from the environment, as for every other process.
- Exit code 0 done, 1 something needs a person, 2 bad settings.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence

from bitwarden_vault.audit.command import add_audit
from bitwarden_vault.client import VaultClient
from bitwarden_vault.environment import begin_again_if_need_be
from bitwarden_vault.errors import Misconfigured, VaultError
from bitwarden_vault.settings import read_settings

SECOND_SLOT = "second_slot"
"""Beside what the agent says: why the second token cannot be used."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say; the exit code."""
    wanted = _parser().parse_args(arguments)
    try:
        return int(wanted.run(wanted))
    except VaultError as error:
        sys.stderr.write(f"{error.message}\n")
        return 2 if isinstance(error, Misconfigured) else 1


def _agent(wanted: argparse.Namespace) -> int:
    settings = read_settings(os.environ)
    if wanted.serve:
        begin_again_if_need_be()
        from bitwarden_vault.service import serve_in_foreground  # noqa: PLC0415 - only a server needs the loop

        serve_in_foreground(settings)
        return 0
    client = VaultClient(settings)
    if wanted.stop:
        client.stop()
    status = client.status()
    if settings.next_is_wrong:
        status[SECOND_SLOT] = settings.next_is_wrong
    _show(status, as_json=wanted.json)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bitwarden_vault", description="Vault access of this host."
    )
    commands = parser.add_subparsers(required=True, metavar="agent | audit")
    add_audit(commands)
    agent = commands.add_parser("agent", help="show, serve or stop the agent of these settings")
    does = agent.add_mutually_exclusive_group()
    does.add_argument("--serve", action="store_true", help="be the agent, in the foreground, until a signal")
    does.add_argument("--stop", action="store_true", help="ask it to leave, and wait until it is gone")
    agent.add_argument("--json", action="store_true", help="one JSON document on standard output")
    agent.set_defaults(run=_agent)
    return parser


def _show(status: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(status) + "\n")
        return
    if not status["running"]:
        sys.stdout.write("no agent is running; the first request starts one\n")
    for name, value in status.items():
        if status["running"] or name == SECOND_SLOT:
            sys.stdout.write(f"{name}: {value}\n")


if __name__ == "__main__":
    sys.exit(main())
