"""`python -m sandbox.beside COMMAND …`: run a command beside the stand-ins, which its environment then names.

The demo of docker-compose.yaml runs a Celery worker so. Both outputs of the command go to standard error. It
ends when the command does, with its exit status, and so does every daemon that the command started; SIGTERM
goes to the command first, which may finish what it is at.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from sandbox import detached
from sandbox.demo.warehouse import Warehouse
from sandbox.kept import Kept
from sandbox.places import ROOT
from sandbox.sandbox import Sandbox

_NAMED_HERE = ("BWS_", "SLACK_", "ROTATION_", "BITWARDEN_")
_GRACE = 40.0
_FOR_EVER = 10.0 * 365 * 86_400


def run(directory: Path, command: Sequence[str]) -> int:
    """The command's exit status."""
    detached.leave_when_told()
    with Sandbox(directory) as sandbox:
        warehouse = Warehouse(sandbox)
        include = warehouse.build(ROOT)
        others = {name: text for name, text in os.environ.items() if not name.startswith(_NAMED_HERE)}
        named = warehouse.environment() | {"ROTATION_INCLUDE": str(include)}
        running = Kept(command, log=Path("/dev/stderr"), env=others | named, grace=_GRACE)
        try:
            return running.wait(_FOR_EVER)
        finally:
            running.stop()


if __name__ == "__main__":
    sys.exit(run(Path(os.environ.get("SANDBOX_DIRECTORY", ROOT / ".sandbox")), sys.argv[1:]))
