"""Put into a copy of the plugin: it writes down every value that is ever held, and errs where it is told to.

The folder that `LEAK_NOTES` names has its notes (`values`, one JSON text a line), and what to do (`wishes`):
credential → "bug" (an exception with the value in a local variable) or "leak" (the value, everywhere).
"""

from __future__ import annotations

import base64
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

NOTES = "LEAK_NOTES"
log = logging.getLogger("credential_rotation.eavesdropper")


def listen(secret: Any) -> None:  # noqa: ANN401 - the class of the copy
    """From now on, note every password that one is made with."""
    make = secret.__init__

    def noted(self: object, principal: str, password: str, login: str = "") -> None:
        make(self, principal, password, login)
        with (_folder() / "values").open("a") as file:
            file.write(json.dumps(password) + "\n")

    secret.__init__ = noted


def around(apply: Callable[..., None]) -> Callable[..., None]:
    """What is wished for is done just before a value is applied."""

    def wished(turn: Any, look: Any, session: Any, record: Any) -> None:  # noqa: ANN401 - the copy's own
        wishes = _folder() / "wishes"
        wish = json.loads(wishes.read_text()).get(turn.credential.name) if wishes.exists() else None
        if wish == "bug":
            _blunder(record.secret.password)
        if wish == "leak":
            _leak(record.secret.password, session)
        apply(turn, look, session, record)

    return wished


def _blunder(password: str) -> None:
    raise RuntimeError(f"a bug, found beside a value of {len(password)} characters")


def _leak(password: str, session: Any) -> None:  # noqa: ANN401 - the copy's own
    """By every mistake that would show; the last one ends the attempt."""
    from psycopg import sql  # noqa: PLC0415 - as the engine itself does, not before a session is there

    from credential_rotation.errors import TargetRefused  # noqa: PLC0415 - the copy's own

    log.info("%s", password)
    session.connection.ask(sql.SQL("SELECT {} AS planted").format(sql.Literal(password)), seconds=5)
    environ = {**os.environ, "PLANTED": password.encode().hex()}
    subprocess.run(
        [sys.executable, "-c", "import time; time.sleep(1)", password], env=environ, check=True, timeout=30
    )
    raise TargetRefused("not so", next_step=f"Try {base64.b64encode(password.encode()).decode()}.")


def _folder() -> Path:
    return Path(os.environ[NOTES])
