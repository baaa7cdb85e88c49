"""One line of the audit trail as bytes: JSON that ends in a digest of itself and of the line before.

Rules this file keeps:
- The digest is over the bytes as they stand: one changed character, a blank included, and it no longer fits.
- With a key it is an HMAC, which only who has the key can make; without one it is plain SHA-256.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bitwarden_vault.errors import Misconfigured

GENESIS = "0" * 64
"""What stands for the digest before the first line."""
KEYED, PLAIN = "hmac-sha256", "sha256"
LEAST_KEY = 16
"""Bytes: what is shorter could be found by trying."""
_END = re.compile(rb',"digest":"([0-9a-f]{64})"\}\Z')


@dataclass(frozen=True, slots=True)
class Seal:
    """What digests are made with."""

    key: bytes | None = field(default=None, repr=False)

    @property
    def chain(self) -> str:
        """How the digests are made, as headers say it."""
        return PLAIN if self.key is None else KEYED

    @property
    def key_id(self) -> str:
        """Tells keys apart and says nothing about them; empty without a key."""
        return (
            ""
            if self.key is None
            else hmac.digest(self.key, b"bitwarden_vault audit key", "sha256").hex()[:8]
        )

    def digest(self, body: bytes) -> str:
        """Of a line without its digest."""
        return (
            hashlib.sha256(body).hexdigest()
            if self.key is None
            else hmac.digest(self.key, body, "sha256").hex()
        )


@dataclass(frozen=True, slots=True)
class AuditLine:
    """A line whose digest fits."""

    sequence: int
    before: str
    """The digest of the line before."""
    digest: str
    fields: dict[str, Any]


def read_key(path: str | None) -> Seal:
    """The seal with the key in this file; without a file a plain one. Raises: Misconfigured."""
    if path is None:
        return Seal()
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - the agent's start
            key = file.read().strip()
    except OSError as wrong:
        raise Misconfigured(f"BITWARDEN_AUDIT_KEY_FILE {path!r} cannot be read: {wrong.strerror}") from None
    if len(key) < LEAST_KEY:
        raise Misconfigured(
            f"the key in BITWARDEN_AUDIT_KEY_FILE is too short: openssl rand -hex 32 > {path}"
        )
    return Seal(key)


def sealed(seal: Seal, sequence: int, before: str, fields: Mapping[str, Any]) -> tuple[bytes, str]:
    """The line, and its digest."""
    body = json.dumps({"sequence": sequence, "before": before, **fields}, separators=(",", ":")).encode()
    digest = seal.digest(body)
    return b'%s,"digest":"%s"}\n' % (body[:-1], digest.encode()), digest


def opened(seal: Seal, raw: bytes) -> AuditLine | None:
    """The line in these bytes (without their line break); None where its digest does not fit."""
    end = _END.search(raw)
    if end is None:
        return None
    body, digest = raw[: end.start()] + b"}", end[1].decode()
    if not hmac.compare_digest(seal.digest(body), digest):
        return None
    found = read(raw)
    if (
        found is None
        or not isinstance(found.get("sequence"), int)
        or not isinstance(found.get("before"), str)
    ):
        return None
    return AuditLine(found["sequence"], found["before"], digest, found)


def read(raw: bytes) -> dict[str, Any] | None:
    """What stands in a line, believed or not."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
