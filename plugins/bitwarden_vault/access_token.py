"""The text of a Bitwarden access token: `0.<client id>.<client secret>:<base64 of 16 bytes>`.

Rules this file keeps:
- A refusal says which part is wrong and never repeats any of it.
- Only the client id is public; it names the token in messages, sockets and logs.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field

UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
SEED_BYTES = 16
PARTS = 3


class MalformedToken(ValueError):
    """The text cannot be an access token."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token that is well formed; whether it is accepted only Bitwarden knows."""

    client_id: str
    text: str = field(repr=False)
    place: str = ""
    """The variable or the connection that it came from."""
    source: str = ""
    """Where a worker fetches the text, which is empty until then."""

    @property
    def name(self) -> str:
        """How people are told which one is meant."""
        return f"{self.place} ({self.source or self.client_id})"

    @property
    def identity(self) -> str:
        """What makes it another token, and its agent another agent."""
        return self.text or self.source


def parse_token(text: str, place: str = "") -> AccessToken:
    """The token in this text. Raises: MalformedToken."""
    if any(character.isspace() for character in text):
        raise MalformedToken("it contains a blank or a line break")
    public, colon, seed = text.partition(":")
    if not colon:
        raise MalformedToken("the part after ':' is missing; was it cut off when it was copied?")
    parts = public.split(".")
    if len(parts) != PARTS:
        raise MalformedToken("it needs three parts with dots between them before the ':'")
    version, client_id, secret = parts
    if version != "0":
        raise MalformedToken("its version (the part before the first dot) is not 0")
    if not UUID.fullmatch(client_id):
        raise MalformedToken("its second part is not an id (a UUID)")
    if not secret:
        raise MalformedToken("its third part, the client secret, is empty")
    if _decoded_length(seed) != SEED_BYTES:
        raise MalformedToken("the part after ':' is not the base64 of 16 bytes")
    return AccessToken(client_id.lower(), text, place)


def sourced_token(source: str, place: str) -> AccessToken:
    """The token that lies there; in place of the client id, which nobody knows yet, a digest names it."""
    import hashlib  # noqa: PLC0415 - few tokens lie elsewhere, and the first lookup waits for imports

    return AccessToken(hashlib.sha256(source.encode()).hexdigest()[:32], "", place, source)


def _decoded_length(seed: str) -> int:
    try:
        return len(base64.b64decode(seed + "=" * (-len(seed) % 4), validate=True))
    except (binascii.Error, ValueError):
        return -1
