"""The agent on the command line: `python -m bitwarden_vault agent [--serve | --stop] [--json]`.

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

from bitwarden_vault.client import VaultClient
from bitwarden_vault.errors import Misconfigured, VaultError
from bitwarden_vault.settings import read_settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the arguments say; the exit code."""
    wanted = _parser().parse_args(arguments)
    try:
        settings = read_settings(os.environ)
        if wanted.serve:
            from bitwarden_vault.service import serve_in_foreground  # noqa: PLC0415 - only a server needs the loop

            serve_in_foreground(settings)
            return 0
        client = VaultClient(settings)
        if wanted.stop:
            client.stop()
        _show(client.status(), as_json=wanted.json)
    except VaultError as error:
        sys.stderr.write(f"{error.message}\n")
        return 2 if isinstance(error, Misconfigured) else 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bitwarden_vault", description="Vault access of this host."
    )
    agent = parser.add_subparsers(required=True, metavar="agent").add_parser(
        "agent", help="show, serve or stop the agent of these settings"
    )
    does = agent.add_mutually_exclusive_group()
    does.add_argument("--serve", action="store_true", help="be the agent, in the foreground, until a signal")
    does.add_argument("--stop", action="store_true", help="ask it to leave, and wait until it is gone")
    agent.add_argument("--json", action="store_true", help="one JSON document on standard output")
    return parser


def _show(status: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(status) + "\n")
    elif not status["running"]:
        sys.stdout.write("no agent is running; the first request starts one\n")
    else:
        for name, value in status.items():
            sys.stdout.write(f"{name}: {value}\n")


if __name__ == "__main__":
    sys.exit(main())
