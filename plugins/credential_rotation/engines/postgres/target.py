"""Where a PostgreSQL principal logs in: an entry's target or endpoint, checked.

Rules this file keeps:
- Every mistake is `BadInput` that names the entry's line, before anything is connected to.
- TLS is what the entry says and nothing weaker: `prefer` and `allow`, which fall back to plain text, are
  refused. Without a word about it the server's certificate and name are proved.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from credential_rotation.errors import BadInput
from credential_rotation.model import Target

KNOWN = ("port", "dbname", "sslmode", "sslrootcert", "connect_timeout")
TLS_MODES = ("verify-full", "verify-ca", "require", "disable")
LONGEST_NAME = 63
"""Bytes. PostgreSQL cuts longer names of roles and databases off, and so takes another one's."""
LONGEST_TIMEOUT = 30
"""Seconds. A connection that takes longer would outlive what a writer may take altogether."""


@dataclass(frozen=True, slots=True)
class Place:
    """One server (or pooler) and database, with the TLS that it is owed."""

    host: str
    port: int
    dbname: str
    sslmode: str
    sslrootcert: str
    """A file, `system`, or empty where no certificate is proved."""
    connect_timeout: int

    @property
    def is_local_socket(self) -> bool:
        """A unix socket's directory, where libpq does no TLS."""
        return self.host.startswith("/")

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def place(target: Target, source: str) -> Place:
    """Read a target's settings; `source` is the entry's file and line. Raises: BadInput."""
    unknown = sorted(set(target.settings) - set(KNOWN))
    if unknown:
        raise _bad(source, f"unknown setting {', '.join(unknown)}", f"Known are {', '.join(KNOWN)}.")
    if not re.fullmatch(r"[^\s,\0]+", target.host):
        raise _bad(source, f"host {target.host!r} is not one host name", "Give the primary's own name.")
    dbname = _text(target, "dbname", "postgres", source)
    if is_cut_off(dbname):
        raise _bad(source, f"dbname has more than {LONGEST_NAME} bytes", "PostgreSQL would take another one.")
    sslmode = target.settings.get("sslmode", "verify-full")
    return Place(
        host=target.host,
        port=_number(target, "port", 5432, most=65535, source=source),
        dbname=dbname,
        sslmode=sslmode,
        sslrootcert=_root_certificate(target, sslmode, source),
        connect_timeout=_number(target, "connect_timeout", 10, most=LONGEST_TIMEOUT, source=source),
    )


def is_cut_off(name: str) -> bool:
    """Whether PostgreSQL would know it by its beginning only."""
    return len(name.encode("utf-8", "surrogatepass")) > LONGEST_NAME


def _root_certificate(target: Target, sslmode: str, source: str) -> str:
    if sslmode not in TLS_MODES:
        raise _bad(
            source,
            f"sslmode {sslmode!r} is none of {', '.join(TLS_MODES)}",
            "Modes that may fall back to plain text are not supported.",
        )
    given = _text(target, "sslrootcert", "system" if sslmode == "verify-full" else "", source)
    if sslmode == "verify-ca" and given in ("", "system"):
        raise _bad(source, "sslmode verify-ca needs sslrootcert", "Give the file with the CA's certificate.")
    if given == "system" and sslmode != "verify-full":
        raise _bad(source, "sslrootcert system needs sslmode verify-full", "Any public CA could vouch else.")
    return given


def _number(target: Target, name: str, default: int, *, most: int, source: str) -> int:
    text = target.settings.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= most:
        raise _bad(source, f"{name} {text!r} is no whole number from 1 to {most}", f"Default: {default}.")
    return int(text)


def _text(target: Target, name: str, default: str, source: str) -> str:
    text = target.settings.get(name, default)
    if "\0" in text or (default and not text):
        raise _bad(source, f"{name} is empty or holds a NUL", f"Leave it out for {default!r}.")
    return text


def _bad(source: str, what: str, next_step: str) -> BadInput:
    return BadInput(f"{source}: {what}", next_step=next_step)
